"""`reconciler demo` as a newcomer runs it: the whole story, and nothing left behind however it ends."""

import contextlib
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from commands import COMMAND

# A story of a test's own, told in a process of its own: the demo takes the process's signals.
TELL = """
import functools
from reconciler.demo.story import Teller, run_story
from reconciler.errors import DemoError
story = "{{introduction: Hello., scenes: [{{title: A scene, text: It goes wrong., steps: {steps}}}]}}"
try:
    run_story(Teller(write=functools.partial(print, flush=True)), story)
except DemoError as error:
    print("Stopped:", error)
"""
A_REAL_API = {
    "RECONCILER_API_URL": "https://real.example/api",
    "RECONCILER_AUTH_TOKEN": "token-of-a-real-account",
    "RECONCILER_DIRECTORY": "elsewhere",
    "GIT_DIR": "elsewhere",
}


@pytest.fixture
def temporary(tmp_path: Path) -> Iterator[Path]:
    """The folder for the demo's temporary files: empty at the end."""
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


def start_demo(temporary: Path, *words: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        words or [COMMAND, "demo"],
        cwd=Path(__file__).parent,
        env={**os.environ, "TMPDIR": str(temporary), **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def sandbox_is_gone(output: str) -> bool:
    match = re.search(r"Sandbox API on (\S+)", output)
    assert match, output
    place = urlsplit(match[1])
    with socket.socket() as caller:
        return caller.connect_ex((str(place.hostname), place.port or 0)) != 0


def test_tells_the_whole_story_in_80_columns_and_leaves_nothing(temporary: Path) -> None:
    output, errors = start_demo(temporary, **A_REAL_API, COLUMNS="80", FORCE_COLOR="").communicate(timeout=120)

    assert re.fullmatch(r"(Recorded as [0-9a-f]{12}\.\n){4}", errors)
    key_lines = [
        "$ reconciler validate",
        "4 definitions are valid.",
        "$ reconciler plan --detailed-exitcode",
        "~ model.temperature: 0.7 -> 0.6",
        "~ voicemailMessage:",
        "+ maxDurationSeconds: nothing -> 600",
        "Plan: 3 to change, 0 drifted, 0 conflicts, 1 in sync, 0 errors.",
        "-> Exit code 2",
        "$ cat reconciler.yaml\nrecord: true\n",
        "$ reconciler apply --yes --base none",
        "Apply: 3 applied, 1 unchanged, 0 failed.",
        "$ reconciler plan --detailed-exitcode",
        "Plan: 0 to change, 0 drifted, 0 conflicts, 4 in sync, 0 errors.",
        "PATCH /assistants/asst_enrollment",
        "$ reconciler drift --detailed-exitcode",
        "Edited in the dashboard (drift)",
        "Drift: 1 drifted, 0 conflicts, 3 in sync, 0 errors.",
        "-> Exit code 2",
        "$ reconciler pull",
        "assistants/admissions/enrollment.yaml: firstMessage",
        "$ git diff",
        "\n # every second counts on the phone.\n",
        "\n-  Hi, this is the enrollment assistant of Northfield University.\n+  Hi, this is Enrollment.\n",
        "   How can I help you today?\n firstMessageMode",
        "$ git commit --quiet --all",
        "$ reconciler plan --detailed-exitcode",
        "Plan: 0 to change, 0 drifted, 0 conflicts, 4 in sync, 0 errors.",
        "-> Exit code 0",
        "PATCH /assistants/asst_campus_visits",
        "+ endCallMessage: See you at the open day!",
        "$ git commit --quiet --all",
        "$ reconciler plan\n",
        'endCallMessage: was "See you on campus!",\n      git now has',
        "set by ",
        "Plan: 0 to change, 0 drifted, 1 conflict, 3 in sync, 0 errors.",
        "$ reconciler apply --yes\n",
        "refused, nothing was sent",
        "use the live value (reconciler pull",
        "--force-conflicts",
        "remove the field",
        "Apply: 0 applied, 3 unchanged, 0 failed, 1 refused.",
        "-> Exit code 1",
        "$ reconciler apply --yes --force-conflicts",
        "Apply: 1 applied, 3 unchanged, 0 failed.",
        "$ reconciler plan --detailed-exitcode",
        "Plan: 0 to change, 0 drifted, 0 conflicts, 4 in sync, 0 errors.",
        "id: new\n",
        "$ reconciler apply --yes --create",
        "Apply: 0 applied, 4 unchanged, 0 failed, 1 created.",
        "$ reconciler history",
        "Apply: 1 created, 4 unchanged",
        "An assistant for the open day (Demo)",
        "Apply: 1 applied, 3 unchanged",
        "Apply: 1 refused, 3 unchanged",
        "Apply: 3 applied, 1 unchanged",
        "$ reconciler validate",
        "transfer.yaml:3:1: unknown field firstMesage; did you mean firstMessage?",
        "transfer.yaml:5:16: yes is read as true and as text",
        "export RECONCILER_API_URL=",
    ]
    position = 0
    for line in key_lines:
        position = output.find(line, position)
        assert position >= 0, line
        position += len(line)
    assert sandbox_is_gone(output)

    assert "\x1b" not in output
    # Problems are one line each, however long, so that editors make links of them. git names a file twice on a line.
    may_be_wide = re.compile(r"\S+:\d+:\d+: |diff --git ")
    wide = [line for line in output.splitlines() if len(line) > 80 and not may_be_wide.match(line)]
    assert wide == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["Sandbox API on", "$ reconciler plan", "Plan: 3 to change"])
def test_a_signal_leaves_nothing(temporary: Path, moment: str, number: signal.Signals) -> None:
    demo = start_demo(temporary)
    assert demo.stdout
    output = ""
    while moment not in output:
        line = demo.stdout.readline()
        assert line, output
        output += line
    demo.send_signal(number)
    rest, errors = demo.communicate(timeout=60)

    assert demo.returncode == 128 + number
    assert "Traceback" not in errors
    assert "With your own assistants" not in rest
    assert sandbox_is_gone(output)


def test_a_step_that_ends_otherwise_stops_the_demo_and_leaves_nothing(temporary: Path) -> None:
    steps = "[{sandbox: {}}, {run: reconciler plan, exit: 2}, {run: reconciler never}]"
    output, errors = start_demo(temporary, sys.executable, "-c", TELL.format(steps=steps)).communicate(timeout=120)

    assert errors == ""
    assert "Stopped: `reconciler plan` ended with exit code 0 instead of 2" in output
    assert "reconciler never" not in output
    assert sandbox_is_gone(output)


def test_an_edit_that_does_not_fit_the_file_stops_the_demo(temporary: Path) -> None:
    steps = "[{edit: assistants/admissions/enrollment.yaml, before: 'never: there', after: 'name: Other'}]"
    output, errors = start_demo(temporary, sys.executable, "-c", TELL.format(steps=steps)).communicate(timeout=120)

    assert errors == ""
    assert "enrollment.yaml does not say `never: there` once" in output


def test_a_missing_git_is_named(temporary: Path) -> None:
    demo = start_demo(temporary, PATH=str(temporary))
    _, errors = demo.communicate(timeout=120)

    assert demo.returncode == 1
    assert errors.splitlines() == [
        "Error: the demo needs the command git, but it is not installed or not on PATH",
        "  install git, and run the demo again",
    ]


def test_at_a_terminal_it_waits_after_each_scene_unless_told_not_to(temporary: Path) -> None:
    screen, inside = pty.openpty()
    demo = subprocess.Popen(
        [COMMAND, "demo"],
        env={**os.environ, "TMPDIR": str(temporary), "TERM": "dumb"},
        stdin=inside,
        stdout=inside,
        stderr=inside,
        start_new_session=True,
    )
    os.close(inside)
    output = ""
    for scene in ("1. Are the definitions right?", "2. An API to talk to"):
        while not output.endswith("[Press Enter to continue, Ctrl-C to stop] "):
            output += os.read(screen, 65536).decode()
        assert scene not in output
        os.write(screen, b"\n")
        while scene not in output:
            output += os.read(screen, 65536).decode()
    demo.send_signal(signal.SIGINT)
    with contextlib.suppress(OSError):  # Linux' way to say that nobody has the terminal open any more
        while os.read(screen, 65536):
            pass
    assert demo.wait(60) == 130
    os.close(screen)
