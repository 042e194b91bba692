"""YAML as text: strict reading, positions, editing without losing a comment, and writing. Touches no file."""
