"""What a command has written into the files of a checkout, to be proposed to whoever reviews."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FileEdit:
    """One file that differs from a commit: its path from the root, and what it holds now; None where it is gone."""

    path: str
    text: str | None
    mode: str
    is_new: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """All files that differ from a commit; `digest` stands for the lines that differ, wherever in a file they are."""

    head: str
    files: tuple[FileEdit, ...]
    digest: str
