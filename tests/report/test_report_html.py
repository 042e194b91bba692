"""The HTML report: whole in itself, nothing in it acts, everything can be found. `tests/checks/browser` looks at it."""

import base64
import hashlib
import html
import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from golden_documents import DOCUMENTS, HOSTILE, NEW_PROMPT, PROMPT
from rendered import render_html
from report_documents import BASE, assistant, change, document, problem

from reconciler.core.outcome import Outcome, Status
from reconciler.report.formats import html as pages
from reconciler.report.view import make_view

VOID = {"meta", "input"}


class Outline(HTMLParser):
    """The elements of a page, each closed where it should be."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.text: list[str] = []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_page_is_whole_in_itself(name: str) -> None:
    page = render_html(DOCUMENTS[name]())
    outline = Outline(page)
    assert (outline.tags["script"], outline.tags["style"]) == (1, 1)
    assert not {"src", "style", "action", "onclick", "onerror", "srcset"} & outline.attributes
    assert not {"link", "img", "iframe", "form", "base", "object"} & set(outline.tags)
    assert re.findall(r'href="([^"]*)"', page) == ["#assistants"]
    assert "url(" not in page
    assert "@import" not in page


def test_the_policy_allows_the_page_s_own_style_and_script_and_nothing_else() -> None:
    page = render_html(document("plan", assistant("a")))
    match = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert match
    policy = html.unescape(match[1])
    for tag in ("script", "style"):
        text = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert text
        digest = base64.b64encode(hashlib.sha256(text[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_values_from_outside_are_text_and_can_be_seen() -> None:
    entry = assistant("a", change("/firstMessage", HOSTILE, "</td><script>x</script>"), name='"><svg onload=x>')
    page = render_html(document("plan", entry, warnings=["<b>\u202e</b>"], base=BASE))
    outline = Outline(page)
    assert (outline.tags["script"], outline.tags["svg"]) == (1, 0)
    text = "".join(outline.text)
    assert r"\u202egnp.exe" in text
    assert "<script>alert(1)</script>" in text
    assert '"><svg onload=x>' in text
    assert r"<b>\u202e</b>" in text


def test_changed_words_are_marked_and_coloured() -> None:
    page = render_html(document("plan", assistant("a", change("/model/messages/0/content", NEW_PROMPT, PROMPT))))
    assert "stay {+<ins>calm and </ins>+}friendly" in page
    assert page.count('<tr class="changed">') == 1
    assert "(97 lines unchanged)" in page


def test_values_are_a_sentence_with_each_side_in_its_colour() -> None:
    drifted = assistant("a", change("/name", "N", "M", kind="drift", base="N"))
    sentence = "git has <del>&#34;N&#34;</del>, live now has <ins>&#34;M&#34;</ins>"
    assert sentence in render_html(document("plan", drifted, base=BASE))
    torn = assistant("a", change("/name", "N", "M", kind="conflict", base="O"))
    sentence = "was &#34;O&#34;, git now has <ins>&#34;N&#34;</ins>, live now has <del>&#34;M&#34;</del>"
    assert sentence in render_html(document("plan", torn, base=BASE))


def test_assistants_that_share_a_card_are_counted_all_the_same() -> None:
    entries = [assistant(key, change("/voice/voiceId", "verse", "alloy")) for key in "abc"]
    page = pages.make_page(make_view(document("plan", *entries, assistant("d"), base=BASE)))
    assert [(card["card"].title, card["number"]) for card in page["cards"]] == [("3 assistants", 3), ("D", 1)]
    assert [(label, count) for label, _, count in page["categories"]] == [("to change", 3), ("in sync", 1)]


def test_every_status_and_outcome_has_a_place_among_the_filters() -> None:
    for status in Status:
        assert pages.make_page(make_view(document("plan", assistant("a", status=status))))["categories"][0][2] == 1
    for outcome in Outcome:
        (found,) = pages.make_page(make_view(document("apply", assistant("a", outcome=outcome))))["categories"]
        assert found[0] == outcome.replace("_", " ")


def test_filters_count_their_cards_and_the_most_severe_comes_first() -> None:
    run = DOCUMENTS["plan_with_base"]()
    page = pages.make_page(make_view(run))
    assert [(label, count) for label, _, count in page["categories"]] == [
        ("conflict", 1),
        ("drifted", 1),
        ("to change", 1),
    ]
    assert [(kind, count) for kind, _, count in page["origins"]] == [("conflict", 1), ("drift", 2), ("change", 2)]
    assert [card["category"] for card in page["cards"]] == ["conflict", "drifted", "to change"]


def test_definitions_that_were_only_validated_are_valid() -> None:
    entry = assistant("a", status=None)
    page = render_html(document("validate", entry, problems=[problem("b.yaml", 3, 1, "<b>wrong</b>")]))
    assert ">valid</span>" in page
    assert "&lt;b&gt;wrong&lt;/b&gt;" in page
    assert "b.yaml:3:1" in page


def test_an_assistant_that_was_never_read_says_so() -> None:
    entry = assistant("a", status=None)
    assert ">not read</span>" in render_html(document("plan", entry))
