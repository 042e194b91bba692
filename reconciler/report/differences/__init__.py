"""The difference of two values, in the words and lines that every format shows."""
