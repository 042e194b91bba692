"""Record what an apply brought live, so that the next plan knows who moved since (contract, `--record`)."""

from collections.abc import Mapping
from pathlib import Path

from reconciler.adapters.base import BaseDefinitions, is_definition_file, read_base
from reconciler.adapters.folders import shown_path
from reconciler.adapters.git import Blob, Git
from reconciler.adapters.record import Record, Unclear, write_record
from reconciler.core.definition import Definition
from reconciler.core.paths import to_pointer
from reconciler.core.run import Outcome, Result, Run
from reconciler.errors import RepositoryError
from reconciler.reconcile.base import APPLIED_REF, OFF, History

SETTLED: frozenset[Outcome | None] = frozenset({"applied", "unchanged"})
SHOWN: tuple[Outcome, ...] = ("applied", "failed", "refused", "indeterminate", "not_converged", "skipped")


def check_order(history: History) -> None:
    """Refuse a HEAD that does not descend from what was applied last: a late run must not undo a newer one."""
    git, head, record = history.git, history.head, history.record
    if git is None or head is None or record is None or git.is_ancestor(record.applied, head):
        return
    hint = "apply the newest commit, or give --allow-older to go back on purpose"
    if git.is_shallow():
        hint = "this clone is shallow: fetch its history (fetch-depth: 0 in CI), or give --allow-older"
    raise RepositoryError(
        f"HEAD {head[:12]} does not descend from {record.applied[:12]}, which was applied last", hint=hint
    )


def check_recordable(history: History, folder: Path, asked_base: str | None) -> None:
    """Refuse to record what git does not hold, or a first record that nobody announced. Raises RepositoryError."""
    git = history.git
    if git is None or history.head is None:
        raise RepositoryError("--record needs a git repository with a commit", hint="commit the definitions first")
    below = shown_path(folder, git.root)
    differing = [path for path in git.changed_paths("HEAD", below) if is_definition_file(path, below)]
    differing += [path for path in git.untracked_paths(below) if is_definition_file(path, below)]
    if differing:
        raise RepositoryError(
            f"--record would say that {differing[0]} is applied as HEAD has it, and it differs from HEAD",
            hint="commit the definitions, or apply without --record",
        )
    if history.record is None and asked_base != OFF:
        raise RepositoryError(
            f"there is no record {APPLIED_REF} here",
            hint=f"fetch it (git fetch origin {APPLIED_REF}:{APPLIED_REF}), or give --base none for the first run",
        )


def record(run: Run, history: History, folder: Path) -> str | None:
    """Add what an apply did to the record and return the commit; None where the record says it already.

    HEAD's tree, in which each definition that is not applied or unchanged keeps the file of the record
    before, or of the base.
    """
    git, head, previous = history.git, history.head, history.record
    if git is None or head is None:
        return None
    below = shown_path(folder, git.root)
    current = [result.definition for result in run.results if isinstance(result.definition, Definition)]
    before = BaseDefinitions({})
    older = previous.commit if previous else (history.base.commit if history.base else None)
    if older is not None:
        before = read_base(git, older, below, current)
    settled = {result.definition.file for result in run.results if result.outcome in SETTLED}
    replaced = _replaced(git, head, below, before, settled)
    unclear = _unclear(run, previous)
    if previous and previous.applied == head and previous.unclear == unclear:
        tree = git.files(previous.commit)
        if all(tree.get(path) == blob for path, blob in {**git.files(head), **replaced}.items()):
            return None
    return write_record(
        git,
        APPLIED_REF,
        head=head,
        previous=previous.commit if previous else None,
        replaced=replaced,
        message=_message(run),
        unclear=unclear,
    )


def _replaced(git: Git, head: str, below: str, before: BaseDefinitions, settled: set[str]) -> Mapping[str, Blob | None]:
    """Return the paths whose definitions are not live as HEAD has them, with what stands there instead."""
    files = {path: blob for path, blob in git.files(head, below).items() if is_definition_file(path, below)}
    now = {definition.file: definition for definition in read_base(git, head, below, ()).by_id.values()}
    by_file = {definition.file: definition for definition in before.by_id.values()}
    replaced: dict[str, Blob | None] = {}
    for path, blob in files.items():
        if path in settled:
            continue
        old = before.find(now[path].id) if path in now else by_file.get(path)
        if old is None or old.blob != blob:
            replaced[path] = old.blob if old else None
    return replaced


def _unclear(run: Run, previous: Record | None) -> tuple[Unclear, ...]:
    """Return the writes that are not clear: this run's, and older ones that it did not settle."""
    outcomes = {result.definition.id: result.outcome for result in run.results}
    found = {entry.id: entry for entry in (previous.unclear if previous else ()) if outcomes.get(entry.id) != "applied"}
    for result in run.results:
        if result.outcome == "indeterminate" and result.definition.id is not None:
            found[result.definition.id] = _entry(result, result.definition.id)
    return tuple(found[name] for name in sorted(found))


def _entry(result: Result, assistant_id: str) -> Unclear:
    sent = sorted({path for path, _ in result.plan.replaced} | result.plan.resent) if result.plan else ()
    return Unclear(assistant_id, result.definition.file, tuple(map(to_pointer, sent)))


def _message(run: Run) -> str:
    """Return the totals as a subject, then what became of each assistant that is not unchanged."""
    outcomes = [result.outcome for result in run.results]
    totals = [f"{outcomes.count(outcome)} {outcome.replace('_', ' ')}" for outcome in SHOWN if outcome in outcomes]
    unchanged = f"{outcomes.count('unchanged')} unchanged"
    lines = [
        f"{result.outcome}: {result.definition.file} ({result.definition.id})"
        for result in run.results
        if result.outcome in SHOWN
    ]
    body = "\n\n" + "\n".join(_one_line(line) for line in lines) if lines else ""
    return f"Apply: {', '.join([*totals, unchanged])}{body}"


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)
