"""Pure rules: what a definition asks for, where a difference comes from, and which patch resolves it."""
