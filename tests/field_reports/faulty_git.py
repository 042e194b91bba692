"""A `git` that breaks when it is asked for something, and a repository in which that must harm nobody."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands import Completed
from desks import NO_BASE, Fields, live
from stories import REF, Story

_GIT, _REMOVE, _HEAD, _CHMOD = (str(shutil.which(name)) for name in ("git", "rm", "head", "chmod"))
_GO_ON = f'exec {_GIT} "$@"'
WAYS = {  # a way to break, as the script does it
    "exits 1": "exit 1",
    "exits 127": "exit 127",
    "exits 128": 'echo "fatal: not today" >&2; exit 128',
    "is killed": "kill -9 $$",
    "says nothing": "exit 0",
    # A `cat-file` that is asked as long as it lives begins an answer, and dies.
    "is killed on the way": 'case " $* " in *" cat-file "*) read -r line; printf x; kill -9 $$;; esac; '
    f'{_GIT} "$@" | {_HEAD} -c 1; kill -9 $$',
    "is missing": f'{_REMOVE} "$0"; {_GO_ON}',
    "may not be run": f'{_CHMOD} a-x "$0"; {_GO_ON}',
}
_BEFOREHAND = ("is missing", "may not be run")  # git is gone when the next call comes


class FaultyGit:
    """A folder for PATH, with nothing in it but a git that counts its calls and breaks at one of them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._script, self._log = folder / "git", folder.with_suffix(".log")
        self.env = {"PATH": str(folder)}

    def restore(self) -> None:
        """Pass every call on."""
        self._write(_GO_ON)

    def break_at(self, number: int, way: str) -> None:
        """Break at one call, counted from 1; a git that is missing stays so."""
        at = number - 1 if way in _BEFOREHAND else number
        self._write(f'if [ "$n" -eq {at} ]; then {WAYS[way]}; fi; {_GO_ON}')
        if way in _BEFOREHAND and at == 0:
            self._script.unlink() if way == "is missing" else self._script.chmod(0o644)

    def break_for(self, question: str, way: str) -> None:
        """Break at each call of one of git's commands, in one of the ways or as a script does it."""
        self._write(f'case " $* " in *" {question} "*) {WAYS.get(way, way)};; esac; {_GO_ON}')

    @property
    def calls(self) -> list[str]:
        """What was asked, each as the words of a command line."""
        text = self._log.read_text("utf-8", "replace") if self._log.exists() else ""
        return [call.strip() for call in text.split("\ncall ")[1:]]

    @property
    def questions(self) -> list[str]:
        """The commands of git that were used, each once."""
        return list(dict.fromkeys(_question(call.split()) for call in self.calls))

    def _write(self, then: str) -> None:
        self._log.unlink(missing_ok=True)
        count = f'n=0; while read -r word _; do [ "$word" = call ] && n=$((n+1)); done < "{self._log}"'
        lines = ["#!/bin/sh", f'printf \'\\ncall %s\\n\' "$*" >> "{self._log}"', count, then]
        self._script.write_text("\n".join(lines) + "\n", "utf-8")
        self._script.chmod(0o755)


def _question(words: Sequence[str]) -> str:
    rest = iter(words)
    for word in rest:
        if word in ("-C", "-c"):
            next(rest)
        elif not word.startswith("-"):
            return word
    return ""


COMMANDS: dict[str, tuple[str, ...]] = {
    "plan": ("plan", "--format", "json"),
    "drift": ("drift", "--format", "json"),
    "apply": ("apply", "--yes", "--format", "json"),
    "pull": ("pull",),
}
NAMES = ("edited", "changed", "both")
_VOLATILE = ("started_at", "finished_at", "live_updated_at", "api_calls", "duration_seconds")


@dataclass(frozen=True)
class Aftermath:
    """All that a command left behind, as far as two runs can be compared."""

    code: int
    stdout: Any
    live: dict[str, Fields]
    files: dict[str, bytes]
    record: Any


