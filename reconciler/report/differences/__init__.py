"""The difference of two values, as the words and lines that every format shows."""
