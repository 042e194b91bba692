"""Shared by runs that write: workers, one write with its check, the record."""
