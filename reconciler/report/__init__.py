"""A run as the versioned document of the contract, and one pure renderer per format: document in, text out."""
