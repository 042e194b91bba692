"""Definitions and settings that mean harm: an error with a place, soon, in little memory, and never a traceback."""

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from bounded import WORK, measure_work, run_bounded
from depth import every_third, examples
from hypothesis import HealthCheck, given, settings, strategies as st

from reconciler.cli.boundary import run_guarded
from reconciler.cli.main import reconciler

REPOSITORY = Path(__file__).parent.parent.parent
LARGEST = 1024 * 1024 - 100
CONFIGURED = """\
api_url: https://agents.example.edu/api
always_send: [model, voice]
sensitive: [/metadata/crmKey, "/metadata/*/secret"]
extra_fields: [/model/messages]
org_id: org_abc
max_changes: 25%
ignore:
  - {path: /metadata/lastCampaign, assistants: ["admissions/*"], reason: set by the CRM, expires: 2999-01-31}
environments:
  staging: {api_url: "https://staging.example.edu/api"}
"""
GOOD = [
    *(file.read_text("utf-8") for file in sorted((REPOSITORY / "assistants").rglob("*.yaml"))),
    "id: asst_1\nname: &a Ada\nmetadata: {b: *a, c: [1, 2.5, ~], 'd e': \"x\\ty\"}\nfirstMessage: >-\n  Hi\n\n  you\n",
]
# What a mutation puts somewhere: pieces of YAML, and characters that terminals, runners and browsers obey.
PIECES = [
    *("&a ", "*a ", "<<: ", "!!python/object/apply:os.system ", "!x ", "? ", ": ", "- ", "---\n", "...\n"),
    *("%YAML 9.9\n", "{", "}", "[", "]", "|", ">-", '"', "'", "\\", "#", " #", "@", "`", "{{", "}}", "=", "~"),
    *("\t", "\r", "\r\n", "\n", "\n\n  ", "\ufeff", "\x00", "\x1b[31m", "\x07", "\x85", "\u2028", "\u202e"),
    *("\ud800", "\udfff", "\uffff", "\U0001f600", "::error::x", "##[error]", "<script>", "9" * 70, "x" * 3000),
    *("yes", "012", "0o14", "1e3", ".nan", ".inf", "1_000", "2024-01-01", "null", "id: ", "id: asst_2\n", "orgId: x\n"),
    *("model: ", "[" * 70, "{a: " * 70, "- " * 70),
]

