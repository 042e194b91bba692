"""The command line: options in, one use case, one report out, an exit code.

The only room that prints, prompts, reads the terminal or exits.
"""
