"""A repository, a sandbox and the command line in one: what people do in git, live and at the terminal."""

import contextlib
import io
import json
import os
import subprocess
import unittest.mock
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from between import Between, Meddle, between
from commands import Completed, connection_variables, environment, run
from json_reports import AssistantEntry, Document
from leaks import assert_no_secret
from projects import Project
from servers import Sandbox, running_sandbox

from reconciler.cli.boundary import run_guarded
from reconciler.cli.main import reconciler

REF = "refs/reconciler/applied"
TRAILER = "Reconciler-Indeterminate"

Nested = Literal["merge", "replace"]
BOTH: tuple[Nested, ...] = ("merge", "replace")


class Story:
    """A repository whose definitions are those of a sandbox's assistants."""

    def __init__(self, root: Path, sandbox: Sandbox) -> None:
        self.project = Project(root)
        self.sandbox = sandbox
        self.url = sandbox.url
        self.root = root

    @contextlib.contextmanager
    def intercept(self, meddle: Meddle) -> Iterator[Between]:
        """For a while, let something stand between the command and the sandbox."""
        with between(self.sandbox, meddle) as server:
            before, self.url = self.url, server.url
            try:
                yield server
            finally:
                self.url = before

    # --- in git

    def git(self, *arguments: str, stdin: str | None = None) -> str:
        """What a git command prints, without blanks around it; it knows no configuration but the repository's."""
        return self.git_exactly(*arguments, stdin=stdin).strip()

    def git_exactly(self, *arguments: str, stdin: str | None = None) -> str:
        """The same as it is printed: a file may end in blanks that count."""
        process = subprocess.run(
            ["git", "-C", str(self.root), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
            env=environment(),
        )
        return process.stdout

    def write(self, key: str, text: str = "", **fields: Any) -> Path:
        """Write a definition; its id is `asst_` and the last part of its key, if nothing else is said."""
        if not text:
            fields = {"id": f"asst_{key.rpartition('/')[2]}", **fields}
        return self.project.write(key, text, **fields)

    def commit(self, message: str = "Change", *, allow_empty: bool = False) -> str:
        """Commit everything, and return the commit."""
        self.git("add", "--all")
        options = ["--allow-empty"] if allow_empty else []
        people = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
        self.git(*people, "commit", "--quiet", "-m", message, *options)
        return self.head

    def make_commit(self, tree: str, *parents: str, message: str) -> str:
        """Make a commit of a tree by hand, on no branch, as another run or another program would."""
        people = ["-c", "user.name=Eve", "-c", "user.email=eve@example.com"]
        words = [word for parent in parents for word in ("-p", parent)]
        return self.git(*people, "commit-tree", tree, *words, "-F", "-", stdin=message)

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    @property
    def record(self) -> str | None:
        """The newest record's commit."""
        return self.git("for-each-ref", "--format=%(objectname)", REF) or None

    @property
    def message(self) -> str:
        """What the newest record says."""
        return self.git("log", "-1", "--format=%B", REF)

    @property
    def parents(self) -> list[str]:
        return self.git("log", "-1", "--format=%P", REF).split()

    @property
    def trailers(self) -> list[dict[str, Any]]:
        """What the newest record says of writes whose outcome is unclear, as git reads its trailers."""
        values = self.git("log", "-1", f"--format=%(trailers:key={TRAILER},valueonly)", REF)
        return [json.loads(line) for line in values.splitlines() if line]

    def tree(self, revision: str = REF) -> dict[str, dict[str, Any]]:
        """The definitions in a commit's tree, by their path from the root."""
        names = self.git("ls-tree", "-r", "--name-only", "-z", revision).split("\0")
        files = (name for name in names if name.endswith((".yaml", ".yml")))
        return {name: yaml.safe_load(self.git_exactly("show", f"{revision}:{name}")) for name in files}

    # --- at the terminal

    def run(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Completed:
        """Run the command in this process, with its own environment; it never crashes."""
        variables = {**connection_variables(self.sandbox, self.url), **(env or {})}
        stdout, stderr = io.StringIO(), io.StringIO()
        with (
            unittest.mock.patch.dict(os.environ, environment(variables), clear=True),
            contextlib.redirect_stdout(stdout),
            contextlib.redirect_stderr(stderr),
            contextlib.chdir(self.root),
        ):
            code = run_guarded(reconciler, [*map(str, arguments)])
        assert "bug in reconciler" not in stderr.getvalue(), stderr.getvalue()
        assert_no_secret(stdout.getvalue() + stderr.getvalue(), "what the command shows")
        return Completed(code, stdout.getvalue(), stderr.getvalue())

    def report(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Document:
        """Run a command that ends well or not, and return its report."""
        result = self.run(*arguments, "--format", "json", "--retries", "0", env=env)
        assert result.stdout, result.stderr
        document: Document = json.loads(result.stdout)
        if document["api_url"] == self.url:
            document["api_url"] = self.sandbox.url  # as if nothing had stood between
        return document

    def plan(self, *arguments: str | Path) -> Document:
        return self.report("plan", *arguments)

    def apply(self, *arguments: str | Path) -> Document:
        return self.report("apply", "--yes", *arguments)

    def apply_and_record(self, *arguments: str | Path) -> Document:
        """Apply and record; the first time says that it is the first."""
        first = [] if self.record else ["--base", "none"]
        return self.apply("--record", *first, *arguments)

    def save_report(self, document: Document, name: str = "report.json") -> Path:
        """Keep a report in a file, beside the repository."""
        file = self.root.parent / name
        file.write_text(json.dumps(document), "utf-8")
        return file

    def rollback(self, document: Document, *arguments: str | Path) -> Document:
        return self.report("rollback", self.save_report(document, "undo.json"), "--yes", *arguments)


class InstalledStory(Story):
    """The same, told with the installed command, each in a process of its own."""

    def run(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Completed:
        variables = {**connection_variables(self.sandbox, self.url), **(env or {})}
        return run(*arguments, cwd=self.root, env=variables)


def entries(document: Document) -> dict[str, AssistantEntry]:
    """The assistants of a report, by key."""
    return {entry["key"]: entry for entry in document["assistants"]}


@contextlib.contextmanager
def story(
    root: Path, live: Mapping[str, Mapping[str, Any]], *, nested: Nested = "merge", kind: type[Story] = Story
) -> Iterator[Story]:
    """A repository without definitions, and a sandbox with the assistants of `live`, by the end of their ids."""
    seed = {f"asst_{name}": fields for name, fields in live.items()}
    with running_sandbox(seed, nested=nested) as sandbox:
        yield kind(root, sandbox)


@contextlib.contextmanager
def committed_story(
    root: Path,
    live: Mapping[str, Mapping[str, Any]],
    declared: Mapping[str, Any],
    *,
    nested: Nested = "merge",
    kind: type[Story] = Story,
) -> Iterator[Story]:
    """The same with one definition for each of the assistants, which all declare the same, in a first commit."""
    with story(root, live, nested=nested, kind=kind) as repo:
        for name in live:
            repo.write(name, **declared)
        repo.commit("First")
        yield repo
