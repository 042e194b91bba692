"""The only place where errors become text and an exit code. No traceback reaches a terminal."""

import contextlib
import errno
import os
import sys
from collections.abc import Sequence

import click

from reconciler import __version__
from reconciler.assistant.problem import InvalidSettings
from reconciler.cli.streams import silence, tell
from reconciler.errors import ReconcilerError
from reconciler.report.differences.values import draw_place, escape

FAILED = 1
INTERRUPTED = 130
_FROM_ENVIRONMENT = click.core.ParameterSource.ENVIRONMENT
_UNWRITABLE = (errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EIO)


def run_guarded(command: click.Command, arguments: Sequence[str]) -> int:
    """Run a command and return its exit code (docs/reference.md, "Exit codes")."""
    for stream in (sys.stdout, sys.stderr):
        # Text that the terminal's encoding lacks is shown escaped; it must not end a run.
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    try:
        code = command.main(args=list(arguments), prog_name="reconciler", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except ReconcilerError as error:
        return _fail(_show_error(error), error.hint)
    except click.exceptions.NoArgsIsHelpError as error:
        tell(error.format_message())
        return FAILED
    except click.UsageError as error:
        # 1 like every other failure, in place of click's 2: that says that there are differences.
        # click lists the choices of an argument one below the other.
        return _fail(error.format_message().replace("\n\t", " "), _usage_hint(error))
    except click.ClickException as error:
        return _fail(error.format_message())
    except (KeyboardInterrupt, click.Abort):
        tell("Stopped.")
        return INTERRUPTED
    except OSError as error:
        return _tell_system_error(error)
    except Exception as error:  # noqa: BLE001 - the boundary
        return _tell_crash(error)
    return code if isinstance(code, int) else 0


def _show_error(error: ReconcilerError) -> str:
    if not isinstance(error, InvalidSettings):
        return str(error)
    lines = (line for one in error.problems for line in (str(one), *draw_place(one.source_line, one.column)))
    return "\n".join(lines)


def _usage_hint(error: click.UsageError) -> str:
    """Return where to look: at the environment variable if the value came from it, and at the help."""
    if error.ctx is None:
        return ""
    see = f"see {error.ctx.command_path} --help"
    param = error.param if isinstance(error, click.BadParameter) else None
    if param is None or param.name is None or error.ctx.get_parameter_source(param.name) is not _FROM_ENVIRONMENT:
        return see
    return f"{param.envvar} has that value; {see}"


def _has_folder() -> bool:
    with contextlib.suppress(FileNotFoundError):
        return bool(os.getcwd())  # noqa: PTH109 - only whether there is one
    return False


def _tell_system_error(error: OSError) -> int:
    if error.errno in _UNWRITABLE and error.filename is None:
        return _tell_unwritten(error)
    # A path that is too long, or in a folder that is closed to this user.
    if isinstance(error.filename, str | os.PathLike) and _has_folder():
        return _fail(f"{os.fspath(error.filename)} cannot be used: {error.strerror}", "use another path")
    return _tell_crash(error)


def _tell_unwritten(error: OSError) -> int:
    silence(sys.stdout)
    if error.errno == errno.EPIPE:
        return FAILED
    return _fail(f"stdout cannot be written: {error.strerror}", "free some space, or write it elsewhere")


def _fail(message: str, hint: str = "") -> int:
    shown = "\n".join(map(escape, message.split("\n")))
    tell(f"{click.style('Error:', fg='red')} {shown}")
    if hint:
        tell(f"  {hint}")
    return FAILED


def _tell_crash(error: Exception) -> int:
    if not _has_folder():
        return _fail("the current folder no longer exists", "change to a folder that exists")
    import platform
    import tempfile
    import traceback

    # A file for a bug report. Values of variables and the message may hold a credential, so they are not in it.
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
    return _fail(f"this is a fault of reconciler itself ({type(error).__qualname__})", hint)
