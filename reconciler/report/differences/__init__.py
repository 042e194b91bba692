"""How two values differ, in the words and lines that every format shows."""
