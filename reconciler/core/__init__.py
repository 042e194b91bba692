"""Pure rules: what a definition asks for, where a difference comes from, and which patch resolves it.

Nothing here reads a file, a clock or the environment, and nothing prints or logs.
"""
