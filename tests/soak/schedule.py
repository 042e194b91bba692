"""One schedule: a repository and its assistants, edits, faults, and the runs that must leave nothing behind."""

import collections
import dataclasses
import json
import random
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, cast

from reconciler.sandbox.settings import Settings
from soak.checks import Checks, Snapshot, take_snapshot
from soak.faults import Rules, make_rules
from soak.fleet import UNDECLARED, Leaves, build_tree, declare_some, edit_some, live
from soak.proxy import Proxy, running_proxy
from soak.stage import Api, Repository, local_id, running_api

ASSISTANTS = 40
RESUMED = 0.4  # so many of the schedules with an unclear write try --resume before anything else
FORCE = ("--on-drift", "revert", "--force-conflicts")


@dataclasses.dataclass(frozen=True, slots=True)
class ScheduleResult:
    """What came of a schedule: `wrong` is empty, or says what was lost, changed or told wrongly."""

    seed: int
    rules: tuple[str, ...]
    nested: str
    wrong: tuple[str, ...]
    runs: int
    requests: int
    hits: int
    outcomes: Mapping[str, int]


def run_schedule(seed: int, assistants: int = ASSISTANTS) -> ScheduleResult:
    """Carry out the schedule of a seed, on its own repository and its own sandbox."""
    chance = random.Random(seed)
    nested = cast("Literal['merge', 'replace']", chance.choice(["merge", "replace"]))
    ids = {f"a{number:02}": f"asst_{number:02}" for number in range(assistants)}
    leaves = {key: live(chance) for key in ids}
    seeded = {ids[key]: build_tree(fields, UNDECLARED) for key, fields in leaves.items()}
    with (
        tempfile.TemporaryDirectory(prefix="reconciler-soak-") as folder,
        running_api(seeded, Settings(nested=nested)) as api,
    ):
        schedule = _Schedule(chance, api, Repository(Path(folder) / "repository", api.url), ids, leaves)
        try:
            schedule.carry_out(seed)
        except AssertionError as error:
            schedule.wrong.append(str(error))
        return ScheduleResult(
            seed,
            schedule.rules.in_words,
            nested,
            tuple(schedule.wrong),
            schedule.runs,
            schedule.requests,
            schedule.hits,
            dict(schedule.outcomes),
        )


