"""The assistants' API: sessions, repeats, pace and bytes. Decides nothing about plans."""
