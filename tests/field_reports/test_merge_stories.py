"""Git and the dashboard edit one text in any order, and commands bring them together: no line is lost unsaid."""

import itertools
import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any, Literal, cast

import yaml
from depth import examples
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from servers import Sandbox, running_sandbox
from stories import Story

Place = Literal["field", "message", "list", "file", "defaults"]

BEGIN = [f"{number}. Be kind." for number in range(6)]
MODEL = {"provider": "openai", "model": "gpt-4o"}
edits = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=2)


class Merges(RuleBasedStateMachine):
    """One text with two sides, at one place of a definition. What a side writes is a line that nobody else writes."""

    def __init__(self, sandbox: Sandbox, number: int, root: Path) -> None:
        super().__init__()
        self.repo = Story(root, sandbox)
        self.id = f"asst_{number}"
        self.fresh = itertools.count()

    @initialize(place=st.sampled_from(["field", "message", "list", "file", "defaults"]), ends=st.booleans())
    def begin(self, place: Place, ends: bool) -> None:
        self.place: Place = place
        self.end = "\n" if ends else ""
        self.repo.project.configure(extra_fields=["/model/messages"])
        self.repo.sandbox.put({"id": self.id, "name": "A", "model": MODEL})
        self.write(BEGIN)
        self.repo.commit()
        self.repo.apply_and_record()
        self.applied = BEGIN

    # --- the text, on both sides

    def fields(self, lines: list[str], text: Any = None) -> dict[str, Any]:
        text = "".join(f"{line}\n" for line in lines).removesuffix("\n") + self.end if text is None else text
        if self.place == "message":
            return {"model": {**MODEL, "messages": [{"role": "system", "content": text}]}}
        return {"metadata": {"texts": [text, "other"]}} if self.place == "list" else {"endCallMessage": text}

    def lines_of(self, fields: dict[str, Any]) -> list[str]:
        text = fields.get("endCallMessage") or ""
        if self.place == "message":
            text = fields["model"]["messages"][0]["content"]
        if self.place == "list":
            text = fields["metadata"]["texts"][0]
        return cast("str", text).splitlines()

    @property
    def folder(self) -> Path:
        return self.repo.root / "assistants"

    def write(self, lines: list[str]) -> None:
        """Git's side."""
        own, shared = self.fields(lines), dict[str, Any]()
        if self.place == "file":
            text = self.folder / "text.md"
            text.write_text(own["endCallMessage"] + "\n", "utf-8")
            own = {"endCallMessage": {"$file": "text.md"}}
        # A pull writes a value of the defaults into the definition, which has its own from then on.
        if self.place == "defaults" and "endCallMessage" not in self.read_definition():
            own, shared = {}, own
        self.repo.write("a", yaml.safe_dump({"id": self.id, **own}))
        if shared:
            (self.folder / "_defaults.yaml").write_text(json.dumps(shared), "utf-8")

    def read_definition(self) -> dict[str, Any]:
        file = self.folder / "a.yaml"
        return yaml.safe_load(file.read_text("utf-8")) if file.exists() else {}

    @property
    def git(self) -> list[str]:
        fields = self.read_definition()
        if self.place == "file":
            fields["endCallMessage"] = (self.folder / "text.md").read_text("utf-8").removesuffix("\n")
        if self.place == "defaults" and "endCallMessage" not in fields:
            fields = json.loads((self.folder / "_defaults.yaml").read_text("utf-8"))
        return self.lines_of(fields)

    @property
    def live(self) -> list[str]:
        return self.lines_of(self.repo.sandbox.live(self.id))

    def edit_lines(self, lines: list[str], author: str, edits: list[tuple[int, int, int]]) -> list[str]:
        lines = [*lines]
        for at, removed, added in edits:
            # One word, which no mark of a line diff divides.
            lines[at : at + removed] = [f"{author}{next(self.fresh)}" for _ in range(added)]
        return lines or ["nothing left"]

    # --- what people do

    @rule(given=edits)
    def edit_git(self, given: list[tuple[int, int, int]]) -> None:
        self.write(self.edit_lines(self.git, "git", given))
        self.repo.commit(allow_empty=True)

    @rule(given=edits)
    def edit_live(self, given: list[tuple[int, int, int]]) -> None:
        self.repo.sandbox.edit(self.id, **self.fields(self.edit_lines(self.live, "live", given)))

    @rule()
    def copy_live(self) -> None:
        """Somebody takes the live text into git by hand."""
        self.write(self.live)
        self.repo.commit(allow_empty=True)

    @rule(options=st.sampled_from([(), ("--conflicts",), ("--conflicts=merge",), ("--conflicts=live",)]))
    def pull(self, options: tuple[str, ...]) -> None:
        before, live = self.git, self.live
        result = self.repo.run("pull", *options)
        after = self.git
        self.repo.commit("Pull", allow_empty=True)
        output = result.stdout + result.stderr
        lost = {*before} - {*after}
        # Of git's lines only those go that live deleted, or that are named.
        assert {line for line in lost if line in live or line not in self.applied} <= self.find_named(lost, output), (
            output
        )
        gained = {*after} - {*before}
        assert gained <= {*live}
        assert {line for line in gained if line in self.applied} <= self.find_named(gained, output), output
        # Without a word of failure, what live alone wrote is in git.
        if options and result.code == 0:
            assert {*live} - {*self.applied} <= {*after}, output
        assert self.live == live

    @rule(options=st.sampled_from([(), ("--on-drift", "revert"), ("--force-conflicts",)]))
    def apply(self, options: tuple[str, ...]) -> None:
        git, live = self.git, self.live
        result = self.repo.run("apply", "--yes", "--record", *options)
        after = self.live
        assert self.git == git
        lost_lines = {*live} - {*after}
        if result.code == 0 and after == git:
            self.applied = git
        else:
            assert after == live
        # What goes is in the report; what live alone wrote goes where somebody said so, or git has it as well.
        assert lost_lines <= self.find_named(lost_lines, result.stdout), result.stdout
        wrote = {line for line in live if line not in self.applied and line.startswith("live")} - {*git}
        assert after == live or not wrote or options, result.stdout

    def find_named(self, lines: set[str], message: str) -> set[str]:
        """The lines that a command names, whole or as words with marks around them."""
        words = " ".join(re.sub(r"\[-|-\]|\{\+|\+\}", " ", message).split())
        return {line for line in lines if re.search(rf"(?<!\S){re.escape(line)}(?!\S)", words)}


def test_no_line_is_lost_unsaid_in_whatever_order_both_sides_move() -> None:
    numbers = itertools.count()
    with running_sandbox() as sandbox, tempfile.TemporaryDirectory() as folder:

        def begin() -> Merges:
            number = next(numbers)
            return Merges(sandbox, number, Path(folder) / str(number))

        bounded = settings(
            max_examples=examples(25),
            stateful_step_count=8,
            print_blob=True,
            derandomize="CI" in os.environ,
            suppress_health_check=[*HealthCheck],
        )
        run_state_machine_as_test(cast("type[Merges]", begin), settings=bounded)
