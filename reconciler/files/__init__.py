"""Files on disk: definitions, overlays and settings are found, read and written here."""
