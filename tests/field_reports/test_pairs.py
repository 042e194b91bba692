"""All pairs of features that were built apart, in one story and its inverse: git's change alone goes live, and back."""

import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from between import answer_with
from desks import Fields, check_success
from json_reports import Document
from projects import outcomes
from servers import running_sandbox
from stories import BOTH, Story, entries
from trees import merge_objects

FEATURES = (
    *("merged reports", "environments", "two folders", "record", "resume", "rollback", "ignore", "extra fields"),
    "older record",
)
MESSAGES = [{"role": "system", "content": "Be kind."}]
LIVE: Fields = {
    "name": "Desk",
    "firstMessage": "Hello!",
    "model": {"provider": "openai", "model": "gpt-4o", "temperature": 0.7, "maxTokens": 100, "messages": MESSAGES},
    "metadata": {"own": 1, "crm": "one", "list": [{"x": 1, "y": 1}]},
    "tools": [{"type": "endCall"}],
}
DECLARED: Fields = {
    "name": "Desk",
    "firstMessage": "Hello!",
    "model": {"temperature": 0.7, "maxTokens": 100},
    "metadata": {"list": [{"x": 1, "y": 1}]},
}
CHANGE: Fields = {"name": "Front desk", "model": {"temperature": 0.2}, "metadata": {"list": [{"x": 2, "y": 1}]}}
EDIT: Fields = {"firstMessage": "theirs", "model": {"maxTokens": 5}}
GITS = {"/name", "/model/temperature", "/metadata/list"}
THEIRS = {"/firstMessage", "/model/maxTokens"}


class Pair:
    """A project with two desks in which some features are used at once; each method is a step of the story."""

    def __init__(self, repo: Story, features: Sequence[str]) -> None:
        self.repo, self.features = repo, features
        self.recording = "record" in features or "older record" in features
        self.rolling_back = "rollback" in features or "merged reports" in features
        self.other = "second/" if "two folders" in features else ""  # with a project of its own in it
        self.places = {"a": "assistants/a", "b": f"{self.other}assistants/b"}
        self.base = ""
        self.reports: list[Document] = []

    # --- what is written

    def declare(self, change: Fields) -> Fields:
        """A definition with a change on top; with each feature it declares what that is about."""
        extra: Fields = {}
        if "extra fields" in self.features:
            words = "Be brief." if change else "Be kind."
            extra = merge_objects(extra, {"model": {"messages": [{"role": "system", "content": words}]}})
        if "ignore" in self.features:
            extra = merge_objects(extra, {"metadata": {"crm": "two" if change else "one"}})
        return merge_objects(merge_objects(DECLARED, extra), change)

    def write(self, change: Fields) -> str:
        """Commit both definitions."""
        for name, place in self.places.items():
            declared, file = self.declare(change), self.repo.root / f"{place}.yaml"
            if "environments" in self.features:  # what is changed stands half in the one and half in the other
                overlay = {"id": f"asst_{name}", "model": declared.pop("model")}
                self._dump(file.parent.parent / "environments/staging" / file.name, overlay)
                self._dump(file, declared)
            else:
                self._dump(file, {"id": f"asst_{name}", **declared}, flow="two folders" in self.features)
        return self.repo.commit("Change" if change else "First", allow_empty=True)

    def configure(self) -> None:
        """Write the settings that the features need."""
        settings: Fields = {}
        if "record" in self.features:
            settings["record"] = True
        if "environments" in self.features:
            settings["environments"] = {"staging": {"overlay": "environments/staging"}}
        if "extra fields" in self.features:
            settings["extra_fields"] = ["/model/messages"]
        if "ignore" in self.features:
            settings["ignore"] = [{"path": "/metadata/crm", "reason": "set by the CRM"}]
            settings["ignore"] += [{"path": "/metadata/list/*/y", "reason": "set by the CRM"}]
        for folder in {"", self.other}:
            self._dump(self.repo.root / folder / "reconciler.yaml", settings)

    def _dump(self, file: Path, fields: Fields, *, flow: bool = False) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(fields, sort_keys=False, default_flow_style=flow or None), "utf-8")

    # --- what is run

    def folders(self) -> list[list[str]]:
        """The options that name each folder, and the environment."""
        chosen = ["--environment", "staging"] if "environments" in self.features else []
        places = dict.fromkeys(place.rpartition("/")[0] for place in self.places.values())
        return [["--directory", place, *chosen] for place in places]

    def options(self) -> list[str]:
        return [] if self.recording else ["--base", self.base]

    def begin(self) -> None:
        """Make the first apply, or leave what older code has left."""
        self.base = self.write({})
        if "older record" in self.features:
            self._record_as_before()
            return
        first = ["--base", "none"]
        for folder in self.folders() if self.recording else []:
            check_success(self.repo.run("apply", "--yes", *folder, *first))
            first = []

    def _record_as_before(self) -> None:
        """Put a record in place as older code made it: HEAD's own tree."""
        environment = "staging/" if "environments" in self.features else ""
        commit = self.repo.make_commit("HEAD^{tree}", "HEAD", message="Apply: 2 unchanged\n")
        self.repo.git("update-ref", f"refs/reconciler/{environment}applied", commit)

    def plan(self) -> dict[str, dict[str, tuple[str, Any]]]:
        """What a plan says of each desk: where it differs, how, and whether that is sent."""
        by_key: dict[str, dict[str, tuple[str, Any]]] = {}
        for folder in self.folders():
            for key, entry in entries(self.repo.plan(*folder, *self.options())).items():
                by_key[key] = {change["path"]: (change["kind"], change.get("sent")) for change in entry["changes"]}
        return by_key

    def apply(self) -> None:
        """Apply what is committed, in as many runs as the features ask for; keep the reports."""
        head = self.repo.head
        runs = [[*folder, *self.options()] for folder in self.folders()]
        if "merged reports" in self.features and "two folders" not in self.features:
            runs = [[*runs[0], f"{place}.yaml"] for place in self.places.values()]
        for run in runs:
            if "resume" in self.features:
                with self.repo.intercept(answer_with(502, "a", landed="record" in self.features)):
                    report = self.repo.apply(*run)
                self.reports.append(report)
                if "indeterminate" not in outcomes(report).values():
                    continue
                # A report names its assistants itself; PATHS would say so twice.
                run = [word for word in run if not word.endswith(".yaml")]  # noqa: PLW2901
                run += ["--resume", str(self.repo.save_report(report, "unclear.json"))]
            report = self.repo.apply(*run)
            assert set(outcomes(report).values()) <= {"applied", "unchanged"}, report["assistants"]
            self.reports.append(report)
        self.base = head

    def undo(self) -> None:
        """Bring back what was there: by a rollback and a revert, or by a revert that is applied."""
        if self.rolling_back:
            for number, report in enumerate(self._to_undo()):
                environment = self.folders()[0][2:]
                file = self.repo.save_report(report, f"undo-{number}.json")
                check_success(self.repo.run("rollback", file, "--yes", "--directory", "assistants", *environment))
            self.write({})
        else:
            self.write({})
            self.apply()

    def _to_undo(self) -> list[Document]:
        if "merged reports" not in self.features:
            return self.reports[::-1]
        files = [self.repo.save_report(report, f"report-{number}.json") for number, report in enumerate(self.reports)]
        merged_file = self.repo.root.parent / "merged.json"
        check_success(self.repo.run("report", *files, "--report", merged_file))
        document: Document = json.loads(merged_file.read_text("utf-8"))
        return [document]

    # --- what is live

    def edit(self) -> None:
        """Let somebody edit desk `a` in the dashboard, and the CRM what is ignored."""
        self.repo.sandbox.edit("asst_a", **{key: merge_objects(LIVE, EDIT)[key] for key in EDIT})
        if "ignore" in self.features:
            metadata = {**LIVE["metadata"], "crm": "set", "list": [{"x": 1, "y": 9}]}
            self.repo.sandbox.edit("asst_a", metadata=metadata)

    def live(self) -> dict[str, Fields]:
        """What both stores of the API hold; they hold the same."""
        by_key = {}
        for name in self.places:
            stores = (self.repo.sandbox.live(f"asst_{name}"), self.repo.sandbox.provider(f"asst_{name}"))
            local, provider = ({key: store.get(key) for key in LIVE} for store in stores)
            assert local == provider
            by_key[name] = local
        return by_key

    def expected_fields(self, before: dict[str, Fields]) -> dict[str, Fields]:
        """What was live before, with git's change alone."""
        change = self.declare(CHANGE)
        found = {}
        for name, fields in before.items():
            wanted = merge_objects(fields, CHANGE)
            if "extra fields" in self.features:
                wanted["model"]["messages"] = change["model"]["messages"]
            if "ignore" in self.features:
                wanted["metadata"]["list"][0]["y"] = fields["metadata"]["list"][0]["y"]
            found[name] = wanted
        return found


