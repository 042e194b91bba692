"""Record what an apply brought live, so that the next plan knows who moved since (contract, `--record`)."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.assistant.paths import parse_pointer, to_pointer
from reconciler.core.definition import Definition, is_definition_file
from reconciler.core.outcome import Outcome
from reconciler.core.run import Result, Run
from reconciler.core.settings import FILE_NAME
from reconciler.core.tree import MISSING, value_at
from reconciler.errors import RepositoryError
from reconciler.files.folders import folder_in_git, shown_path
from reconciler.git.record import Record, Unclear, write_record
from reconciler.git.repository import Blob, Git
from reconciler.git.snapshot import BaseDefinition, BaseDefinitions, Kept, read_base
from reconciler.usecases.base import OFF, History

MOST_HEADS = 20
ID = re.compile(rb"""^["']?id["']?\s*:\s*["']?([^\s"'#]+)""", re.MULTILINE)
SHOWN = tuple(outcome for outcome in Outcome if outcome is not Outcome.UNCHANGED)


def check_order(history: History) -> None:
    """Refuse a HEAD that does not descend from what was applied last: a late run must not undo a newer one."""
    git, head, record = history.git, history.head, history.record
    if git is None or head is None or record is None or git.is_ancestor(record.applied, head):
        return
    hint = "apply the newest commit; to go back on purpose, or where history was rewritten, give --allow-older"
    if git.is_shallow():
        hint = "this clone is shallow: fetch its history (fetch-depth: 0 in CI), or give --allow-older"
    raise RepositoryError(
        f"HEAD {head[:12]} does not descend from {record.applied[:12]}, which was applied last", hint=hint
    )


def check_unmoved(history: History) -> None:
    """Refuse to go on from a record that another run has replaced since it was read; called under the clone's lock."""
    before = history.record.commit if history.record else None
    if history.git is not None and history.git.resolve(history.ref) != before:
        raise RepositoryError(
            f"{history.ref} moved while this run began", hint="another run has just ended: run this again"
        )


def check_recordable(
    history: History, folders: Sequence[Path], asked_base: str | None, definitions: Sequence[Definition]
) -> None:
    """Refuse to record what git does not hold, or a first record that nobody announced. Raises RepositoryError.

    `folders` are that of the definitions and, in an environment, that of its overlays. `definitions` are
    compared as they were read: git may have been told to look away from a file.
    """
    git = history.git
    if git is None or history.head is None:
        raise RepositoryError("--record needs a git repository with a commit", hint="commit the definitions first")
    differing = [
        path
        for below in (folder_in_git(folder, git.root) for folder in folders)
        for path in (*git.changed_paths("HEAD", below), *git.untracked_paths(below))
        if is_definition_file(path, below)
    ]
    below = folder_in_git(folders[0], git.root)
    kept = read_base(git, history.head, below, definitions, history.environment)
    held = {found.file: found for found in kept.by_id.values()}
    differing += [read.file for read in definitions if not _says_the_same(read, held.get(read.file))]
    if differing:
        raise RepositoryError(
            f"--record would say that {differing[0]} is applied as HEAD has it, and it differs from HEAD",
            hint="commit the definitions, or apply without --record",
        )
    settings = _changed_settings(git, folders[0])
    if settings is not None:
        raise RepositoryError(
            f"{settings} differs from HEAD, and --record would say that its overlays and ignore entries are applied "
            "as HEAD has them",
            hint="commit it, or apply without --record",
        )
    if history.record is None and asked_base != OFF:
        raise RepositoryError(
            f"there is no record {history.ref} here",
            hint=f"fetch it (git fetch origin {history.ref}:{history.ref}), or give --base none for the first run",
        )


def _changed_settings(git: Git, folder: Path) -> str | None:
    """Return the path of the settings beside the definitions' folder where they are not as HEAD has them.

    Compared by what they say: git turns line ends, and may have been told to look away.
    """
    file = folder.resolve().parent / FILE_NAME
    path = shown_path(file, git.root)
    if not file.is_relative_to(git.root.resolve()):
        return None
    blob = git.files("HEAD", path).get(path)
    held = None if blob is None else git.blobs([blob.name]).get(blob.name, b"").splitlines()
    now = file.read_bytes().splitlines() if file.is_file() else None
    return None if held == now else path


def _says_the_same(read: Definition, held: BaseDefinition | None) -> bool:
    return held is not None and (held.id, held.declared) == (read.id, read.declared)


def record(run: Run, history: History, folder: Path) -> str | None:
    """Add what an apply did to the record and return the commit; None where the record says it already.

    HEAD's tree, in which each definition that is not applied or unchanged, be it in a folder that this run knows
    nothing of, keeps the file of the record before, or of the base. Raises RepositoryError, which says that live is
    applied all the same.
    """
    try:
        return _record(run, history, folder)
    except RepositoryError as error:
        raise RepositoryError(
            f"what was applied is live, but it is not recorded: {error.message}",
            hint=error.hint or "apply again when that is mended: what is live already is recorded then",
        ) from error


def _record(run: Run, history: History, folder: Path) -> str | None:
    git, head, previous = history.git, history.head, history.record
    if git is None or head is None:
        return None
    below = folder_in_git(folder, git.root)
    replaced = {**_elsewhere(history, git, head, below), **_replaced(run, history, git, head, below)}
    unclear = _unclear(run, previous)
    if previous and previous.applied == head and previous.unclear == unclear and not _wrote(run):
        tree = git.files(previous.commit)
        if all(tree.get(path) == blob for path, blob in {**git.files(head), **replaced}.items()):
            return None
    return write_record(
        git,
        history.ref,
        head=head,
        previous=previous.commit if previous else None,
        replaced=replaced,
        message=_message(run),
        unclear=unclear,
    )


def _replaced(run: Run, history: History, git: Git, head: str, below: str) -> Mapping[str, Blob | None]:
    """Return the paths whose definitions are not live as HEAD has them, with what stands there instead."""
    current = [result.definition for result in run.results if isinstance(result.definition, Definition)]
    now = read_base(git, head, below, current, history.environment)
    before = BaseDefinitions({})
    older = history.record or history.base
    if older is not None:
        before = read_base(git, older.commit, below, current, history.environment, others=now.by_id.values())
    by_file = {definition.file: definition for definition in before.by_id.values()}
    defined = {definition.file: definition for definition in now.by_id.values()}
    live_ids = {result.definition.file: str(result.live["id"]) for result in run.results if result.live}
    settled = {
        result.definition.file for result in run.results if (result.outcome is not None and result.outcome.settled)
    }
    replaced: dict[str, Blob | None] = {}
    for path, blob in git.files(head, below).items():
        if path in settled or not is_definition_file(path, below):
            continue
        definition = defined.get(path)
        if definition is None and history.environment is not None:
            continue  # it has no id there, and is not part of the environment
        ids = (definition.id, live_ids.get(path, definition.id)) if definition else ()
        old = before.find(*ids) if definition else by_file.get(path)
        replaced |= _older(Kept(path, blob), old.shared if old else None)
        if definition is not None and (definition.overlay or (old and old.overlay)):
            replaced |= _older(definition.overlay, old.overlay if old else None)
    return replaced


def _elsewhere(history: History, git: Git, head: str, below: str) -> Mapping[str, Blob | None]:
    """Return what other folders' definitions keep: nobody has looked at them, and an apply of theirs has to.

    With an environment there are none: the record is that environment's alone, and its definitions are told by its
    overlays.
    """
    if history.environment is not None:
        return {}
    older = history.record or history.base
    now, before = git.files(head), git.files(older.commit) if older is not None else {}
    differing = [path for path in now.keys() | before.keys() if now.get(path) != before.get(path)]
    differing = [path for path in differing if is_definition_file(path, "")]
    outside = [path for path in differing if not is_definition_file(path, below)]
    gone = [path for path in differing if path not in now and path not in outside]
    if not outside:
        return {}
    inside = [path for path in now if is_definition_file(path, below)]
    texts = git.blobs(
        files[path].name for path in {*inside, *outside, *gone} for files in (now, before) if path in files
    )

    def ids(path: str, files: Mapping[str, Blob]) -> set[bytes]:
        return set(ID.findall(texts.get(files[path].name, b""))) if path in files else set()

    # An id that has moved into this folder is looked at here; one that has left it waits there.
    ours = {found for path in inside for found in ids(path, now)}
    left = {found for path in outside for found in ids(path, now)}
    kept = [path for path in outside if (found := ids(path, now) | ids(path, before)) and not found & ours]
    kept += [path for path in gone if ids(path, before) & left - ours]
    return {path: before.get(path) for path in sorted(kept)}


def _older(now: Kept | None, before: Kept | None) -> dict[str, Blob | None]:
    """Return what stands at a file's path in place of HEAD's: the older file, or none."""
    if now is not None and before is not None and now.blob == before.blob:
        return {}
    if now is not None:
        return {now.path: before.blob if before else None}
    return {before.path: before.blob} if before else {}


def _wrote(run: Run) -> bool:
    return any(result.outcome is Outcome.APPLIED for result in run.results)


def _unclear(run: Run, previous: Record | None) -> tuple[Unclear, ...]:
    """Return the writes that are not clear: this run's, and what it did not settle of older ones."""
    by_id = {name: result for result in run.results for name in _ids(result)}
    found: dict[str, Unclear] = {}
    for entry in previous.unclear if previous else ():
        result = by_id.get(entry.id)
        if result is None:
            found[entry.id] = entry
        elif fields := _left(entry, result):
            found[entry.id] = Unclear(entry.id, result.definition.file, fields, entry.heads)
    for result in run.results:
        if result.outcome is Outcome.INDETERMINATE and result.plan is not None:
            name = _ids(result)[-1]
            older = found.get(name, Unclear(name, result.definition.file, ()))
            sent = {to_pointer(path) for path in [*(path for path, _ in result.plan.replaced), *result.plan.resent]}
            found[name] = Unclear(name, older.file, tuple(sorted({*older.fields, *sent})), _with(older.heads, run.head))
    return tuple(found[name] for name in sorted(found))


def _with(heads: tuple[str, ...], head: str | None) -> tuple[str, ...]:
    """Return the heads with a new one as the last; only so many are kept, since each is read by the next run."""
    older = (known for known in heads if known != head)
    return (*older, *([head] if head is not None else []))[-MOST_HEADS:]


def _ids(result: Result) -> list[str]:
    """Return the ids that an assistant is known by: the definition's, then the one that GET gives."""
    found = [result.definition.id, result.live["id"] if result.live else None]
    return [str(name) for name in found if name is not None]


def _left(entry: Unclear, result: Result) -> tuple[str, ...]:
    """Return the unclear fields that a run did not settle: still declared, and not in what it sent with success."""
    if (
        (result.outcome is None or not result.outcome.settled)
        or result.plan is None
        or not isinstance(result.definition, Definition)
    ):
        return entry.fields
    declared, sent = result.definition.declared, result.plan.patch or {}
    paths = ((field, parse_pointer(field)) for field in entry.fields)
    return tuple(field for field, path in paths if path[0] not in sent and value_at(declared, path) is not MISSING)


def without_definition(git: Git, record: Record, folder: Path, environment: str | None) -> tuple[Unclear, ...]:
    """Return the unclear writes of a record that no apply of `HEAD` sends again, since it defines no such assistant."""
    if not record.unclear or git.resolve("HEAD") is None:
        return ()
    held = read_base(git, "HEAD", folder_in_git(folder, git.root), (), environment).by_id.values()
    known = {name for found in held for name in (found.id, found.file)}
    return tuple(entry for entry in record.unclear if not {entry.id, entry.file} & known)


def _message(run: Run) -> str:
    """Return the totals as a subject, then what became of each assistant that is not unchanged."""
    outcomes = [result.outcome for result in run.results]
    totals = [f"{outcomes.count(outcome)} {outcome.replace('_', ' ')}" for outcome in SHOWN if outcome in outcomes]
    unchanged = f"{outcomes.count(Outcome.UNCHANGED)} unchanged"
    lines = [
        f"{result.outcome}: {result.definition.file} ({result.definition.id})"
        for result in run.results
        if result.outcome in SHOWN
    ]
    body = "\n\n" + "\n".join(_one_line(line) for line in lines) if lines else ""
    return f"Apply: {', '.join([*totals, unchanged])}{body}"


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)
