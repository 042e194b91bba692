"""The command line: options in, one use case, one report out, an exit code. Only this room prints or exits."""

import contextlib
import signal

# Python would answer Ctrl-C with a traceback while modules are loaded. From then on, `main` handles it.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    with contextlib.suppress(ValueError):  # in a thread, which gets no signals
        signal.signal(signal.SIGINT, signal.SIG_DFL)
