"""The `reconciler` command, also as `python -m reconciler`. Importing it changes the process's signal handling."""

import signal

# Python would answer Ctrl-C with a traceback while modules are loaded. From then on, `main` handles it.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from reconciler.cli.main import main

if __name__ == "__main__":
    main()
