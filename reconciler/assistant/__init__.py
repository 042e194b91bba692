"""The fields of an assistant: their checks, schema, lints and descriptions. Pure."""
