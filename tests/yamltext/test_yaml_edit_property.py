"""NewValues of definitions in many styles: what they read as, and that no other line changes."""

import itertools
import re
from random import Random
from typing import Any

import pytest
from depth import examples
from hypothesis import HealthCheck, assume, given, settings, strategies as st
from trees import set_value, value_at
from yaml_lines import check_form, check_lines, check_other_parser
from yaml_styles import Path, StyledText, Writer

from reconciler.yamltext.edit import EditRefused, NewValues, edit_yaml
from reconciler.yamltext.nodes import UnreadableText
from reconciler.yamltext.reader import read_yaml

EXAMPLES = examples(150)

texts = st.one_of(
    st.sampled_from(["", "yes", "0o14", "12", "it's", "a: b", "x #y", "{{name}}, hi", "- a", " a ", "tab\there"]),
    st.sampled_from(["Hi there", "Grüße 😀", "a\nb\n", "a\n\n b\nc", "  a\nb\n\n", "\na", "a  \nb", "\n", "é\n日本"]),
    st.text(st.sampled_from("ab é:#'\"-\n\t,[{}!&*|>%@`\\\x07\u2028"), max_size=12),
    st.lists(st.sampled_from(["word", "longer", "é", "x,", "it's", "a:"]), min_size=10, max_size=40).map(" ".join),
)
scalars = st.one_of(texts, st.integers(-1000, 1000), st.floats(-1e6, 1e6), st.booleans(), st.none())
values = st.one_of(
    scalars,
    scalars,
    st.lists(scalars, max_size=4),
    st.dictionaries(st.sampled_from(["a", "b c", "yes", "k0", "é"]), scalars | st.lists(texts, max_size=2), max_size=3),
    st.lists(st.fixed_dictionaries({"role": texts, "text": texts}), max_size=2),
)


@st.composite
def documents(draw: st.DrawFn) -> StyledText:
    random: Random = draw(st.randoms(use_true_random=False))
    written = Writer(random).write()
    try:
        meaning = read_yaml(written.text)
    except UnreadableText:
        assume(False)
    assume(isinstance(meaning, dict))
    return written


@st.composite
def draw_edits(draw: st.DrawFn, original: StyledText) -> NewValues:
    """NewValues of values that are there, of new keys, and of what lies within an alias or between brackets."""
    meaning = read_yaml(original.text)
    paths = [*original.places, *original.places, ("new",), ("new", "inner")]
    for path in original.places:
        value = value_at(meaning, path)
        if isinstance(value, dict):
            paths += [(*path, "new"), (*path, "new", "inner"), *((*path, key) for key in value)]
        elif value is None:
            paths += [(*path, "new")]
    chosen: list[Path] = []
    for path in draw(st.lists(st.sampled_from(paths), min_size=1, max_size=3)):
        if not any(path[: len(other)] == other[: len(path)] for other in chosen):
            chosen.append(path)
    return {path: draw(similar_to(value_at(meaning, path))) for path in chosen}


def similar_to(value: Any) -> st.SearchStrategy[Any]:
    """New values, for a list or a text also ones with a part changed."""
    if isinstance(value, list) and value:
        shorter = st.integers(0, len(value) - 1).map(lambda index: value[:index] + value[index + 1 :])
        longer = st.tuples(st.integers(0, len(value)), scalars).map(
            lambda change: [*value[: change[0]], change[1], *value[change[0] :]]
        )
        return values | shorter | longer
    if isinstance(value, str) and value:
        return values | st.just(value.replace(" ", "\n", 1)) | st.just(value + " more") | st.just("First " + value)
    return values


@pytest.mark.parametrize("part", range(4))
def test_only_the_lines_of_edited_values_change(part: int) -> None:
    outcomes: list[str] = []

    @given(st.data())
    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    def check(data: st.DataObject) -> None:
        written = data.draw(documents())
        edits = data.draw(draw_edits(written))
        outcomes.append(check_edits(written, edits))

    check()
    assert set(outcomes) <= {"edited", "anchor"}
    assert outcomes.count("anchor") <= len(outcomes) // 6  # few examples are drawn every day


def check_edits(original: StyledText, edits: NewValues) -> str:
    """Return what became of edits, having checked it."""
    before = original.text
    intended = read_yaml(before)
    for path, value in edits.items():
        set_value(intended, path, value)
    try:
        after = edit_yaml(before, edits)
    except EditRefused as refused:
        assert "&" in before
        assert "*" in before
        return "anchor" if "an anchor (&)" in refused.message else refused.message
    assert repr(canonical(read_yaml(after))) == repr(canonical(intended))
    check_other_parser(before, after)
    assert edit_yaml(after, edits) == after
    check_form(original, after)
    check_lines(original, [*edits], after)
    for path in edits:
        if path in original.places:
            assert original.places[path].comment in after
    return "edited"


def canonical(value: Any) -> Any:
    """Return a value in which equal numbers look alike, and keys are sorted."""
    if isinstance(value, dict):
        return {key: canonical(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [canonical(item) for item in value]
    return float(value) if type(value) is int else value


@given(st.data(), st.lists(st.sampled_from([1, 2, 13]), min_size=1, max_size=5))
@settings(max_examples=EXAMPLES * 10)
def test_a_folded_text_keeps_the_lines_around_an_edit(data: st.DataObject, sizes: list[int]) -> None:
    old = [f"w{number}" for number in range(sum(sizes))]
    stops = [*itertools.accumulate(sizes)]
    old_lines = [" ".join(old[stop - size : stop]) for size, stop in zip(sizes, stops, strict=True)]
    places = st.sampled_from([0, *stops]) | st.integers(0, len(old))
    start, end = sorted([data.draw(places), data.draw(places)])
    # New words look like old ones, are longer than a line, or hold two spaces, at which no line may end.
    near = st.sampled_from(old[start:end] or old)
    new_words = near.flatmap(lambda word: st.sampled_from([f"{word}x", f"x{word}", "x" * 70, "x" * 70 + "  y"]))
    added = data.draw(st.just([]) | st.lists(new_words, max_size=30)) or old[: start == 0 and end == len(old)]
    new = " ".join([*old[:start], *added, *old[end:]])
    after = edit_yaml("".join(["a: >-\n", *(f"  {line}\n" for line in old_lines), "b: 1\n"]), {("a",): new})
    head, *new_lines, tail = [line.strip() for line in after.splitlines()]
    assert (head, " ".join(new_lines), tail) == ("a: >-", new, "b: 1")
    # Of the lines next to the edit, one takes part in it.
    first = min(sum(stop <= start for stop in stops), len(sizes) - 1)
    last = min(sum(stop - size >= end for size, stop in zip(sizes, stops, strict=True)), len(sizes) - 1 - first)
    assert new_lines[:first] == old_lines[:first]
    assert new_lines[len(new_lines) - last :] == old_lines[len(sizes) - last :]
    width = max(60, *map(len, old_lines))
    assert all(len(line) <= width or not re.search(r"\S \S", line) for line in new_lines)
    for line, next_line in itertools.pairwise(new_lines[first : len(new_lines) - last] if added or start < end else []):
        assert len(line) + len(re.split(r"(?<! ) (?! )", next_line)[0]) >= width
