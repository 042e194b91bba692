"""The input of a run: settings, definitions and history, read once."""
