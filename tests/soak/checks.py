"""What must hold after every run, said field by field. Each check yields what it finds wrong, in words."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from soak.faults import Rules
from soak.fleet import Leaves, Path, build_tree, flatten
from soak.stage import Api

UNTOUCHED = frozenset({"unchanged", "failed", "refused", "skipped"})


@dataclasses.dataclass(frozen=True, slots=True)
class Copies:
    """What the two stores hold of an assistant."""

    provider: Leaves
    database: Leaves

    def __iter__(self) -> Iterator[Leaves]:
        return iter((self.provider, self.database))

    def named(self) -> Iterator[tuple[str, Leaves]]:
        """Yield each copy with the words for it."""
        yield "the API", self.database
        yield "the provider", self.provider


Snapshot = Mapping[str, Copies]


def take_snapshot(api: Api, ids: Mapping[str, str]) -> Snapshot:
    """Return what both stores hold of every assistant, by its key."""
    return {key: Copies(api.provider(id_), api.database(id_)) for key, id_ in ids.items()}


@dataclasses.dataclass(frozen=True, slots=True)
class Checks:
    """What the checks of one schedule know.

    Its rules; by assistant, what any of its definitions ever declared, and what others edit; and the assistants
    that an earlier run has written without seeing what it sent.
    """

    rules: Rules
    ever_declared: Mapping[str, frozenset[Path]]
    by_others: Mapping[str, frozenset[Path]]
    not_converged: frozenset[str] = frozenset()

    def check_undeclared(self, first: Snapshot, now: Snapshot) -> Iterator[str]:
        """Check that nothing but what was declared once, or somebody else has edited, has changed since the start."""
        for key, copies in now.items():
            free = self.ever_declared[key] | self.by_others[key]
            for before, after in zip(first[key], copies, strict=True):
                for path in sorted(_find_differences(before, after)):
                    if not any(path[: len(one)] == one for one in free):
                        yield f"{key}: undeclared {path} was {before.get(path)!r} and is {after.get(path)!r}"

    def check_report(
        self, report: Mapping[str, Any], definitions: Mapping[str, Leaves], before: Snapshot, after: Snapshot
    ) -> Iterator[str]:
        """Check that what the report says of each assistant is true."""
        for entry in report["assistants"]:
            key = entry["key"]
            check = {
                "applied": self._in_place,
                "unchanged": self._in_place,
                "not_converged": self._not_converged,
                "indeterminate": self._indeterminate,
            }.get(entry["outcome"], self._nothing)
            problems = [*check(entry, definitions[key], before[key], after[key])]
            if entry["outcome"] in UNTOUCHED:
                problems += self._untouched(key, before[key], after[key])
            yield from (f"{key} is {entry['outcome']}: {problem} ({entry['error']})" for problem in problems)

    def _nothing(self, entry: Mapping[str, Any], wanted: Leaves, before: Copies, after: Copies) -> Iterator[str]:
        if entry["outcome"] not in UNTOUCHED:
            yield "what is that?"

    def _untouched(self, key: str, before: Copies, after: Copies) -> Iterator[str]:
        for old, new in zip(before, after, strict=True):
            yield from (f"{path} has changed" for path in sorted(_find_differences(old, new) - self.by_others[key]))

    def _in_place(self, entry: Mapping[str, Any], wanted: Leaves, before: Copies, after: Copies) -> Iterator[str]:
        told_paths = {_path(change["path"]) for change in entry["changes"] if change["kind"] != "change"}
        for name, held in after.named():
            missing = _find_missing(wanted, held) - self.by_others[entry["key"]] - told_paths
            yield from (f"{name} holds {held.get(path)!r} at {path}" for path in sorted(missing))

    def _not_converged(self, entry: Mapping[str, Any], wanted: Leaves, before: Copies, after: Copies) -> Iterator[str]:
        missing, others = _find_missing(wanted, after.database), self.by_others[entry["key"]]
        told_paths = {_path(path) for path in entry["remaining"]}
        if not missing <= told_paths | others:
            yield f"{missing - told_paths} is not told"
        # Where reading lags, another writer's value may be all that was to be seen.
        unseen = told_paths & others if self.rules.lagging else set()
        if not self.rules.dropping and not unseen and not missing & (self.rules.normalised | others):
            yield "there is no reason for that"

    def _indeterminate(self, entry: Mapping[str, Any], wanted: Leaves, before: Copies, after: Copies) -> Iterator[str]:
        excused = self.by_others[entry["key"]] | self.rules.normalised
        for old, new in zip(before, after, strict=True):
            strange = {path for path in _find_missing(wanted, new) - excused if new.get(path) != old.get(path)}
            yield from (f"{path} is {new.get(path)!r}" for path in sorted(strange))

    def check_settled(self, definitions: Mapping[str, Leaves], now: Snapshot) -> Iterator[str]:
        """Check that both stores hold everything that is declared."""
        for key, wanted in definitions.items():
            for name, held in now[key].named():
                for path in sorted(_find_missing(wanted, held)):
                    yield f"{key}: {name} holds {held.get(path)!r} at {path}, and {wanted[path]!r} is declared"

    def check_told(self, report: Mapping[str, Any], definitions: Mapping[str, Leaves], now: Snapshot) -> Iterator[str]:
        """Check that a clean run has left only what another writer or the API itself has changed, and tells of it.

        An assistant that is refused because of one such field is left as it is, and the report shows all that
        differs.
        """
        for entry in report["assistants"]:
            key, missing = entry["key"], _find_missing(definitions[entry["key"]], now[entry["key"]].database)
            told_kinds = {_path(change["path"]): change["kind"] for change in entry["changes"]}
            yield from (f"{key}: {path} differs, and nobody tells" for path in sorted(missing - told_kinds.keys()))
            excused = self.by_others[key] | self.rules.normalised
            moved = {path for path, kind in told_kinds.items() if kind != "change"}
            if entry["outcome"] == "refused" and (moved & excused or key in self.not_converged):
                continue
            became = f"{entry['outcome']}, {entry['error']}"
            yield from (f"{key} is {became}: {path} is lost" for path in sorted(missing - (moved & excused)))


def _path(pointer: str) -> Path:
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def _find_differences(first: Leaves, second: Leaves) -> set[Path]:
    return {path for path in first.keys() | second.keys() if first.get(path) != second.get(path)}


def _find_missing(wanted: Leaves, held: Leaves) -> set[Path]:
    """Return the declared fields that a store does not hold; a declared null is held where there is nothing."""
    declared = flatten(build_tree(wanted))
    return {path for path in wanted if declared.get(path) != held.get(path)}
