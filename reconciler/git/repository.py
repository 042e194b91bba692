"""A git repository: its commits, trees and files, each read once per run, and the few writes to it."""

import functools
import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from reconciler.core.definition import MAX_BYTES
from reconciler.errors import RepositoryError
from reconciler.git.filters import Filters
from reconciler.git.objects import Blob, Commit, parse_commit, parse_tree
from reconciler.git.processes import Batch, Processes, open_scratch_folder

_LINK, _SUBMODULE, _FOLDER = "120000", "160000", "40000"
_MOST_LINKS = 10  # one after another: more than that go round in a circle
_PATHS_AS_THEY_ARE = {"GIT_LITERAL_PATHSPECS": "1"}
_FETCH_AGAIN = "fetch it again (git fetch --refetch), or clone anew"
SHALLOW = "this clone is shallow: fetch its history (fetch-depth: 0 in CI, git fetch --unshallow)"
_STATUS = ("--porcelain=v2", "--branch", "-z", "--no-renames", "--untracked-files=all", "--ignored=traditional")
_STATUS_WORDS = {"1": 8, "u": 10}  # of what `git status` says of a path, how much is before it
_STORE = ("hash-object", "-w", "--no-filters", "--stdin-paths")


class Repository:
    """A folder's repository, for one thread; without `.git`, `exists` is false, and there are no commits and no refs.

    A commit that is not there has an empty name, and no files. Raises RepositoryError if git gives no answer.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.exists = os.path.lexists(root / ".git")
        self.is_shallow = False  # history ends before the first commit, as in a CI checkout
        self._commits: dict[str, Commit] = {}
        self._trees: dict[str, dict[str, Blob]] = {}
        self._listings: dict[tuple[str, str], Mapping[str, Blob]] = {}
        self._ancestors: dict[tuple[str, str], bool] = {}
        if not self.exists:
            return
        self._git = Processes(root)
        # Asked first and once, so that a broken git is found before anything is decided.
        words = ("--path-format=absolute", "--git-common-dir", "--git-path", "shallow", "--is-shallow-repository")
        common, shallow, is_shallow = self._git.run_for_lines(3, "rev-parse", *words)
        self.lock_folder, self._shallow = Path(common), Path(shallow)  # all worktrees of a clone share the first
        self.is_shallow = is_shallow == "true"

    @functools.cached_property
    def _objects(self) -> Batch:
        return Batch(self._git)

    @functools.cached_property
    def filters(self) -> Filters:
        """The filters that git's attributes set."""
        return Filters(self._git, self._objects, self.root, self.lock_folder)

    def shallow_commits(self) -> frozenset[str]:
        """Return the commits at which a shallow history ends: they seem to have set everything that they contain."""
        return frozenset(self._shallow.read_text("ascii").split()) if self._shallow.is_file() else frozenset()

    # --- commits

    def head(self) -> str:
        """Return the commit that is checked out, empty if the branch has no commit yet."""
        commit = self.resolve("HEAD")
        if commit is not None or not self.exists:
            return commit or ""
        # Git says the same of a branch without a commit and of one whose commit is damaged; that one has a ref.
        [branch] = self._git.run_for_lines(1, "symbolic-ref", "HEAD")
        if self.ref(branch):
            raise self._report_missing(f"the commit of {branch}, where HEAD is,")
        return ""

    def ref(self, name: str) -> str:
        """Return the object that a ref names at this moment, empty if there is no such ref."""
        if not self.exists:
            return ""
        listing = os.fsdecode(self._git.run("for-each-ref", "--format=%(refname) %(objectname)", name))
        objects = dict(line.partition(" ")[::2] for line in listing.splitlines())
        # No line means that there is none, but a broken git prints nothing either, nor is a link to nothing shown.
        if name not in objects and self._objects.read_object(name) is not None:
            raise self._git.failure("for-each-ref", f"no answer about {name}, which is there")
        if name not in objects and self._git.run_or_none("symbolic-ref", "--quiet", name, no=range(1, 2)):
            raise self._report_missing(f"the ref to which {name} leads")
        return objects.get(name, "")

    def list_refs(self, folder: str) -> list[str]:
        """Return the names of all refs below a folder, sorted."""
        listing = self._git.run("for-each-ref", "--format=%(refname)", folder) if self.exists else b""
        return os.fsdecode(listing).splitlines()

    def resolve(self, revision: str) -> str | None:
        """Return the commit that a revision names, or None if git knows no such revision."""
        answer = self._objects.read_object(f"{revision}^{{commit}}") if self.exists and revision else None
        if answer is None:
            return None
        name, _, content = answer
        self._commits[name] = parse_commit(name, content or b"")
        return name

    def commit(self, name: str) -> Commit:
        """Return a commit by its object's name."""
        commit = self._commits.get(name) if self.has(name) else None
        if commit is None:
            raise self._report_missing(f"the commit {name[:12]}")
        return commit

    def has(self, commit: str) -> bool:
        """Return whether a commit is in this clone."""
        return commit in self._commits or self.resolve(commit) is not None

    def has_object(self, name: str) -> bool:
        """Return whether an object of any kind is in this clone."""
        return self._objects.read_object(name, limit=0) is not None

    def merge_base(self, first: str, second: str) -> str:
        """Return the commit at which two histories part."""
        return self._git.run_for_lines(1, "merge-base", first, second)[0]

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Return whether a commit is in the history of another, as far as this clone has it."""
        if older != newer and (older, newer) not in self._ancestors:
            # It counts the commits that `newer` lacks, and exits with 0 either way. So a failing git is never a "no".
            count = ("rev-list", "--count", "-1", older, f"^{newer}")
            has_both = newer != "" and self.has(older)
            self._ancestors[older, newer] = has_both and self._git.run_for_lines(1, *count) == ["0"]
        return older == newer or self._ancestors[older, newer]

    # --- trees and files

    def files(self, commit: str, folder: str = "") -> dict[str, Blob]:
        """Return the files at or below a path of a commit. A link counts as its target; submodules are not files."""
        blobs = self._list_below(commit, folder)
        if any(blob.mode == _LINK for blob in blobs.values()):
            # Links of a folder lead nowhere outside it; one that is asked for by its own path may lead anywhere.
            find = blobs.get if folder not in blobs else lambda path: self._find_entry(commit, path)
            blobs = dict(self._follow(blobs, find))
        return {path: blob for path, blob in blobs.items() if blob.mode != _SUBMODULE}

    def folders(self, commit: str, path: str = "") -> Iterator[str]:
        """Yield a folder of a commit and all folders below it; the root is an empty path."""
        yield path
        tree = self._tree_at(commit, path)
        for name, entry in self._read_tree(tree).items() if tree is not None else ():
            if entry.mode == _FOLDER:
                yield from self.folders(commit, posixpath.join(path, name))

    def submodules(self, commit: str, folder: str) -> list[str]:
        """Return the paths of the submodules at or below a path of a commit, and of the one that holds it."""
        # A submodule at the folder, or above it, is no tree of this repository, so nothing would be found below it.
        parts = folder.split("/")
        parents = {"/".join(parts[:end]) for end in range(1, len(parts) + 1)}
        modules = [path for path in parents if (entry := self._find_entry(commit, path)) and entry.mode == _SUBMODULE]
        below = (path for path, blob in self._list_below(commit, folder).items() if blob.mode == _SUBMODULE)
        return sorted({*modules, *below})

    def read(self, path: str, blob: Blob, *, limit: int = MAX_BYTES) -> bytes | None:
        """Return a file's content as a checkout would have it, filters included; None if larger than `limit` bytes."""
        answer = self._objects.read_object(blob.name, limit=limit)
        # A batch with filters prints sizes before filtering, so the end of an answer would be unknown.
        if answer is not None and self.filters.find(path) is not None:
            return self._git.run("cat-file", "--filters", f"--path={path}", blob.name)
        if answer is None:
            raise self._report_missing(f"the object {blob.name[:12]} of {path}")
        return answer[2]

    def hidden_paths(self, paths: Sequence[str]) -> list[str]:
        """Return the tracked paths that a sparse checkout leaves out of the working tree."""
        lines = self._paths("ls-files", "-t", "-z", "--full-name", "--", *paths) if paths else []
        kinds = {line[2:]: line[0] for line in lines}
        # The index always lists something: with missing output, every hidden file would look removed.
        if any(path not in kinds and self._objects.read_object(f":{path}") is not None for path in paths):
            raise self._git.failure("ls-files", "no answer")
        return [path for path, kind in kinds.items() if kind == "S"]

    def differing_paths(self, old: str, new: str, folder: str) -> set[str]:
        """Return the paths below a folder that differ between two commits."""
        return {path for path, _ in self._list_below(old, folder).items() ^ self._list_below(new, folder).items()}

    def uncommitted_paths(self, folder: str) -> tuple[set[str], set[str]]:
        """Return the paths below a folder that differ from `HEAD` or are untracked, including ignored ones."""
        # With a first line about the branch, so that missing output cannot look like "no difference".
        lines = self._paths("status", *_STATUS, "--", folder or ".")
        if not lines:
            raise self._git.failure("status", "no answer")
        tracked = {line.split(" ", _STATUS_WORDS[line[0]])[-1] for line in lines if line[0] in _STATUS_WORDS}
        return tracked, {line[2:] for line in lines if line[0] in "?!"}

    def log(self, *arguments: str) -> str:
        """Return what `git log` prints."""
        return os.fsdecode(self._git.run("log", *arguments))

    def write_files(self, contents: Mapping[str, str]) -> dict[str, Blob]:
        """Store texts as objects and return them by their path; no filter is run over them."""
        if not contents:
            return {}
        with open_scratch_folder() as folder:
            files = [folder / str(number) for number in range(len(contents))]
            for file, text in zip(files, contents.values(), strict=True):
                file.write_bytes(text.encode("utf-8", "surrogatepass"))
            listing = "".join(f"{file}\n" for file in files).encode()
            names = self._git.run_for_lines(len(files), *_STORE, stdin=listing)
        return {path: Blob("100644", name) for path, name in zip(contents, names, strict=True)}

    def write_tree(self, files: Mapping[str, Blob]) -> str:
        """Return the tree that contains only these files."""
        # An index of its own: the user's may hold what is staged for the next commit.
        lines = "".join(f"{blob.mode} {blob.name}\t{path}\0" for path, blob in sorted(files.items()))
        with open_scratch_folder() as folder:
            index = {"GIT_INDEX_FILE": str(folder / "index")}
            self._git.run("update-index", "-z", "--add", "--index-info", stdin=os.fsencode(lines), environment=index)
            return self._git.run("write-tree", environment=index).decode().strip()

    def write_commit(self, tree: str, parents: Sequence[str], message: str) -> str:
        """Return a new commit of a tree. If git has no user name, reconciler itself is the author."""
        words = ("commit-tree", tree, *(word for parent in parents for word in ("-p", parent)), "-F", "-")
        content = message.encode("utf-8", "surrogateescape")
        try:
            return self._git.run(*words, stdin=content).decode().strip()
        except RepositoryError:
            # In a CI job, git often has no identity. Any other failure occurs again.
            people = {
                f"GIT_{role}_{name}": value
                for role in ("AUTHOR", "COMMITTER")
                for name, value in (("NAME", "reconciler"), ("EMAIL", "reconciler@localhost"))
            }
            return self._git.run(*words, stdin=content, environment=people).decode().strip()

    def move_ref(self, ref: str, commit: str, previous: str) -> None:
        """Move a ref to a commit if it still points to `previous`; if that is empty, if it still does not exist."""
        # All zeros say to git that there must be no such ref yet. A ref that leads to another must not move that one.
        self._git.run("update-ref", "--no-deref", "-m", "reconciler apply", ref, commit, previous or "0" * len(commit))

    def _find_entry(self, commit: str, path: str) -> Blob | None:
        """Return what is at a path of a commit, which may be a folder; None if nothing is."""
        folder, _, name = path.rpartition("/")
        tree = self._tree_at(commit, folder)
        return self._read_tree(tree).get(name) if tree is not None else None

    def _tree_at(self, commit: str, folder: str) -> str | None:
        if not commit:
            return None
        tree = self.commit(commit).tree
        for part in folder.split("/") if folder not in ("", ".") else ():
            entry = self._read_tree(tree).get(part)
            # A link to a folder is none: git does not look through it either.
            if entry is None or entry.mode != _FOLDER:
                return None
            tree = entry.name
        return tree

    def _list_below(self, commit: str, path: str) -> Mapping[str, Blob]:
        """Return everything but folders at or below a path of a commit, submodules too."""
        tree = self._tree_at(commit, path)
        if tree is None:
            entry = self._find_entry(commit, path)
            return {path: entry} if entry is not None else {}
        if (tree, path) not in self._listings:
            self._listings[tree, path] = dict(self._walk(tree, "" if path in ("", ".") else f"{path}/"))
        return self._listings[tree, path]

    def _walk(self, tree: str, prefix: str) -> Iterator[tuple[str, Blob]]:
        for name, entry in self._read_tree(tree).items():
            if entry.mode == _FOLDER:
                yield from self._walk(entry.name, f"{prefix}{name}/")
            else:
                yield f"{prefix}{name}", entry

    def _read_tree(self, name: str) -> dict[str, Blob]:
        """Return the entries of a tree object; folders among them have the mode 40000."""
        if name not in self._trees:
            answer = self._objects.read_object(name)
            if answer is None or answer[2] is None:
                raise self._report_missing(f"the object {name[:12]}")
            self._trees[name] = parse_tree(answer[2], len(name) // 2)
        return self._trees[name]

    def _follow(self, paths: Iterable[str], find: Callable[[str], Blob | None]) -> Iterator[tuple[str, Blob]]:
        """Yield the files at some paths, each link among them as the file that it leads to."""
        for path in paths:
            place = path
            for _ in range(_MOST_LINKS):
                blob = find(place)
                if blob is None or blob.mode != _LINK:
                    break
                answer = self._objects.read_object(blob.name, limit=MAX_BYTES)
                leads_to = os.fsdecode((answer and answer[2]) or b"")
                place = posixpath.normpath(posixpath.join(posixpath.dirname(place), leads_to))
            else:
                continue
            if blob is not None and blob.mode != _FOLDER:
                yield path, blob

    def _report_missing(self, subject: str) -> RepositoryError:
        way_out = SHALLOW if self.is_shallow else _FETCH_AGAIN
        return RepositoryError(f"{subject} is missing from the repository", hint=way_out)

    def _paths(self, *arguments: str) -> list[str]:
        listing = self._git.run(*arguments, environment=_PATHS_AS_THEY_ARE)
        return [os.fsdecode(path) for path in listing.split(b"\0") if path]
