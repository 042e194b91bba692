"""The YAML parser's complaints in words for people who do not program, and where the trouble really is.

Nothing of the file is quoted except the one character that a text begins with, so no message can give a
secret away.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import yaml

_QUOTE_IT = 'put the whole text in quotes ("..."), or write it below the key as a block that begins with ">-"'
_AFTER_QUOTE = (
    'the text goes on after its closing quote; put the whole text in quotes, and write a quote inside it as \\" '
    "between double quotes, or as '' between single quotes"
)
_CONFLICT = re.compile(r"^(?:<{7}|>{7})(?: |$)", re.MULTILINE)
_KEY_THEN_TEXT = re.compile(r"^\s*(?:- )?[^\s'\"#{\[][^'\"{\[]*?:\s+(?P<value>\S.*)")
_CURLY = re.compile("[\u2018\u2019\u201c\u201d\u201e]")


class _Complaint(NamedTuple):
    """One complaint: libyaml's words, the place it is about, where that began, and the lines in question."""

    words: str
    place: tuple[int, int]
    context: tuple[int, int]
    line: str
    context_line: str
    above: list[str]

    @property
    def before(self) -> str:
        """The line up to the place."""
        return self.line[: self.place[1] - 1]

    @property
    def character(self) -> str:
        """The character at the place."""
        return self.line[self.place[1] - 1 : self.place[1]]

    @property
    def begins_with(self) -> str:
        """The first character of what the parser was reading."""
        return self.context_line[self.context[1] - 1 : self.context[1]]


_Answer = tuple[tuple[int, int], str]


def explain(text: str, error: yaml.MarkedYAMLError) -> tuple[int, int, str]:
    """Return line, column and message for an error of the parser or the composer."""
    lines = split_lines(text)
    markers = _CONFLICT.search(text)
    if markers:
        return (
            len(split_lines(text[: markers.start()])),
            1,
            "here is a merge conflict of git that nobody has resolved; keep one of the two versions",
        )
    place = _place(error.problem_mark, lines)
    context = _place(error.context_mark or error.problem_mark, lines)
    complaint = _Complaint(
        f"{error.context or ''}: {error.problem or ''}",
        place,
        context,
        lines[place[0] - 1],
        lines[context[0] - 1],
        lines[: place[0] - 1],
    )
    for words, answer in _TABLE:
        if re.search(words, complaint.words):
            (line, column), message = answer(complaint)
            return line, column, message
    return *place, f"this is not valid YAML ({error.problem})"


def split_lines(text: str) -> list[str]:
    """Return the lines of a text as YAML counts them."""
    return re.split(r"\r\n|\r|\n", text)


def _place(mark: yaml.Mark | None, lines: list[str]) -> tuple[int, int]:
    """Return line and column, from 1; the parser places what is missing at the end on a line behind the last."""
    if mark is None:
        return 1, 1
    return (mark.line + 1, mark.column + 1) if mark.line < len(lines) else (len(lines), len(lines[-1]) + 1)


def _begins(character: str) -> str:
    return f'a text cannot begin with "{character}" unless it is in quotes; put the whole text in quotes ("...")'


def _at(message: str) -> Callable[[_Complaint], _Answer]:
    return lambda complaint: (complaint.place, message)


def _began(message: str) -> Callable[[_Complaint], _Answer]:
    return lambda complaint: (complaint.context, message)


def _began_with(complaint: _Complaint) -> _Answer:
    return complaint.context, _begins(complaint.begins_with)


def _odd_character(complaint: _Complaint) -> _Answer:
    if complaint.character == "\t":
        return complaint.place, "a tab cannot indent a line; use spaces"
    return complaint.place, _begins(complaint.character)


def _colon(complaint: _Complaint) -> _Answer:
    text = _KEY_THEN_TEXT.match(complaint.before + " ")
    if text:
        curly = "; curly quotes do not count as quotes" if _CURLY.search(text["value"]) else ""
        return complaint.place, f'a text with ": " in it must be in quotes; {_QUOTE_IT}{curly}'
    return complaint.place, (
        "this line is indented further than the line above, which has a value already; align it with the "
        "other fields, or put the text above in quotes if this line belongs to it"
    )


