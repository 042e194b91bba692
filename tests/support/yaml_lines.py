"""Which lines of a text an edit may change: what the tests of edits compare a text before and after with."""

import re
from collections.abc import Sequence

import yaml
from yaml_styles import Path, StyledText

from reconciler.yamltext.reader import read_yaml


def check_other_parser(before: str, after: str) -> None:
    """A second parser, PyYAML's own, reads the text as we do, unless it did not take the one before.

    It takes no tab between a key and its value.
    """
    try:
        yaml.load(before, yaml.SafeLoader)
    except yaml.YAMLError:
        return
    assert yaml.load(after, yaml.SafeLoader) == read_yaml(after.removeprefix("\ufeff"))


def check_form(original: StyledText, after: str) -> None:
    """The line breaks, the byte order mark and the end of the file are as before."""
    assert after.startswith("\ufeff") == original.text.startswith("\ufeff")
    assert after.endswith("\n") == original.text.endswith("\n")
    if original.newline == "\r\n":
        assert after.count("\n") == after.count("\r\n")
    else:
        assert "\r" not in after


def check_lines(original: StyledText, paths: Sequence[Path], after: str) -> None:
    """Only the lines of the values at some paths are others than before."""
    old = original.text.removeprefix("\ufeff").split(original.newline)
    new = after.removeprefix("\ufeff").split(original.newline)
    spans = [span_of(original, path) for path in paths]
    if fits(old, new, spans):
        return
    # A text that keeps its last line breaks takes the blank lines that follow: they would be its own.
    if re.search(r"[|>][0-9]?\+", after):
        # At the end of a file, too, where only the last line break is nobody's own.
        last = max(len(old) - 1, 0)
        spans = [
            (first, next((at for at in range(end, len(old)) if old[at].strip()), max(end, last)))
            for first, end in spans
        ]
        if fits(old, new, spans):
            return
    # A text that the file breaks off takes no line after it, and one that is written before an indented comment would
    # take that in: then a new key stands before the last one.
    ends_in_comment = re.search(r"\n[ \t]+#[^\n]*\s*(?:\.\.\.\s*)?\Z", after)
    assert not original.text.endswith("\n") or ends_in_comment
    assert any(path not in original.places for path in paths)
    starts = {place.first for place in original.places.values() if place.last == last_line(original)}
    assert fits(old, new, [*spans, *((start, start) for start in starts)])


def fits(old: list[str], new: list[str], spans: list[tuple[int, int]]) -> bool:
    """Tell whether the lines outside the spans are all there, in order; of a span lines `first` to `end - 1`."""
    chunks: list[list[str]] = []
    position = 0
    for first, end in sorted(spans):
        chunks.append(old[position : max(first, position)])
        position = max(position, end)
    if not chunks:
        return old == new
    first_chunk, *others, last_chunk = [*chunks, old[position:]]
    if new[: len(first_chunk)] != first_chunk or (last_chunk and new[-len(last_chunk) :] != last_chunk):
        return False
    place = len(first_chunk)
    for chunk in others:
        while new[place : place + len(chunk)] != chunk:
            place += 1
            if place > len(new):
                return False
        place += len(chunk)
    return place <= len(new) - len(last_chunk)


def span_of(original: StyledText, path: Path) -> tuple[int, int]:
    """Return the lines that an edit may change: those of the value, or the place after its object's last one."""
    if path in original.places:
        place = original.places[path]
        return place.first, place.last + 1
    holder = path[:-1]
    while holder and holder not in original.places:
        holder = holder[:-1]
    if not holder:
        if any(place.in_brackets for place in original.places.values()):
            return next(iter(original.places.values())).first, last_line(original) + 1
        return last_line(original) + 1, last_line(original) + 1
    place = original.places[holder]
    if place.kind == "mapping":
        return place.last + 1, place.last + 1
    return place.first, place.last + 1


def last_line(original: StyledText) -> int:
    return max(place.last for place in original.places.values())
