"""The use cases, one module each: they take definitions and an API and return a run. They print nothing."""