def _no_key(complaint: _Complaint) -> _Answer:
    before = complaint.before.rstrip()
    text = _KEY_THEN_TEXT.match(complaint.line)
    if text and before:
        first = text["value"][0]
        if first in "{[":
            return (complaint.place[0], text.start("value") + 1), _begins(first)
    if before.endswith(('"', "'")):
        return _opened_above(complaint, before) or (complaint.place, _AFTER_QUOTE)
    if before.endswith(("}", "]")):
        return _brackets(complaint)
    if complaint.character == "-":
        return complaint.place, (
            "a list item cannot stand here; a list begins on the line below its key, and each item with "
            '"- " in the same column'
        )
    if before:
        return complaint.place, f"this text cannot go on like this; {_QUOTE_IT}"
    return complaint.place, (
        "this line is not indented like its neighbours; fields that belong together begin in the same column"
    )


def _opened_above(complaint: _Complaint, before: str) -> _Answer | None:
    """Return the place of a quote in a line above that the one at the end of `before` has closed by mistake."""
    quote = before[-1]
    if before.count(quote) % 2:
        for number in range(len(complaint.above), 0, -1):
            line = complaint.above[number - 1]
            if line.count(quote) % 2:
                return (number, line.rfind(quote) + 1), "this quote is opened and not closed at the end of the text"
    return None


def _brackets(complaint: _Complaint) -> _Answer:
    opening = re.search(r"[{\[]", complaint.before)
    if opening is None:
        return complaint.place, "nothing can follow the bracket that closes a group; begin a new line"
    return (complaint.place[0], opening.start() + 1), _begins(opening[0])


def _missing_colon(complaint: _Complaint) -> _Answer:
    line = complaint.context_line
    if re.match(r"\s*(?:- )?[A-Za-z_][\w.]*:\S", line):
        return complaint.context, 'put a space after the colon, as in "name: value"'
    return complaint.context, (
        'this line has no "key: value"; if it belongs to the text above, indent it further than the key, or '
        'put the text in quotes; if it is a list item, begin it with "- "'
    )


def _flow(complaint: _Complaint) -> _Answer:
    opening = complaint.begins_with
    closing = {"{": "}", "[": "]"}.get(opening)
    if closing is None:
        return complaint.place, 'after a "{", "[" or comma something is missing here; a text with these needs quotes'
    return complaint.context, (
        f'"{opening}" opens a group that is not written to its end: a comma or "{closing}" is missing; a '
        f'text that begins with "{opening}" must be in quotes'
    )


def _dash(complaint: _Complaint) -> _Answer:
    return complaint.place, (
        "a list begins on the line below its key, with each item on a line of its own; a text that begins "
        'with "- " must be in quotes'
    )


_TABS = "a tab cannot indent a line; use spaces"
_TABLE: tuple[tuple[str, Callable[[_Complaint], _Answer]], ...] = (
    ("but found another document", _at('a file holds one assistant; remove this "---" and what follows')),
    ("mapping values are not allowed", _colon),
    ("mapping keys are not allowed", lambda complaint: (complaint.place, _begins("?"))),
    ("block sequence entries are not allowed", _dash),
    ("found character that cannot start any token", _odd_character),
    ("found a tab character", _at(_TABS)),
    (
        "quoted scalar: found unexpected",
        _began("this quote is opened and never closed; close it at the end of the text"),
    ),
    (
        "quoted scalar: found unknown escape character",
        _at(
            "a backslash between double quotes begins an escape, and this one does not exist; write two "
            "backslashes, or use single quotes"
        ),
    ),
    (
        "quoted scalar: ",
        _at("this escape is not complete, or no valid character; write the character itself"),
    ),
    ("while scanning a block scalar: found an indentation", _at('write only "|", "|-", ">" or ">-" here')),
    (
        "while scanning a block scalar",
        lambda complaint: (
            complaint.context,
            (
                f'after "{complaint.begins_with}" the text begins on the next line, indented; a text that '
                f'itself begins with "{complaint.begins_with}" must be in quotes'
            ),
        ),
    ),
    ("while scanning an? (?:anchor|alias|tag)", _began_with),
    ("tag handle", lambda complaint: (complaint.place, _begins("!"))),
    ("undefined alias", lambda complaint: (complaint.place, _begins("*"))),
    (
        "duplicate anchor",
        _at('this "&" name is used a second time; a text that begins with "&" must be in quotes'),
    ),
    ("directive", lambda complaint: (complaint.context, _begins("%"))),
    ("incompatible YAML document", _at("this version of YAML is not supported; remove the line")),
    (
        "document start",
        _at("this line is not indented like the lines above; fields begin in the same column"),
    ),
    ("could not find expected ':'", _missing_colon),
    ("while parsing a flow", _flow),
    ("did not find expected node content", _odd_character),
    (
        "did not find expected '-' indicator",
        _at('here a list item was to follow; begin it with "- " in the same column'),
    ),
    ("did not find expected key", _no_key),
)
