"""Whoever reviews sees all of a change: prompts of any length are read back from every format, line by line."""

import html
import re
from collections.abc import Callable

import pytest
from rendered import render_github, render_html, render_junit, render_markdown, render_text
from report_documents import BASE, assistant, change, document

from reconciler.report.report import Report

FORMATS: dict[str, Callable[[Report], str]] = {
    "text": render_text,
    "colour": lambda report: re.sub(r"\x1b\[[0-9;]+m", "", render_text(report, colour=True)),
    "markdown": render_markdown,
    "html": lambda report: html.unescape(re.sub("<[^>]+>", "", render_html(report).split("<main>")[1])),
    "junit": render_junit,
    "github": render_github,
}
LACKING = re.compile(
    r"(\d+) (?:more )?lines? of `?model\.messages\[0\]\.content`?[^\n]*(?:reports? have|JSON and HTML)"
)


def prompt(lines: int, changed: int) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """The messages before and after: in evenly spread lines, a word and the words around it are marked."""
    old = [f"{number}. Asked about topic {number}, you never{number} guess." for number in range(lines)]
    spread = {number * lines // changed for number in range(changed)}
    new = [line.replace("never", "always") if number in spread else line for number, line in enumerate(old)]
    return tuple([{"role": "system", "content": "\n".join(text)}] for text in (old, new))  # type: ignore[return-value]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    ("lines", "changed"), [(5, 1), (5, 5), (300, 1), (300, 50), (300, 300), (3_000, 1), (3_000, 50), (3_000, 3_000)]
)
def test_every_changed_line_is_there_or_counted(name: str, lines: int, changed: int) -> None:
    old, new = prompt(lines, changed)
    text = FORMATS[name](document("plan", assistant("a", change("/model/messages", new, old)), base=BASE))
    numbers = {int(number) for number in re.findall(r"\[-never(\d+)-\]\s*\{\+always\1\+\}", text)}
    lacking = {int(number) for number in LACKING.findall(text)}
    assert "model.messages[0].content" in text
    assert len(numbers) + max(lacking, default=0) == changed
    # What has no limit lacks nothing.
    assert not lacking or name in ("markdown", "github")
    assert name != "markdown" or len(numbers) >= min(changed, 300)


@pytest.mark.parametrize("kind", ["drift", "conflict"])
def test_so_it_is_with_what_was_edited_live(kind: str) -> None:
    old, new = prompt(300, 50)
    desired, live = (old, new) if kind == "drift" else ([{**old[0], "content": old[0]["content"] + " Amen."}], new)
    entry = assistant("a", change("/model/messages", desired, live, kind=kind, base=old))
    for name, render in FORMATS.items():
        text = render(document("plan", entry, base=BASE)).replace("%0A", "\n")
        numbers = set(re.findall(r"\[-never(\d+)-\]\s*\{\+always\1\+\}", text))
        lacking = max((int(number) for number in LACKING.findall(text)), default=0)
        assert len(numbers) + lacking == 50, name
        assert kind == "drift" or "{+ Amen.+}" in " ".join(text.split()), name


def test_one_word_in_225_kilobytes_of_one_line_is_seen_in_every_format() -> None:
    words = [f"word{number}" for number in range(25_000)]
    old = " ".join(words)
    new = old.replace("word12345 ", "never ").replace("word77 ", "always ")
    for name, render in FORMATS.items():
        text = render(document("plan", assistant("a", change("/firstMessage", new, old)), base=BASE))
        if name == "github":
            assert "1 line of firstMessage" in text
            continue
        text = " ".join(text.split())
        assert "[-word12345-]{+never+}" in text, name
        assert "[-word77-]{+always+}" in text, name
        assert "word20000" not in text, name
