"""Git, asked through its own command. It reads objects and moves refs, and decides nothing.

Whatever comes from outside reaches git after `--end-of-options`, so that no revision can be an option.
"""

import dataclasses
import os
import posixpath
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from reconciler.core.definition import MAX_BYTES
from reconciler.errors import RepositoryError

_LINK = "120000"
_MOST_LINKS = 10  # one after another: more than that go round in a circle
# What git sets for the hooks that it runs: it would lead us to another repository, or change what a path means.
_OF_HOOKS = frozenset(
    f"GIT_{name}"
    for name in (
        *("DIR", "WORK_TREE", "INDEX_FILE", "PREFIX", "COMMON_DIR", "NAMESPACE"),
        *("GLOB_PATHSPECS", "NOGLOB_PATHSPECS", "ICASE_PATHSPECS"),
    )
)
_PATHS_AS_THEY_ARE = {"GIT_LITERAL_PATHSPECS": "1"}
_UNREADABLE = 128  # git's exit code where it gave up, rather than found nothing


@dataclasses.dataclass(frozen=True, slots=True)
class Blob:
    """A file in a commit's tree: its mode and its object's name."""

    mode: str
    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Git:
    """A repository, by the folder that holds its `.git`."""

    root: Path
    command: str

    @classmethod
    def at(cls, root: Path) -> "Git | None":
        """Return the repository at a folder, or None where there is none, or no git."""
        command = shutil.which("git")
        return cls(root, command) if command is not None and (root / ".git").exists() else None

    def resolve(self, revision: str) -> str | None:
        """Return the commit that a revision names, or None where there is no such commit.

        Raises RepositoryError where git cannot say, as in a repository that belongs to somebody else.
        """
        answer = self._ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        if answer.returncode == _UNREADABLE:
            raise self._failure("rev-parse", answer)
        return _text(answer.stdout) if answer.returncode == 0 else None

    def is_shallow(self) -> bool:
        """Tell whether history ends before the first commit, as in a CI checkout."""
        return self.run("rev-parse", "--is-shallow-repository") == "true"

    def shallow_commits(self) -> frozenset[str]:
        """Return the commits at which a shallow history ends: they seem to have set everything that they hold."""
        path = Path(self.run("rev-parse", "--git-path", "shallow"))
        file = path if path.is_absolute() else self.root / path
        return frozenset(file.read_text("ascii").split()) if file.is_file() else frozenset()

    def merge_base(self, first: str, second: str) -> str | None:
        """Return the commit at which two histories part, or None where they have none in common."""
        answer = self._ask("merge-base", first, second)
        return _text(answer.stdout) if answer.returncode == 0 else None

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Tell whether a commit is in the history of another."""
        return self._ask("merge-base", "--is-ancestor", older, newer).returncode == 0

    def parents(self, commit: str) -> list[str]:
        """Return the parents of a commit, those too that a shallow clone lacks."""
        head, _, _ = self.run("cat-file", "commit", commit).partition("\n\n")
        return [line.split(" ")[1] for line in head.split("\n") if line.startswith("parent ")]

    def files(self, commit: str, folder: str = "") -> dict[str, Blob]:
        """Return the files below a folder of a commit, by their path from the root.

        A link stands for the file below the folder that it leads to, else for nothing; submodules are no files.
        """
        below = ["--", folder] if folder not in ("", ".") else []
        listing = self._run("ls-tree", "-r", "-z", "--full-tree", commit, *below)
        found: dict[str, Blob] = {}
        for entry in listing.split(b"\0"):
            about, _, path = entry.partition(b"\t")
            mode, kind, name = about.decode().split() if about else ("", "", "")
            if kind == "blob":
                found[os.fsdecode(path)] = Blob(mode, name)
        if any(blob.mode == _LINK for blob in found.values()):
            return dict(self._followed(found))
        return found

    def blobs(self, names: Iterable[str]) -> dict[str, bytes]:
        """Return the contents of objects, by name.

        Those that are not there are left out, and those that are larger than a definition may be.
        """
        asked = list(dict.fromkeys(names))
        if not asked:
            return {}
        lines = "\n".join(asked).encode() + b"\n"
        sizes = self._run("cat-file", "--batch-check=%(objectsize)", given=lines).split(b"\n")
        wanted = [name for name, size in zip(asked, sizes, strict=False) if size.isdigit() and int(size) <= MAX_BYTES]
        answer = self._run("cat-file", "--batch", given="\n".join(wanted).encode() + b"\n")
        contents: dict[str, bytes] = {}
        place = 0
        for name in wanted:
            end = answer.index(b"\n", place)
            size, place = int(answer[place:end].split()[2]), end + 1
            contents[name] = answer[place : place + size]
            place += size + 1
        return contents

    def changed_paths(self, commit: str, folder: str, other: str | None = None) -> list[str]:
        """Return the paths below a folder that differ between a commit and another, or the working tree."""
        commits = [commit] if other is None else [commit, other]
        return self._paths("diff", "--name-only", "--no-renames", "--no-relative", "-z", *commits, "--", folder or ".")

    def untracked_paths(self, folder: str) -> list[str]:
        """Return the files below a folder that git does not track, ignored ones too."""
        return self._paths("ls-files", "--others", "--full-name", "-z", "--", folder or ".")

    def commit_tree(self, tree: str, parents: Iterable[str], message: str) -> str:
        """Return a new commit of a tree; where git knows nobody's name, the commit is the tool's own."""
        known = all(self._ask("var", f"GIT_{role}_IDENT").returncode == 0 for role in ("AUTHOR", "COMMITTER"))
        people = {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", "reconciler"), ("EMAIL", "reconciler@localhost"))
        }
        arguments = [word for parent in parents for word in ("-p", parent)]
        return self.run("commit-tree", tree, *arguments, "-F", "-", given=message, environment={} if known else people)

    def run(self, *arguments: str, given: str | None = None, environment: Mapping[str, str] | None = None) -> str:
        """Return what a git command prints. Raises RepositoryError with git's own complaint."""
        return _text(self._run(*arguments, given=_bytes(given), environment=environment))

    def _run(self, *arguments: str, given: bytes | None = None, environment: Mapping[str, str] | None = None) -> bytes:
        answer = self._ask(*arguments, given=given, environment=environment)
        if answer.returncode != 0:
            raise self._failure(arguments[0], answer)
        return answer.stdout

    def _paths(self, *arguments: str) -> list[str]:
        listing = self._run(*arguments, environment=_PATHS_AS_THEY_ARE)
        return [os.fsdecode(path) for path in listing.split(b"\0") if path]

    def _followed(self, files: Mapping[str, Blob]) -> Iterator[tuple[str, Blob]]:
        """Yield the files of a tree, each link among them as the file that it leads to."""
        contents = self.blobs(blob.name for blob in files.values() if blob.mode == _LINK)
        for path in files:
            place = path
            for _ in range(_MOST_LINKS):
                blob = files.get(place)
                if blob is None or blob.mode != _LINK:
                    break
                leads_to = os.fsdecode(contents.get(blob.name, b""))
                place = posixpath.normpath(posixpath.join(posixpath.dirname(place), leads_to))
            else:
                continue
            if blob is not None:
                yield path, blob

    def _failure(self, command: str, answer: "subprocess.CompletedProcess[bytes]") -> RepositoryError:
        """Return git's own complaint as an error, with what to do about the one that containers meet."""
        complaint = _text(answer.stderr).splitlines() or [f"exit code {answer.returncode}"]
        hint = ""
        if "dubious ownership" in complaint[0]:
            hint = f"if you trust it: git config --global --add safe.directory {self.root}"
        return RepositoryError(f"git {command}: {complaint[0]}", hint=hint)

    def _ask(
        self, *arguments: str, given: bytes | None = None, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(  # noqa: S603 - a list, no shell
            [self.command, "-C", str(self.root), *arguments],
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            env={**_inherited(), "LC_ALL": "C", **(environment or {})},
            process_group=0,  # Ctrl-C on the terminal is for us to decide about
            check=False,
        )


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _OF_HOOKS}


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else os.fsencode(text)


def _text(answer: bytes) -> str:
    return os.fsdecode(answer).strip()
