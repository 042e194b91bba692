"""Anything that people do, in any order: edit YAML, commit, edit live, plan, apply, roll back.

What must hold is worked out here once more, by other means than the reconciler's own.
"""

import copy
import itertools
import tempfile
from pathlib import Path
from typing import Any, cast

from depth import examples
from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from json_reports import Document
from reference_rules import (
    MISSING,
    Fields,
    base_value_at,
    cannot_be_undone,
    change_kind,
    drop_id,
    keep_elements,
    merge_fields,
    normalise,
    sent_changes,
    set_values,
    shows,
)
from servers import Sandbox, running_sandbox
from stories import Nested, Story
from trees import value_at

BOUNDED = settings(
    max_examples=examples(20),
    stateful_step_count=10,
    print_blob=True,
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
NAMES = ("x", "y")
UNDECLARED: Fields = {"tools": [{"kind": "transfer"}], "analysisPlan": {"on": True}}
LIVE: Fields = {
    "name": "A",
    "firstMessage": "a",
    "model": {"provider": "openai", "model": "gpt-4o", "temperature": 0.5, "messages": [{"role": "system"}]},
    "voice": {"provider": "azure", "voiceId": "x", "speed": 1},
    "metadata": {"own": 1, "key": "a"},
    "endCallPhrases": ["bye", "so long"],
    **UNDECLARED,
}
DEFINED: Fields = {
    "name": "A",
    "firstMessage": "a",
    "endCallMessage": None,
    "endCallPhrases": ["so long", "bye"],
    "model": {"temperature": 0.5},
    "voice": {"voiceId": "x"},
    "metadata": {"key": "a", "two": None},
}

texts = st.sampled_from(["a", "b", "line\nline "])
phrases = st.none() | st.lists(st.sampled_from(["bye", "so long"]), max_size=3)
anything = st.sampled_from(
    [
        "a",
        "b",
        None,
        1,
        True,
        [],
        ["a", 1],
        [{"p": 1}],
        [{"p": 1, "r": 1}],
        [{"p": 1}, {"p": 2}],
        {"p": 1},
        {"q": ["z"]},
    ]
)
values: dict[str, st.SearchStrategy[Any]] = {
    "name": st.sampled_from(["A", "B"]),
    "firstMessage": st.none() | texts,
    "endCallMessage": st.none() | texts,
    "endCallPhrases": phrases,
    "maxDurationSeconds": st.none() | st.sampled_from([60, 90]),
    "model": st.fixed_dictionaries({}, optional={"temperature": st.sampled_from([0.5, 1, 1.5])}),
    "voice": st.fixed_dictionaries({}, optional={"voiceId": st.sampled_from(["x", "z"])}),
    "metadata": st.none() | st.dictionaries(st.sampled_from(["key", "two"]), anything, max_size=2),
}
declared = st.fixed_dictionaries({}, optional=values) | st.fixed_dictionaries(values)
inside_one_object = st.tuples(
    st.fixed_dictionaries({"metadata": st.fixed_dictionaries({"two": anything})}),
    st.fixed_dictionaries({"metadata": st.fixed_dictionaries({"key": anything})}),
)
# What git and live make of the same few fields.
two_edits = inside_one_object | st.sets(st.sampled_from(sorted(values)), min_size=1, max_size=3).flatmap(
    lambda fields: st.tuples(*[st.fixed_dictionaries({field: values[field] for field in sorted(fields)})] * 2)
)
undeclared = st.sampled_from(
    [
        ("tools", None),
        ("tools", [{"kind": "other"}]),
        ("analysisPlan", {"on": False, "more": [1]}),
        ("model", {"messages": [{"role": "user"}]}),
        ("model", {"seed": 7}),
        ("voice", {"speed": 2}),
        ("metadata", {"own": 2}),
        ("metadata", {"other": {"deep": [None, 1]}}),
    ]
)
policies = st.tuples(
    st.sampled_from([[], ["--on-drift", "keep"], ["--on-drift", "revert"]]),
    st.sampled_from([[], ["--force-conflicts"]]),
).map(lambda chosen: [*chosen[0], *chosen[1]])
FORCED = ["--on-drift", "revert", "--force-conflicts"]


class Stories(RuleBasedStateMachine):
    """Two assistants, their definitions, and whoever edits either."""

    def __init__(self, sandbox: Sandbox, number: int, root: Path) -> None:
        super().__init__()
        self.sandbox = sandbox
        self.ids = {name: f"asst_{number}{name}" for name in NAMES}
        self.story = Story(root, sandbox)
        self.definitions: dict[str, Fields] = {}
        self.base: dict[str, Fields] | None = None  # what is recorded, as we know it
        self.committed = False
        self.reviewed: tuple[list[str], Document] | None = None
        self.undoable: tuple[Document, dict[str, Fields]] | None = None
        for identifier in self.ids.values():
            sandbox.put({"id": identifier, **copy.deepcopy(LIVE)})
        for name in NAMES:
            self.define(name, {"firstMessage": "a"})

    # --- what people do

    @initialize(second=declared, recorded=st.sampled_from([True, True, False]))
    def begin(self, second: Fields, recorded: bool) -> None:
        self.define("x", DEFINED)
        self.define("y", second)
        if recorded:
            self.commit()
            self.apply([], record=True)

    @rule(name=st.sampled_from(NAMES), fields=declared)
    def define(self, name: str, fields: Fields) -> None:
        self.definitions[name] = fields
        for file in (self.story.root / "assistants").rglob(f"{name}.yaml"):
            file.unlink()
        self.story.write(name, id=self.ids[name], **fields)
        self.committed = False

    @precondition(lambda self: "y" in self.definitions)
    @rule()
    def delete(self) -> None:
        del self.definitions["y"]
        (self.story.root / "assistants/y.yaml").unlink()
        self.committed = False

    @rule(folder=st.sampled_from(["", "moved/"]))
    def move(self, folder: str) -> None:
        (found,) = (self.story.root / "assistants").rglob("x.yaml")
        place = self.story.root / "assistants" / folder / "x.yaml"
        place.parent.mkdir(exist_ok=True)
        found.rename(place)
        self.committed = False

    @rule()
    def commit(self) -> None:
        self.story.commit("Change", allow_empty=True)
        self.committed = True

    @rule(name=st.sampled_from(NAMES), fields=declared)
    def edit_declared(self, name: str, fields: Fields) -> None:
        self.edit(name, fields)

    @rule(name=st.sampled_from(NAMES), field=undeclared)
    def edit_undeclared(self, name: str, field: tuple[str, Any]) -> None:
        self.edit(name, dict([field]))

    @rule(edits=two_edits, policy=policies, record=st.booleans())
    def both_move(self, edits: tuple[Fields, Fields], policy: list[str], record: bool) -> None:
        """Git and live move, and then somebody applies."""
        mine, theirs = edits
        self.define("x", merge_fields(self.definitions["x"], mine))
        self.commit()
        self.edit("x", theirs)
        self.apply(policy, record=record)

    @rule(edits=two_edits, policy=policies, record=st.booleans())
    def one_moves_after_the_other(self, edits: tuple[Fields, Fields], policy: list[str], record: bool) -> None:
        """All is well and recorded, then live moves, then git, and then somebody applies."""
        mine, theirs = edits
        self.commit()
        self.force(record=True)
        self.both_move((mine, theirs), policy, record=record)

    @rule(edits=two_edits, policy=policies, git=st.booleans())
    def somebody_moves_after_the_review(self, edits: tuple[Fields, Fields], policy: list[str], git: bool) -> None:
        mine, theirs = edits
        self.define("x", merge_fields(self.definitions["x"], mine))
        self.plan(policy, with_base=True)
        if git:
            self.define("x", merge_fields(self.definitions["x"], theirs))
        else:
            self.edit("x", theirs)
        self.apply_what_was_reviewed()

    @precondition(lambda self: self.undoable is not None)
    @rule(edits=two_edits)
    def live_moves_before_the_rollback(self, edits: tuple[Fields, Fields]) -> None:
        self.edit("x", edits[0])
        self.rollback()

    def edit(self, name: str, fields: Fields) -> None:
        after = merge_fields(self.sandbox.live(self.ids[name]), fields)
        self.sandbox.edit(self.ids[name], **{key: after[key] for key in fields})

    # --- what they run

    @rule(policy=policies, with_base=st.booleans())
    def plan(self, policy: list[str], with_base: bool) -> None:
        options = policy if with_base else [*policy, "--base", "none"]
        before = self.live()
        document = self.story.plan(*options)
        self.check_kinds(document, self.base if with_base else None)
        assert self.live() == before
        self.reviewed = (options, document)

    @rule(policy=policies)
    def apply_without_record(self, policy: list[str]) -> None:
        self.apply(policy, record=False)

    @precondition(lambda self: self.committed)
    @rule(policy=policies)
    def apply_and_record(self, policy: list[str]) -> None:
        self.apply(policy, record=True)

    @rule(record=st.booleans())
    def force(self, record: bool) -> None:
        document = self.apply(FORCED, record=record and self.committed)
        assert {entry["outcome"] for entry in document["assistants"]} <= {"applied", "unchanged"}
        assert all(not entry["changes"] for entry in self.story.plan(*FORCED)["assistants"])
        assert all(not entry["changes"] for entry in self.story.plan()["assistants"])

    @precondition(lambda self: self.reviewed is not None)
    @rule()
    def apply_what_was_reviewed(self) -> None:
        assert self.reviewed is not None
        options, reviewed = self.reviewed
        removed = [
            entry for entry in reviewed["assistants"] if entry["digest"] and entry["key"][-1] not in self.definitions
        ]
        before = self.live()
        self.sandbox.forget_requests()
        file = self.story.save_report(reviewed, "plan.json")
        if removed:
            assert self.story.run("apply", "--yes", "--no-record", "--plan", file, *options).code == 1
            assert self.sandbox.patches == []
            return
        document = self.story.apply("--no-record", "--plan", file, *options)
        patches = {entry["id"]: entry["patch"] for entry in reviewed["assistants"] if entry["patch"] is not None}
        assert all(patches[name] == body for name, body in self.sent().items())
        for entry in document["assistants"]:
            assert entry["outcome"] in ("applied", "unchanged", "refused")
        self.check_effects(document, before)

    @precondition(lambda self: self.undoable is not None)
    @rule()
    def rollback(self) -> None:
        assert self.undoable is not None
        report, then = self.undoable
        before = self.live()
        self.sandbox.forget_requests()
        document = self.story.rollback(report)
        written = {entry["id"]: entry for entry in report["assistants"] if entry["outcome"] == "applied"}
        now = self.live()
        for entry in document["assistants"]:
            identifier = str(entry["id"])
            old = list(sent_changes(written[identifier], report))
            if before[identifier] == then[identifier]:  # nobody has touched it since
                assert (entry["outcome"] == "refused") == any(map(cannot_be_undone, old)), entry["error"]
            if entry["outcome"] in ("applied", "unchanged"):
                assert now[identifier] == set_values(before[identifier], [(p, c.get("live")) for p, c in old])
            else:
                assert entry["outcome"] == "refused"
                assert now[identifier] == before[identifier]
        untouched = self.live().keys() - written.keys()
        assert all(now[identifier] == before[identifier] for identifier in untouched)
        self.undoable = (document, now) if self.sandbox.patches else None

    def apply(self, policy: list[str], *, record: bool) -> Document:
        options = list(policy)
        if record:
            options += ["--base", "none"] * (self.base is None)
        planned = self.story.plan(*options)
        self.check_kinds(planned, self.base)
        before = self.live()
        self.sandbox.forget_requests()
        document = self.story.apply(*options, "--record" if record else "--no-record")
        self.check_kinds(document, self.base)
        assert self.sent() == {
            entry["id"]: entry["patch"] for entry in planned["assistants"] if entry["patch"] is not None
        }
        for entry, planned_entry in zip(document["assistants"], planned["assistants"], strict=True):
            assert (entry["changes"], entry["patch"]) == (planned_entry["changes"], planned_entry["patch"])
        self.check_effects(document, before)
        if record:
            known = self.base or {}
            ends = {entry["key"][-1]: entry["outcome"] for entry in document["assistants"]}
            self.base = {
                name: fields if ends[name] in ("applied", "unchanged") else known[name]
                for name, fields in self.definitions.items()
                if ends[name] in ("applied", "unchanged") or name in known
            }
        if self.sandbox.patches:
            self.undoable = (document, self.live())
        return document

    # --- what must hold

    def check_kinds(self, document: Document, base: dict[str, Fields] | None) -> None:
        """Each difference is told once, and comes from where our own books say."""
        live = self.live(exact=True)
        for entry in document["assistants"]:
            if entry["outcome"] == "applied":
                continue  # live is no longer what it was compared with
            desired = self.definitions[entry["key"][-1]]
            before = (base or {}).get(entry["key"][-1])
            changes_by_path = {tuple(change["path"][1:].split("/")): change for change in entry["changes"]}
            assert bool(changes_by_path) == (not shows(live[str(entry["id"])], desired))
            for path, change in changes_by_path.items():
                declared_value, live_value = value_at(desired, path), value_at(live[str(entry["id"])], path)
                assert not shows(live_value, declared_value, path)
                assert change["kind"] == change_kind(
                    declared_value, live_value, MISSING if before is None else base_value_at(before, path), path
                )

    def check_effects(self, document: Document, before: dict[str, Fields]) -> None:
        """Live is what it was, but for exactly what the report says was sent."""
        after = self.live()
        untouched = dict(before)
        for entry in document["assistants"]:
            identifier = str(entry["id"])
            del untouched[identifier]
            sent = list(sent_changes(entry, document)) if entry["outcome"] == "applied" else []
            refused = (
                any(change["kind"] == "conflict" for change in entry["changes"])
                and not document["options"]["force_conflicts"]
            )
            assert not (refused and sent)
            desired_values = [(path, keep_elements(change["desired"], change.get("live"))) for path, change in sent]
            assert after[identifier] == set_values(before[identifier], desired_values)
        assert all(after[identifier] == fields for identifier, fields in untouched.items())

    @invariant()
    def both_stores_are_alike(self) -> None:
        for identifier in self.ids.values():
            live, provider = self.sandbox.live(identifier), self.sandbox.provider(identifier)
            assert {**live, "updatedAt": ""} == {**provider, "updatedAt": ""}

    @invariant()
    def the_record_is_what_was_applied(self) -> None:
        if self.base is not None:
            found = {
                path.rpartition("/")[2].removesuffix(".yaml"): fields for path, fields in self.story.tree().items()
            }
            assert {name: drop_id(fields) for name, fields in found.items()} == self.base

    def live(self, *, exact: bool = False) -> dict[str, Fields]:
        found = {name: self.sandbox.live(name) for name in self.ids.values()}
        fields = {
            name: {key: value for key, value in live.items() if key != "updatedAt"} for name, live in found.items()
        }
        return fields if exact else {name: normalise(live) for name, live in fields.items()}

    def sent(self) -> dict[str, Any]:
        """The body of each PATCH, by the assistant; each gets one at most."""
        patches = [(path, body) for method, path, body in self.sandbox.requests if method == "PATCH"]
        bodies = {path.removeprefix("/assistants/"): body for path, body in patches}
        assert len(bodies) == len(patches)
        return bodies


def test_whatever_people_do_in_whatever_order(nested: Nested) -> None:
    numbers = itertools.count()
    with running_sandbox(nested=nested) as sandbox, tempfile.TemporaryDirectory() as folder:

        def begin() -> Stories:
            number = next(numbers)
            place = Path(folder) / str(number)
            place.mkdir()
            return Stories(sandbox, number, place / "repository")

        run_state_machine_as_test(cast("type[Stories]", begin), settings=BOUNDED)
