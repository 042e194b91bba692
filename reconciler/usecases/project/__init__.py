"""What a run is about: settings, definitions and history, read once."""
