"""One small module per command: options, one use case, a report, an exit code."""