@pytest.fixture
def pair(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Pair]:
    features: tuple[str, ...] = request.param
    nested = BOTH[FEATURES.index(features[0]) % 2]  # both kinds of server take their turns
    with running_sandbox({"asst_a": LIVE, "asst_b": LIVE}, nested=nested) as sandbox:
        repo = Story(tmp_path / "repository", sandbox)
        pair = Pair(repo, features)
        pair.configure()
        yield pair


PAIRS = [(first, second) for first, second in itertools.combinations(FEATURES, 2)]


@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join, indirect=True)
def test_a_story_and_its_inverse(pair: Pair) -> None:
    pair.begin()
    pair.edit()
    before = pair.live()
    pair.write(CHANGE)
    gits = GITS | ({"/model/messages"} if "extra fields" in pair.features else set())
    change, drift = dict.fromkeys(gits, ("change", True)), dict.fromkeys(THEIRS, ("drift", False))
    kinds = {key: {path: kind for path, (kind, _) in changes.items()} for key, changes in pair.plan().items()}
    assert kinds == {
        "a": {**dict.fromkeys(gits, "change"), **dict.fromkeys(THEIRS, "drift")},
        "b": dict.fromkeys(gits, "change"),
    }
    assert pair.plan() == {"a": {**change, **drift}, "b": change}
    pair.apply()
    assert pair.live() == pair.expected_fields(before)
    assert pair.plan() == {"a": drift, "b": {}}
    pair.undo()
    assert pair.live() == before
    pair.base = pair.repo.head
    assert pair.plan() == {"a": drift, "b": {}}


def test_all_pairs_are_there() -> None:
    assert len(PAIRS) == len(FEATURES) * (len(FEATURES) - 1) // 2 == 36
