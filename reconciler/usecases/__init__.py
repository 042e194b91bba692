"""What each command does, independent of the terminal: takes definitions and an API, returns a run."""
