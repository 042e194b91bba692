"""The changes of the working tree, as git would commit them. The index and all refs are not changed."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from reconciler.core.run import Edits, FileEdit
from reconciler.errors import RepositoryError
from reconciler.git.processes import Processes, open_scratch_folder

_GONE = "000000"


def read_edits(root: Path, head: str, paths: Iterable[str]) -> Edits | None:
    """Return how files differ from a commit, as git would commit them; None if none does. Raises RepositoryError."""
    git = Processes(root)
    stdin = b"".join(os.fsencode(path) + b"\0" for path in sorted(paths))
    if not stdin:
        return None
    with open_scratch_folder() as folder:
        index = {"GIT_INDEX_FILE": str(folder / "index")}
        git.run("read-tree", head, environment=index)
        git.run("update-index", "--add", "--remove", "-z", "--stdin", stdin=stdin, environment=index)
        tree = git.run("write-tree", environment=index).decode().strip()
    files = tuple(_list_files(git, head, tree))
    return Edits(head=head, files=files, digest=_digest(git, head, tree)) if files else None


def _list_files(git: Processes, head: str, tree: str) -> Iterable[FileEdit]:
    """Yield the files of two trees that differ: `:mode mode name name status`, then the path."""
    words = git.run("diff-tree", "-r", "-z", "--no-renames", head, tree).split(b"\0")
    for description, path in zip(words[::2], words[1::2], strict=False):
        old_mode, mode, _, name, _ = description.decode().removeprefix(":").split()
        try:
            file, text = path.decode(), None if mode == _GONE else git.run("cat-file", "blob", name).decode()
        except UnicodeDecodeError as error:
            message = "its name or its text is not UTF-8, so no host's API can take it"
            raise RepositoryError(message, where=os.fsdecode(path), hint="rename it, or save it as UTF-8") from error
        # To delete a file, GitHub needs its old mode.
        yield FileEdit(path=file, text=text, mode=old_mode if text is None else mode, is_new=old_mode == _GONE)


def _digest(git: Processes, head: str, tree: str) -> str:
    # Only the lines that begin with a sign: their place changes with every merge.
    options = ("--unified=0", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--full-index", "--text")
    lines = git.run("diff", *options, head, tree).split(b"\n")
    return hashlib.sha256(b"\n".join(line for line in lines if line[:1] in (b"+", b"-"))).hexdigest()


def read_origin(root: Path) -> str:
    """Return the address of the remote `origin`, empty if there is none. Raises RepositoryError."""
    output = Processes(root).run_or_none("config", "--get", "remote.origin.url", no=range(1, 2))
    return os.fsdecode(output or b"").strip()
