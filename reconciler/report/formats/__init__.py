"""One pure renderer per format, from the view to a text."""
