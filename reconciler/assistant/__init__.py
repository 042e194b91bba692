"""What an assistant may hold: its fields, their checks, schema, lints and plain words. Pure."""