class _Schedule:
    """The story of one schedule, with what it has found so far."""

    def __init__(
        self,
        chance: random.Random,
        api: Api,
        repository: Repository,
        ids: Mapping[str, str],
        leaves: Mapping[str, Leaves],
    ) -> None:
        self._chance = chance
        self._api = api
        self._repository = repository
        self._ids = ids
        # A definition may name its assistant by either of its ids.
        self._named = {key: local_id(id_) if chance.random() < 0.2 else id_ for key, id_ in ids.items()}
        self.rules: Rules = make_rules(chance, sorted(self._named.values()))
        self._retries = chance.choice("0012")
        self._failing = False
        self._proxy: Proxy | None = None
        self._definitions = {key: declare_some(chance, fields) for key, fields in leaves.items()}
        self._ever = {key: set(fields) for key, fields in self._definitions.items()}
        self._first = take_snapshot(api, ids)
        self._recorded = False
        self._not_converged: set[str] = set()
        self.wrong: list[str] = []
        self.runs = self.requests = self.hits = 0
        self.outcomes: collections.Counter[str] = collections.Counter()

    def carry_out(self, seed: int) -> None:
        """Edit and apply while things fail, then apply without faults, and look what is left."""
        if not self.rules.losing:
            self._carry_out()
            return
        with running_proxy(self._api.url, seed) as proxy:
            self._repository.go_through(proxy.url)
            self._proxy = proxy
            self._carry_out()

    def _carry_out(self) -> None:
        self._commit()
        if self._chance.random() < 0.8:
            self._apply("the first run of all", clean=True)
        report: dict[str, Any] = {}
        self._failing = True
        self._api.rehearse(self.rules.texts, self._chance.randint(0, 10**6), renewing=self.rules.renewing)
        if self._proxy is not None:
            self._proxy.losing = self.rules.losing
        for number in range(self._chance.choice([1, 1, 2])):
            if number == 0 or self._chance.random() < 0.5:
                self._edit()
            report = self._apply(f"run {number + 1} with faults")
            self._mend(report)
        self.hits = sum(self._api.hits())
        if self._proxy is not None:
            self.hits += self._proxy.lost
            self._proxy.losing = 0
        self._failing = False
        self._api.rehearse((), 0)
        if self._chance.random() < RESUMED and "indeterminate" in _outcomes(report):
            self._resume(report)
        calm = not (self.rules.edits or self.rules.normalising or self._not_converged)
        report = self._apply("the clean run", clean=calm)
        self._note("the clean run", self._checks().check_told(report, self._definitions, self._now()))
        if not calm:
            self._apply("the clean run by force", *FORCE, clean=True)
        self._note("the end", self._checks().check_settled(self._definitions, self._now()))
        self._note("the end", (f"the record says {line}" for line in self._trailers()))

    def _edit(self) -> None:
        self._definitions = {
            key: edit_some(self._chance, fields) if self._chance.random() < 0.6 else fields
            for key, fields in self._definitions.items()
        }
        for key, fields in self._definitions.items():
            self._ever[key] |= fields.keys()
        self._commit()

    def _commit(self) -> None:
        self._repository.commit(
            {key: {"id": self._named[key], **build_tree(fields)} for key, fields in self._definitions.items()}
        )

    def _apply(self, name: str, *options: str, clean: bool = False) -> dict[str, Any]:
        """Apply, and check what the report says of it; a `clean` run meets nothing, and settles everything."""
        before = self._now()
        base = () if self._recorded else ("--base", "none")
        patience = ("--timeout", "1", "--retries", self._retries) if self._failing else ()
        code, report = self._repository.apply(*patience, *base, *options)
        self._recorded = True
        if self._proxy is not None:
            self._proxy.calm()
        self._api.calm()
        after = self._now()
        outcomes = _outcomes(report)
        self.runs += 1
        self.requests += sum(report["api_calls"].values())
        self.outcomes.update(outcomes)
        self._not_converged |= {entry["key"] for entry in report["assistants"] if entry["outcome"] == "not_converged"}
        about = {entry["key"]: self._definitions[entry["key"]] for entry in report["assistants"]}
        self._note(name, self._checks().check_report(report, about, before, after))
        self._note(name, self._undeclared(report, after))
        settled = outcomes.keys() <= {"applied", "unchanged"}
        if code != int(not settled) or (clean and not settled):
            self._note(name, [f"exit code {code} with {dict(outcomes)}: {_first_error(report)}"])
        return report

    def _undeclared(self, report: Mapping[str, Any], now: Snapshot) -> Iterable[str]:
        """Check all but the one assistant that an API which drops what it does not know may hurt, and which is told."""
        hurt = [entry["key"] for entry in report["assistants"] if _was_hurt(entry)] if self.rules.dropping else []
        if len(hurt) > 1:
            yield f"{hurt} were hurt"
        yield from self._checks().check_undeclared(
            self._first, {key: fields for key, fields in now.items() if key not in hurt}
        )

    def _mend(self, report: Mapping[str, Any]) -> None:
        """Put back by hand, from the report, what an API has dropped."""
        for entry in report["assistants"]:
            if self.rules.dropping and _was_hurt(entry):
                for field in entry["patch"].keys() & {path.split("/")[1] for path in entry["remaining"]}:
                    self._api.put_back(self._ids[entry["key"]], field, entry["patch"][field])
                self._note("putting back", self._checks().check_undeclared(self._first, self._now()))

    def _resume(self, report: Mapping[str, Any]) -> None:
        file = self._repository.root.parent / "report.json"
        file.write_text(json.dumps(report), "utf-8")
        again = self._apply("--resume", "--resume", str(file))
        strange = _outcomes(again).keys() - {"applied"}
        if strange and not self.rules.edits and not self.rules.normalising:
            self._note("--resume", [f"{dict(_outcomes(again))}: {_first_error(again)}"])

    def _checks(self) -> Checks:
        by_others: dict[str, set[tuple[str, ...]]] = {key: set() for key in self._ids}
        keys = {name: key for key, name in self._named.items()}
        for edit in self.rules.edits:
            by_others[keys[edit.id]].add(edit.path)
        return Checks(
            self.rules,
            {key: frozenset(fields) for key, fields in self._ever.items()},
            {key: frozenset(fields) for key, fields in by_others.items()},
            frozenset(self._not_converged),
        )

    def _now(self) -> Snapshot:
        return take_snapshot(self._api, self._ids)

    def _note(self, name: str, problems: Iterable[str]) -> None:
        self.wrong += (f"{name}: {problem}" for problem in problems)

    def _trailers(self) -> Iterator[str]:
        """Yield what the record calls unclear of what is declared: what no definition has any more, nothing sends."""
        form = "--format=%(trailers:key=Reconciler-Indeterminate,valueonly)"
        for line in self._repository.git("log", "-1", form, "refs/reconciler/applied").splitlines():
            unclear = json.loads(line or '{"file": "", "fields": []}')
            declared = self._definitions.get(Path(unclear["file"]).stem, {})
            paths = [tuple(field.split("/")[1:]) for field in unclear["fields"]]
            if any(leaf[: len(path)] == path[: len(leaf)] for path in paths for leaf in declared):
                yield line


def _outcomes(report: Mapping[str, Any]) -> collections.Counter[str]:
    return collections.Counter(entry["outcome"] for entry in report["assistants"])


def _was_hurt(entry: Mapping[str, Any]) -> bool:
    return entry["outcome"] == "not_converged" and entry["error"] is not None


def _first_error(report: Mapping[str, Any]) -> str:
    errors = (entry["error"]["message"] for entry in report["assistants"] if entry["error"])
    return next(errors, "no error")
