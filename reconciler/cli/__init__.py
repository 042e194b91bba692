"""The command line: options in, one use case, one report out, an exit code. Only this room prints or exits."""
