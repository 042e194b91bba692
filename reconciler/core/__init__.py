"""Pure rules: what a definition asks for, where a difference comes from, which patch settles it.

Nothing in here reads a file, a clock or the environment, prints or logs.
"""
