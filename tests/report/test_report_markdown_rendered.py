"""The Markdown report as a page: rendered with CommonMark and GitHub's tables, nothing from outside acts in it."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from depth import examples
from golden_documents import DOCUMENTS
from hypothesis import given, settings, strategies as st
from markdown_it import MarkdownIt
from rendered import render_markdown
from report_documents import assistant, change, document, failure, ignored, make_since, problem, removed

from reconciler.assistant.paths import to_pointer
from reconciler.report.differences.values import escape
from reconciler.report.formats.inert import cut
from reconciler.report.report import Report
from reconciler.report.wording import choose_title

# With HTML let through, as GitHub does: what a value manages to write as a tag would be one here.
GITHUB = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
TEMPLATE = {"h2", "p", "strong", "em", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "b"}
TEMPLATE |= {"code", "pre", "ul", "li", "br", "span"}
# What GitHub would still turn into a link, a mention or a picture, in text that is no code.
ALIVE = re.compile(
    r"@[\w.-]|#\d|\bGH-\d|://|\bwww\.|:[\w+-]*[a-z+-][\w+-]*:|(?<!\w)[0-9a-f]{7,40}(?!\w)|\$\S", re.IGNORECASE
)
COMMIT = "4f1c0de2a7b94e5d8c3f6a1b0e9d7c5a3f2b1e08"
FRAGMENTS = [
    *("|", "\\|", "`", "```", "``` `", "~~~", "<script>alert(1)</script>", "</details>", "<!--", "-->", "<![CDATA["),
    *(
        "@team",
        "a@b.org",
        "a@-b.org",
        "#123",
        "GH-12",
        "org/repository#1",
        COMMIT,
        COMMIT[:7],
        "https://e.vil/x",
        "www.e.vil",
    ),
    *("https://e.vil/x", "www.e.vil", "ftp://e.vil"),
    *("![i](https://e.vil/i)", "[l](x)", "[l]: /x"),
    *("<https://e.vil>", "<img src=x onerror=alert(1)>", "&lt;", "&#60;"),
    *(
        ":tada:",
        ":+1:",
        "$x^2$",
        "**b**",
        "_e_",
        "~~s~~",
        "# h",
        "- l",
        "> q",
        "1. l",
        "---",
        "    code",
        "\\",
        "<",
        "&",
    ),
    *(
        "\n",
        "\r\n",
        "\n\n",
        "\t",
        "\u2028",
        "\u202e",
        "\u200f",
        "\u2066",
        "\x1b[31m",
        "\x00",
        "\ud800",
        "\U0001f469\u200d\U0001f4bb",
    ),
]
hostile = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=5), max_size=9).map("".join)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | hostile,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hostile, inner, max_size=3),
    max_leaves=5,
)


class Page(HTMLParser):
    """What a browser makes of it: each tag with its attributes, what is open, and the text outside code."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.sentences = ""
        self.summaries: list[str] = []
        self.rows: list[list[str]] = []
        self._open: list[str] = []
        self.feed(GITHUB.render(markdown))
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))
        if tag != "br":
            self._open.append(tag)
        self.sentences += "\n"  # GitHub looks for links in the text between two tags
        if tag == "summary":
            self.summaries.append("")
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        self.sentences += "\n"

    def handle_data(self, data: str) -> None:
        if "summary" in self._open:
            self.summaries[-1] += data
        if "tr" in self._open and data.strip("\n"):
            self.rows[-1][-1] += data
        if not {"code", "pre", "span"} & {*self._open}:
            self.sentences += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(data)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)


def check(markdown: str) -> Page:
    """Nothing but the template's own tags, rows with their table's cells, and no text that GitHub makes a link of."""
    page = Page(markdown)
    assert {tag for tag, _ in page.tags} <= TEMPLATE
    assert {attributes for _, attributes in page.tags} <= {(), (("class", "language-diff"),)}
    assert not ALIVE.search(re.sub(r"Set by [0-9a-f]{7},", "", page.sentences))
    cells = 0
    for line in markdown.splitlines():
        if not line.startswith("|"):
            cells = 0
            continue
        cells = cells or line.count("|")
        assert line.count("|") == cells  # a renderer would drop a cell too many, unseen
    return page


