"""YAML as text: read strictly, where things stand, edited without losing a comment, and written. Touches no file."""
