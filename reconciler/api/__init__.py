"""The assistants' API: sessions, repeats, pace and bytes. Makes no decisions about plans."""