@st.composite
def runs(draw: st.DrawFn) -> Report:
    kinds = ["change", "drift", "conflict"]
    changes = [
        change(
            to_pointer(["metadata", draw(hostile)]),
            draw(values),
            draw(values),
            kind=draw(st.sampled_from(kinds)),
            base=draw(values),
            since=make_since(draw(hostile), draw(hostile), draw(hostile)),
        )
        for _ in range(draw(st.integers(1, 3)))
    ]
    entry = assistant(
        draw(hostile),
        *changes,
        name=draw(hostile),
        id_=draw(hostile),
        released=[to_pointer([draw(hostile)])],
        ignored=[ignored(to_pointer([draw(hostile)]), draw(hostile), draw(hostile))],
        remaining=[to_pointer([draw(hostile)])],
        warnings=[draw(hostile)],
        error=failure(draw(hostile), draw(hostile)),
    )
    entry = replace(entry, live_updated_at=draw(hostile))
    other = assistant(
        draw(hostile) + "2", change(to_pointer([draw(hostile)]), draw(values), draw(values)), name=draw(hostile)
    )
    return document(
        draw(st.sampled_from(["plan", "apply", "drift", "rollback", "validate"]) | hostile),
        entry,
        other,
        problems=[problem(draw(hostile), 1, 1, draw(hostile))],
        warnings=[draw(hostile)],
        gone=[removed(draw(hostile), draw(hostile))],
        environment=draw(st.none() | hostile),
    )


def remove_marks(text: str) -> str:
    return text.replace("\u200b", "")


@pytest.mark.parametrize("name", ["1. Desk", "2026) Desk", "- Desk", "+ Desk", "# Desk", "    Desk", "---", "==="])
def test_a_name_at_the_beginning_of_a_line_makes_no_block_of_it(name: str) -> None:
    named = assistant("a", change("/voice/voiceId", "verse", "alloy"), name=name)
    others = (assistant(key, change("/voice/voiceId", "verse", "alloy")) for key in ("b", "c"))
    page = check(render_markdown(document("plan", named, *others)))
    assert not {"pre", "ul"} & {tag for tag, _ in page.tags}
    assert f"{name} (" in page.sentences


@settings(max_examples=examples(80))
@given(runs(), st.integers(1_000, 12_000))
def test_nothing_from_outside_acts_on_the_page(run: Report, limit: int) -> None:
    check(render_markdown(run, limit=limit))
    page = check(render_markdown(run))
    assert len(page.summaries) == (0 if run.command == "validate" else 2)


@settings(max_examples=examples(60))
@given(hostile, hostile, hostile)
def test_what_is_hostile_is_still_read_as_it_was_written(name: str, key: str, error: str) -> None:
    entry = assistant(key, change("/metadata/x", key[:20], name[:20]), name=name, error=failure("server", error))
    page = check(render_markdown(document("plan", entry)))
    (summary,) = page.summaries
    assert " ".join(escape(cut(choose_title(entry), 200)).split()) in " ".join(remove_marks(summary).split())
    assert " ".join(escape(entry.file).split()) in " ".join(remove_marks(summary).split())


def test_the_golden_reports_render_as_pages_of_ours() -> None:
    for name, build in DOCUMENTS.items():
        run = build()
        assert check(render_markdown(run)).tags, name


def test_only_the_commit_that_set_a_value_may_become_a_link() -> None:
    set_by = make_since(COMMIT, f"Ada {COMMIT}", "2026-11-20T09:30:00+01:00")
    entry = assistant("a", change("/name", COMMIT, "x", since=set_by), error=failure("server", f"no {COMMIT} here"))
    markdown = render_markdown(document("plan", entry))
    page = Page(markdown)
    assert re.findall(r"[0-9a-f]{7,}", page.sentences) == [COMMIT[:7]]
    assert f"Set by {COMMIT[:7]}, Ada <code>{COMMIT}</code>, 2026-11-20" in markdown