class Scene:
    """Three desks with a record: one was edited live, one changed in git, one both, in different fields."""

    def __init__(self, repo: Story) -> None:
        self.repo = repo
        for name in ("edited", "both"):
            repo.sandbox.edit(f"asst_{name}", firstMessage="theirs")
        repo.write("changed", name="Desk", firstMessage="ours", model={"temperature": 0.7})
        repo.write("both", name="Ours", firstMessage="Hello!", model={"temperature": 0.7})
        repo.commit("Reviewed")
        repo.sandbox.forget_requests()
        self._ref = repo.root / ".git" / REF
        self._live, self._files = self._lives(), self._texts()
        self.look_at_ref()

    def look_at_ref(self) -> None:
        """Take the record's ref, as it is now, for the one that is to be put back."""
        self._record = self._ref.read_bytes()

    def run(self, command: str, *more: str, env: dict[str, str] | None = None) -> tuple[Completed, Aftermath]:
        """Run a command, and put everything back to where it was."""
        result = self.repo.run(*COMMANDS[command], *more, "--retries", "0", env=env)
        ended = Aftermath(
            result.code,
            _drop_volatile(json.loads(result.stdout)) if result.stdout.startswith("{") else result.stdout,
            self._lives(),
            self._texts(),
            self.repo.tree() if self._ref.read_bytes() != self._record else None,
        )
        self.put_back()
        return result, ended

    def harm(self, command: str, result: Completed, ended: Aftermath) -> list[str]:
        """What a command has done that nobody asked for, or said that is not so, whatever git answered."""
        problems = []
        if any(ended.live[name]["firstMessage"] != "theirs" for name in ("edited", "both")):
            problems.append("a live edit is overwritten")
        if command != "apply" and ended.live != self._live:
            problems.append("it wrote live")
        if command != "pull" and ended.files != self._files:
            problems.append("it wrote a definition")
        if b"ours" not in ended.files["changed.yaml"] or b"Ours" not in ended.files["both.yaml"]:
            problems.append("a reviewed commit is overwritten")
        if isinstance(ended.stdout, dict) and (ended.stdout["base"] or {}).get("ref") != REF:
            problems.append("the record is not the base")
        if isinstance(ended.stdout, dict) and ended.stdout["no_longer_managed"]:
            problems.append("definitions are said to be gone")
        if NO_BASE in result.stdout + result.stderr:
            problems.append("it says that there is no base")
        if result.code not in (0, 1) or (result.code and not result.stderr.strip() and not result.stdout.strip()):
            problems.append(f"exit code {result.code} without a word")
        return problems

    def put_back(self) -> None:
        """Put everything back to where it was."""
        now = self._texts()
        for name, before in self._live.items():
            if live(self.repo, name) != before:
                self.repo.sandbox.edit(f"asst_{name}", **before)
        for name, content in self._files.items():
            if now.get(name) != content:
                (self.repo.project.folder / name).write_bytes(content)
        self._ref.write_bytes(self._record)

    def _lives(self) -> dict[str, Fields]:
        return {name: live(self.repo, name) for name in NAMES}

    def _texts(self) -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in sorted(self.repo.project.folder.iterdir())}


def _drop_volatile(document: Any) -> Any:
    """A report without what two runs never have in common."""
    for key in _VOLATILE:
        document.pop(key, None)
    (document["record"] or {}).pop("age_seconds", None)
    for entry in document["assistants"]:
        entry.pop("live_updated_at")
    return document


def sweep(scene: Scene, git: FaultyGit, command: str, breaks: Sequence[Callable[[], None]]) -> list[str]:
    """Run a command under each fault; return what went wrong, each with its number and git's own words."""
    git.restore()
    _, sound = scene.run(command, env=git.env)
    assert sound.code == 0
    problems = []
    for number, break_git in enumerate(breaks, 1):
        break_git()
        try:
            result, ended = scene.run(command, env=git.env)
        except AssertionError as error:  # it crashed
            faults = [str(error)]
            scene.put_back()
        else:
            faults = scene.harm(command, result, ended)
            if result.code == 0 and ended != sound:
                faults.append("exit code 0, and not what it does otherwise")
        calls = git.calls
        question = " ".join(calls[min(number, len(calls)) - 1].split()[2:6]) if calls else "the first call"
        problems += [f"{number} ({question}): {fault}" for fault in faults]
    return problems
