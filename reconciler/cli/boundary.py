"""The only place where errors become text and an exit code. No traceback reaches a terminal."""

import contextlib
import errno
import os
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import click

from reconciler import __version__
from reconciler.assistant.problem import InvalidSettings
from reconciler.cli.streams import eprint, silence
from reconciler.errors import ReconcilerError
from reconciler.report.differences.values import draw_place, escape

FAILED = 1
INTERRUPTED = 130
_FROM_ENVIRONMENT = click.core.ParameterSource.ENVIRONMENT
_NO_THREAD = "can't start new thread"  # Python's own words in a RuntimeError
_UNWRITABLE = (errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EIO)


_interrupts: list[int] = []


def interrupt(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - the signal module's form
    """Handle Ctrl-C as Python does, and note it: a library may turn the exception into an error of its own."""
    _interrupts.append(number)
    raise KeyboardInterrupt


def run_guarded(command: click.Command, arguments: Sequence[str]) -> int:
    """Run a command and return its exit code (docs/reference.md, "Exit codes")."""
    for stream in (sys.stdout, sys.stderr):
        # Characters that the terminal's encoding lacks are escaped, so that they do not end a run.
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    try:
        code = command.main(args=list(arguments), prog_name="reconciler", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except ReconcilerError as error:
        _fail(_format_error(error), error.hint)
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        eprint(error.format_message())
        return FAILED
    except click.UsageError as error:
        # 1 like every other failure. Not click's 2, which here means that there are differences.
        # click lists the choices of an argument one below the other.
        return _fail(error.format_message().replace("\n\t", " "), _make_usage_hint(error))
    except click.ClickException as error:
        return _fail(error.format_message())
    except (KeyboardInterrupt, click.Abort):
        return _report_interruption()
    except OSError as error:
        return _report_system_error(error)
    except Exception as error:  # noqa: BLE001 - the boundary
        return _report_crash(error)
    return code if isinstance(code, int) else 0


def _format_error(error: ReconcilerError) -> str:
    if not isinstance(error, InvalidSettings):
        return str(error)
    lines = (line for item in error.problems for line in (str(item), *draw_place(item.source_line, item.column)))
    return "\n".join(lines)


def _make_usage_hint(error: click.UsageError) -> str:
    """Return a hint that names the command's help, and the environment variable if the value came from it."""
    if error.ctx is None:
        return ""
    help_hint = f"see {error.ctx.command_path} --help"
    param = error.param if isinstance(error, click.BadParameter) else None
    if param is None or param.name is None or error.ctx.get_parameter_source(param.name) is not _FROM_ENVIRONMENT:
        return help_hint
    return f"{param.envvar} has that value; {help_hint}"


def _has_folder() -> bool:
    with contextlib.suppress(FileNotFoundError):
        return bool(os.getcwd())  # noqa: PTH109 - only checks that there is one
    return False


def _report_system_error(error: OSError) -> int:
    if error.errno in _UNWRITABLE and error.filename is None:
        silence(sys.stdout)
        # Nobody reads stdout any more, so nobody needs to know.
        if error.errno == errno.EPIPE:
            return FAILED
        return _fail(f"stdout cannot be written: {error.strerror}", "free some space, or write it elsewhere")
    # The path is too long, or in a folder that this user may not open.
    if isinstance(error.filename, str | os.PathLike) and _has_folder():
        return _fail(f"{os.fspath(error.filename)} cannot be used: {error.strerror}", "use another path")
    return _report_crash(error)


def _report_interruption() -> int:
    eprint("Stopped.")
    return INTERRUPTED


def _fail(message: str, hint: str = "") -> int:
    text = "\n".join(map(escape, message.split("\n")))
    eprint(f"{click.style('Error:', fg='red')} {text}")
    if hint:
        eprint(f"  {escape(hint)}")
    return FAILED


def _report_crash(error: Exception) -> int:
    if _interrupts:
        return _report_interruption()
    # Before Python 3.13, pathlib wraps the error of a link that leads to itself.
    if isinstance(error.__context__, OSError) and error.__context__.errno == errno.ELOOP:
        return _report_system_error(error.__context__)
    if not _has_folder():
        return _fail("the current folder no longer exists", "change to a folder that exists")
    if isinstance(error, MemoryError) or str(error) == _NO_THREAD:
        return _fail("the system has no memory or no thread left for this run", "raise its limits (see ulimit -a)")
    if isinstance(error, UnicodeEncodeError) and error.encoding == sys.getfilesystemencoding() != "utf-8":
        message = f"a file's name has a letter that this system's encoding ({error.encoding}) lacks"
        return _fail(message, "set PYTHONUTF8=1, or a UTF-8 locale")
    import platform
    import tempfile
    import traceback

    # A file for a bug report, without values of variables and without the message: they may contain a credential.
    hint = "please report it, and what you did: there was no space for a file with details"
    with (
        contextlib.suppress(OSError),
        tempfile.NamedTemporaryFile("w", prefix="reconciler-", suffix=".log", delete=False, encoding="utf-8") as log,
    ):
        log.write(f"reconciler {__version__}, Python {platform.python_version()}, {platform.system()}\n")
        log.write("".join(traceback.format_tb(error.__traceback__)))
        log.write(f"{type(error).__module__}.{type(error).__qualname__}\n")
        log.flush()
        hint = f"please report it with the file {log.name}, which contains no values"
    return _fail(f"this is a bug in reconciler ({type(error).__qualname__})", hint)
