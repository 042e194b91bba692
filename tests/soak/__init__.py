"""Random faults against random edits, seeded: nothing that nobody asked for changes, and nothing is lost."""
