"""Plan and report files that mean harm: an error, soon, in little memory, and no value from anywhere but git."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bounded import WORK, measure_work, run_bounded
from commands import Completed
from depth import every_third, examples
from hypothesis import given, settings, strategies as st
from stories import Story, story
from trees import list_paths

from reconciler.report.json_text import LARGEST_REPORT

LIVE: dict[str, dict[str, Any]] = {"a": {"name": "Old", "firstMessage": "Hi"}, "b": {"name": "B", "metadata": {"x": 1}}}
FORMATS = ["text", "json", "markdown", "github"]
ODD = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.integers(10**300, 10**310),
        st.floats(),
        st.text(max_size=12),
        st.sampled_from(["\x1b[31m", "\ud800", "::error::x", "<script>", "|`*", "/", "~2", "(sensitive)", "a\n" * 40]),
        st.sampled_from(["/name", "/firstMessage", "/metadata/x", "asst_a", "asst_b", "applied", "drift", "conflict"]),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)
OFTEN = settings(max_examples=examples(120))


class Reports:
    """A story in which a plan and an apply have left their reports; `live` is what is live after them."""

    def __init__(self, repo: Story) -> None:
        self.repo = repo
        repo.write("a", name="New", firstMessage=None, metadata={"k": 1})
        repo.write("b", name="B2", metadata={"x": 2})
        repo.commit()
        self.plan = repo.plan("--base", "none")
        self.apply = repo.apply("--base", "none")
        self.restore()

    def restore(self) -> None:
        for name, fields in LIVE.items():
            self.repo.sandbox.edit(f"asst_{name}", **fields)

    def run(self, content: str, *arguments: str) -> Completed:
        """Run a command on a report of some content; it never crashes, and is soon done."""
        file = self.repo.root.parent / "odd.json"
        file.write_bytes(content.encode("utf-8", "surrogatepass"))
        words = [str(file) if word == "FILE" else word for word in arguments]
        result, work = measure_work(lambda: self.repo.run(*words, "--retries", "0"))
        assert work < WORK
        return result


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reports]:
    with story(tmp_path_factory.mktemp("reports") / "repository", LIVE) as repo:
        yield Reports(repo)


def change_report(data: st.DataObject, report: Any) -> Any:
    """A report in which a few values are others, are gone, or stand there twice; often those of an assistant."""
    draw = data.draw
    document = copy.deepcopy(report)
    for _ in range(draw(st.integers(1, 3))):
        everywhere = [path for path in list_paths(document) if path]
        inside = [path for path in everywhere if {"changes", "patch"} & set(path[:-1])]
        path = draw(st.sampled_from(draw(st.sampled_from([everywhere, inside or everywhere]))))
        around = document
        for key in path[:-1]:
            around = around[key]
        what = draw(st.sampled_from(["odd", "odd", "odd", "gone", "twice", "other"]))
        if what == "gone":
            del around[path[-1]]
        elif what == "twice" and isinstance(around, list):
            around.append(copy.deepcopy(around[path[-1]]))
        else:
            around[path[-1]] = draw(ODD)
    return document


@OFTEN
@given(data=st.data())
def test_any_plan_is_applied_or_refused(reports: Reports, data: st.DataObject) -> None:
    content = json.dumps(change_report(data, reports.plan))
    reports.run(content, "apply", "--plan", "FILE", "--base", "none", "--yes", "--format", "json")
    for name, fields in LIVE.items():
        live = reports.repo.sandbox.live(f"asst_{name}")
        # What a plan cannot do: bring in a value that no definition has.
        assert live["name"] in (fields["name"], {"a": "New", "b": "B2"}[name])
    reports.restore()


@OFTEN
@given(data=st.data())
def test_any_report_is_rolled_back_or_refused(reports: Reports, data: st.DataObject) -> None:
    content = json.dumps(change_report(data, reports.apply))
    reports.run(content, "rollback", "FILE", "--yes")
    reports.restore()


@OFTEN
@given(data=st.data(), form=st.sampled_from(FORMATS))
def test_any_report_is_shown_or_refused(reports: Reports, data: st.DataObject, form: str) -> None:
    document = change_report(data, data.draw(st.sampled_from([reports.plan, reports.apply])))
    result = run_report(reports, json.dumps(document), form)
    output = result.stdout.replace("\\u", "") if form == "json" else result.stdout
    assert not [char for char in output if char != "\n" and not char.isprintable() and ord(char) < 0xA0]


@OFTEN
@given(st.one_of(st.text(), st.text('[]{}":,0123456789-.eE \\untrfalse', max_size=60)))
def test_any_text_is_a_report_or_refused(reports: Reports, text: str) -> None:
    assert run_report(reports, text, "text").code == 1


def run_report(reports: Reports, content: str, form: str) -> Completed:
    file = reports.repo.root.parent / "odd.json"
    file.write_bytes(content.encode("utf-8", "surrogatepass"))
    return reports.repo.run("report", str(file), "--format", form)


def fill_list(item: str) -> str:
    """A list with as many items as a report has room for."""
    return "[" + ",".join([item] * ((LARGEST_REPORT - 9_000) // (len(item) + 1))) + "]"


ROOM = LARGEST_REPORT - 9_000
WORST: dict[str, Callable[[str], str]] = {
    "open-lists": lambda report: "[" * ROOM,
    "open-groups": lambda report: '{"a":' * (ROOM // 5),
    "too-large": lambda report: add_key(report, '"' + "x" * (ROOM + 9_000) + '"'),
    "empty-lists": lambda report: add_key(report, fill_list("[]")),
    "empty-groups": lambda report: add_key(report, fill_list("{}")),
    "numbers": lambda report: add_key(report, fill_list("1")),
    "quotes": lambda report: '"' * ROOM,
    "escaped-quotes": lambda report: '"' + '\\"' * (ROOM // 2),
    "too-long-a-number": lambda report: add_key(report, "9" * 100_000),
    "long-numbers": lambda report: add_key(report, fill_list("9" * 4_000)),
    "a-long-text": lambda report: add_key(report, '"' + "x" * ROOM + '"'),
    "a-long-text-of-lines": lambda report: add_key(report, '"' + "x\\n" * (ROOM // 3) + '"'),
    "a-wide-text": lambda report: add_key(report, '"' + "x" * ROOM + '\U0001f600"'),
}


def add_key(report: str, raw: str) -> str:
    """A report with one more key, as a later version may write it."""
    return f'{report[:-1]}, "more": {raw}}}'


def test_the_worst_reports_cost_little(reports: Reports, tmp_path: Path) -> None:
    text = json.dumps(reports.plan)
    calls = []
    for name, make in every_third(WORST).items():
        (tmp_path / f"{name}.json").write_text(make(text), "utf-8")
        calls.append(["report", f"{name}.json"])
    results = run_bounded(calls, cwd=tmp_path)
    accepted = {result.call[1].removesuffix(".json") for result in results if result.code == 0}
    assert accepted == {"long-numbers", "a-long-text", "a-long-text-of-lines"} & every_third(WORST).keys()
    refused = {result.call[1].removesuffix(".json"): result.stderr for result in results if result.code}
    assert all(message.startswith(f"Error: {name}.json: ") for name, message in refused.items())


@pytest.mark.parametrize("form", ["text", "markdown"])
@pytest.mark.parametrize("live", ["x\n" * 2_000_000, "word " * 800_000], ids=["lines", "words"])
def test_a_difference_of_a_huge_text_costs_little(reports: Reports, tmp_path: Path, form: str, live: str) -> None:
    document = json.loads(json.dumps(reports.plan))
    document["assistants"][0]["changes"] = [
        {"path": "/firstMessage", "kind": "change", "line": 1, "live": live, "desired": "New words here"}
    ]
    (tmp_path / "huge.json").write_text(json.dumps(document), "utf-8")
    (result,) = run_bounded([["report", "huge.json", "--format", form]], cwd=tmp_path)
    assert result.code == 0
    assert len(result.stdout) < 100_000
