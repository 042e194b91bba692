"""What holds for every kind of file that declares fields: it is shown, dated, recorded, protected and found again.

A new kind of layer is a new row of `LAYERS`; CONTRIBUTING has the files that it takes.
"""

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from two_environments import TwoEnvironments, two_environments


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of layer: its file, as it is named from the root, and the file that `pull` writes to.

    `begins` is what else stands in it, `says` what it has for some words, `mentioned` what the definition says to have
    it, and `wrong` words that are a problem, with its column and message.
    """

    name: str
    file: str
    takes_edits: str
    begins: str = ""
    says: str = "endCallMessage: {}"
    mentioned: str = ""
    wrong: tuple[str, int, str] = ("12", 17, "endCallMessage must be text")


OWN = "assistants/a.yaml"
OVERLAY = "environments/staging/a.yaml"
LAYERS = (
    Kind(name="defaults", file="assistants/_defaults.yaml", takes_edits=OVERLAY, begins="maxDurationSeconds: 600"),
    Kind(
        name="an environment's defaults",
        file="environments/staging/_defaults.yaml",
        takes_edits=OVERLAY,
        begins="maxDurationSeconds: 600",
    ),
    Kind(name="definition", file=OWN, takes_edits=OVERLAY),
    Kind(name="overlay", file=OVERLAY, takes_edits=OVERLAY),
    Kind(
        name="text file",
        file="assistants/texts/bye.md",
        takes_edits=OVERLAY,
        says="{}",
        mentioned="endCallMessage: {$file: texts/bye.md}\n",
        wrong=(" ", 1, "warning: endCallMessage is only white space"),
    ),
)


@dataclasses.dataclass(frozen=True)
class Layered:
    """An assistant whose `endCallMessage` stands in one layer."""

    environments: TwoEnvironments
    kind: Kind

    @property
    def path(self) -> Path:
        return self.environments.root / self.kind.file

    def say(self, words: str) -> None:
        """Change the field in its layer, where it stands in the last line."""
        self.path.parent.mkdir(exist_ok=True)
        lines = self.path.read_text("utf-8").splitlines() if self.path.exists() else self.kind.begins.splitlines()
        others = [line for line in lines if not line.startswith("endCallMessage") and self.kind.says != "{}"]
        self.path.write_text("\n".join([*others, self.kind.says.format(words)]) + "\n", "utf-8")


@pytest.fixture(params=LAYERS, ids=lambda kind: kind.name)
def layered(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Layered]:
    """The assistant, applied and recorded once."""
    with contextlib.ExitStack() as stack:
        environments = stack.enter_context(
            two_environments(tmp_path / "project", {"a": {"name": "A"}, "b": {"name": "B"}})
        )
        for key in ("a", "b"):
            # What b says itself is no change, whatever becomes of defaults.
            more = request.param.mentioned if key == "a" else "endCallMessage: Farewell\n"
            environments.shared(key, f"firstMessage: Hello\n{more}")
            environments.overlay("staging", key, f"id: asst_{key}\n")
        found = Layered(environments, request.param)
        found.say("Bye")
        environments.repo.commit()
        assert environments.run("staging", "apply", "--yes", "--record", "--base", "none").code == 0
        yield found


def test_a_change_names_the_layer_its_line_and_its_commit(layered: Layered) -> None:
    layered.say("So long")
    commit = layered.environments.repo.commit()
    report = layered.environments.report("staging", "plan", "--changed")
    (entry,) = report["assistants"]
    (change,) = entry["changes"]
    assert (change["kind"], change["desired"]) == ("change", "So long")
    assert change.get("file", OWN) == layered.kind.file
    assert change["line"] == len(layered.path.read_text("utf-8").splitlines())
    assert change["since"]["commit"] == commit


def test_any_other_base_has_the_layer_too(layered: Layered) -> None:
    layered.say("So long")
    layered.environments.repo.commit()
    report = layered.environments.report("staging", "plan", "--base", "HEAD~1")
    assert [change["kind"] for entry in report["assistants"] for change in entry["changes"]] == ["change"]


def test_the_record_has_its_values_in_the_definition_s_entry(layered: Layered) -> None:
    tree = layered.environments.repo.tree("refs/reconciler/staging/applied")
    assert tree.keys() == {OWN, "assistants/b.yaml"}
    assert tree[OWN]["endCallMessage"] == "Bye"


@pytest.mark.parametrize("removed", [False, True])
def test_what_git_does_not_hold_is_not_recorded(layered: Layered, removed: bool) -> None:
    layered.say("Not committed")
    if removed:
        lines = layered.path.read_text("utf-8").splitlines(keepends=True)
        layered.path.write_text("".join(lines[:-1]), "utf-8")
    result = layered.environments.run("staging", "apply", "--yes")
    assert result.code == 1
    assert f"{layered.kind.file} differs from HEAD" in result.stderr


def test_a_live_edit_is_pulled_into_the_right_file(layered: Layered) -> None:
    layered.environments.sandboxes["staging"].edit("asst_a", endCallMessage="Edited")
    result = layered.environments.run("staging", "pull")
    assert result.code == 0, result.stderr
    assert "Edited" in (layered.environments.root / layered.kind.takes_edits).read_text("utf-8")
    assert layered.environments.repo.git("diff", "--name-only").splitlines() == [layered.kind.takes_edits]


def test_a_problem_stands_at_its_place_in_the_layer(layered: Layered) -> None:
    words, column, message = layered.kind.wrong
    layered.say(words)
    result = layered.environments.run("staging", "validate")
    line = len(layered.path.read_text("utf-8").splitlines())
    assert f"{layered.kind.file}:{line}:{column}: {message}" in result.stdout


def test_a_sparse_checkout_that_hides_it_is_an_error(layered: Layered) -> None:
    layered.environments.repo.git("sparse-checkout", "set", "--no-cone", "/*", f"!/{layered.kind.file}")
    assert not layered.path.exists()
    result = layered.environments.run("staging", "plan")
    assert result.code == 1
    assert f"a sparse checkout hides {layered.kind.file}" in result.stderr