# One of each, as large as a definition may be.
WORST = {
    "lists-in-lists": "a: " + "[" * LARGEST,
    "groups-in-groups": "a: " + "{a: " * (LARGEST // 4),
    "dashes": "- " * (LARGEST // 2),
    "keys-of-keys": "? " * (LARGEST // 2),
    "empty-lists": "id: a\nmetadata: {a: [" + "[]," * (LARGEST // 3 - 20) + "]}\n",
    "too-many-keys": "id: a\nmodel: {" + ", ".join(f"k{number}: 1" for number in range(90_000)) + "}\n",
    "unknown-keys": "id: a\nmodel: {" + ", ".join(f"k{number}: 1" for number in range(9_000)) + "}\n",
    "long-unknown-keys": "id: a\n" + "".join(f"k{number}{'x' * 900}: 1\n" for number in range(1_100)),
    "same-keys": "id: a\nmetadata:\n" + " a: 1\n" * 9_000,
    "keys-that-are-numbers": "id: a\nmetadata:\n" + "".join(f" {number}: 1\n" for number in range(9_000)),
    "doubtful-words": "id: a\nendCallPhrases: [" + "yes," * 19_000 + "]\n",
    "numbers-for-texts": "id: a\nendCallPhrases: [" + "1," * 19_000 + "]\n",
    "anchors": "id: a\nmetadata: {a: [" + ",".join(f"&a{number} x" for number in range(19_000)) + "]}\n",
    "aliases": "id: a\nmetadata: {a: &a {x: [1]}, b: [" + "*a ," * 18_000 + "]}\n",
    "a-billion-laughs": "id: a\nmetadata:\n a0: &a0 [x]\n"
    + "".join(f" a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]\n" for n in range(60)),
    "merge-keys": "id: a\nmetadata:\n" + "".join(f" m{number}: {{<<: {{a: 1}}}}\n" for number in range(9_000)),
    "one-long-key": "id: a\n? " + "k" * LARGEST + "\n: 1\n",
    "one-long-key-of-ours": "id: a\n? " + "firstMessage" * (LARGEST // 12) + "\n: 1\n",
    "a-long-number": "id: a\nmaxDurationSeconds: " + "1" * LARGEST + "\n",
    "a-long-base-60-number": "id: a\nname: 1" + ":59" * (LARGEST // 3) + "\n",
    "a-long-fraction": "id: a\nname: 1." + "1" * LARGEST + "\n",
    "a-long-word-of-no-list": "id: a\nfirstMessageMode: " + "assistant-" * (LARGEST // 10) + "\n",
    "a-long-tag": "id: a\nname: !" + "a" * LARGEST + " x\n",
    "a-long-id": "id: " + "a" * LARGEST + "\nname: x\n",
    "newlines": 'id: a\nname: "' + "\\n" * (LARGEST // 2) + '"\n',
    "a-quote-that-never-ends": 'id: a\nname: "' + "x\n" * (LARGEST // 2),
    "colons": "id: a: " + ": " * (LARGEST // 2),
    "spaces": "id: a: " + " " * LARGEST,
    "quotes": "id: 'a\n" * (LARGEST // 7) + "'x' y",
    "comments": "id: a\nname: x\n" + "# " * (LARGEST // 2),
    "messages-that-may-be-cut-off": "id: a\nfirstMessage: " + "x #" * (LARGEST // 3 - 10) + "\n",
    "braces": "id: a\nfirstMessage: '" + "{{" * (LARGEST // 2 - 20) + "'\n",
    "documents": "---\n" * (LARGEST // 4),
    "line-separators": "\x85" * (LARGEST // 2),
    "growing-indentation": "id: |\n" + "".join(" " * number + "\n" for number in range(1_400)),
}


@contextlib.contextmanager
def enter_folder(folder: Path) -> Iterator[None]:
    (folder / "assistants").mkdir(exist_ok=True)
    with contextlib.chdir(folder):
        yield


def run_validate(*arguments: str) -> tuple[int, str]:
    """What `validate` says in this process; it never crashes, and is soon done."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code, work = measure_work(lambda: run_guarded(reconciler, ["validate", *arguments]))
    assert "bug in reconciler" not in err.getvalue(), err.getvalue()
    assert work < WORK
    output = out.getvalue() + err.getvalue()
    assert all(char == "\n" or char.isprintable() for char in output)
    return code, output


def test_the_worst_definitions_cost_little(tmp_path: Path) -> None:
    worst = every_third(WORST)
    for name, text in worst.items():
        assert len(text) <= LARGEST + 100, name
        alone = tmp_path / name  # ids are compared over a whole folder, so that each call would read all files
        alone.mkdir()
        (alone / "a.yaml").write_text(text, "utf-8", newline="")
    calls = [["validate", "--directory", name, "--format", "json", "--report", "x.md"] for name in worst]
    codes = {one.call[2]: one.code for one in run_bounded(calls, cwd=tmp_path)}
    harmless = {name for name, code in codes.items() if code == 0}
    all_harmless = {"anchors", "a-long-id", "newlines", "comments", "messages-that-may-be-cut-off", "braces"}
    assert harmless == all_harmless & worst.keys()


@pytest.mark.parametrize("name", ["many-keys", "many-names", "many-entries", "aliases"])
def test_the_worst_settings_cost_little(tmp_path: Path, name: str) -> None:
    text = {
        "many-keys": "".join(f"k{number}: 1\n" for number in range(9_000)),
        "many-names": "sensitive: [" + "yes," * 19_000 + "]\n",
        "many-entries": "ignore: [" + "{pth: /a, reason: 1}," * 9_000 + "]\n",
        "aliases": "ignore: &a [*a]\n",
    }[name]
    (tmp_path / "assistants").mkdir()
    (tmp_path / "assistants" / "a.yaml").write_text("id: a\nname: A\n", "utf-8")
    (tmp_path / "reconciler.yaml").write_text(text, "utf-8")
    (one,) = run_bounded([["validate"]], cwd=tmp_path)
    assert one.code == 1
    assert "reconciler.yaml:1:" in one.stdout + one.stderr


def test_no_more_problems_are_told_than_anybody_reads(tmp_path: Path) -> None:
    with enter_folder(tmp_path):
        Path("assistants/a.yaml").write_text(
            "id: a\n" + "".join(f"k{number}: yes\n" for number in range(1_500)), "utf-8"
        )
        code, output = run_validate()
    lines = [line for line in output.splitlines() if line.startswith("assistants/a.yaml:")]
    assert (code, len(lines)) == (1, 1_000)
    assert "this file has 1000 problems or more" in output


def mutate(draw: st.DrawFn, text: str) -> str:
    """A text in which a few stretches are replaced by others, of it or not."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        piece = draw(st.sampled_from(PIECES) | st.text(max_size=8) | st.just(text[: draw(st.integers(0, 200))]))
        text = text[:start] + piece * draw(st.sampled_from([1, 1, 1, 2, 40])) + text[end:]
    return text


@st.composite
def definitions(draw: st.DrawFn) -> str:
    return mutate(draw, draw(st.sampled_from(GOOD)))


@st.composite
def configurations(draw: st.DrawFn) -> str:
    return mutate(draw, CONFIGURED)


OFTEN = settings(max_examples=examples(150), suppress_health_check=[HealthCheck.function_scoped_fixture])


@OFTEN
@given(st.one_of(definitions(), st.text(), st.text("&*!|>-?:,[]{}#'\"%@ \n\tab1.~<=\\", max_size=60)), st.booleans())
def test_any_text_is_a_definition_or_told_what_is_wrong(tmp_path: Path, text: str, strict: bool) -> None:
    with enter_folder(tmp_path):
        Path("assistants/a.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
        code, output = run_validate(*(["--strict"] if strict else []))
    assert code == 0 or "assistants/a.yaml:" in output


@OFTEN
@given(st.one_of(st.binary(max_size=60), st.binary(max_size=30).map(lambda tail: b"id: asst_1\nname: " + tail)))
def test_any_bytes_are_a_definition_or_told_what_is_wrong(tmp_path: Path, content: bytes) -> None:
    with enter_folder(tmp_path):
        Path("assistants/a.yaml").write_bytes(content)
        code, output = run_validate("--format", "github")
    assert code == 0 or "assistants/a.yaml" in output


@OFTEN
@given(st.one_of(configurations(), st.text()), st.sampled_from([[], ["--environment", "staging"]]))
def test_any_text_is_settings_or_told_what_is_wrong(tmp_path: Path, text: str, chosen: list[str]) -> None:
    with enter_folder(tmp_path):
        Path("assistants/a.yaml").write_text("id: asst_1\nname: A\n", "utf-8")
        Path("reconciler.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
        code, output = run_validate(*chosen)
    assert code == 0 or "reconciler.yaml" in output or "staging" in output


@pytest.mark.parametrize(
    "name", ["a\nb", 'a"b', "-rf", "--strict", "a\x1b[31mb", "::error::x", "a\u202eb", "$(x)", "a b"]
)
@pytest.mark.parametrize("form", ["text", "json", "markdown", "github"])
def test_a_files_name_is_shown_and_not_obeyed(tmp_path: Path, name: str, form: str) -> None:
    with enter_folder(tmp_path):
        Path(os.fsdecode(b"assistants/" + name.encode() + b".yaml")).write_text("id: asst_1\nnam: A\n", "utf-8")
        code, output = run_validate("--format", form)
    assert code == 1
    assert not any(line.startswith("::error::x") for line in output.splitlines())


def test_links_that_leave_the_folder_are_not_followed(tmp_path: Path) -> None:
    with enter_folder(tmp_path):
        (tmp_path / "secret.yaml").write_text("id: asst_1\nname: hush\n", "utf-8")
        Path("assistants/a.yaml").symlink_to("../secret.yaml")
        Path("assistants/b.yaml").symlink_to("/dev/zero")
        Path("assistants/c.yaml").symlink_to("c.yaml")
        Path("assistants/d").symlink_to("..")
        os.mkfifo("assistants/e.yaml")
        code, output = run_validate()
    assert code == 1
    assert "hush" not in output
    for name in ("a.yaml", "b.yaml", "d"):
        assert f"assistants/{name}:1:1: this is a link" in output
    assert "assistants/e.yaml:1:1: this is not a regular file" in output
