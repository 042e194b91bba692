"""What each command does, free of the terminal: definitions and an API go in, a run comes out."""
