"""Explains the YAML parser's errors in plain words, where the mistake really is. Quotes one character at most."""

import re
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

import yaml

from reconciler.assistant.fields import CLOSED_OBJECTS
from reconciler.assistant.plain_words import find_slip
from reconciler.assistant.texts import HOW_TO_RESOLVE, TEXT_KEY
from reconciler.yamltext.misread_lines import (
    FIELD_NAMES,
    GLUED,
    KEY_LINE,
    NO_SPACE,
    QUOTE_IT,
    find_invisible,
    find_pasted_text,
    find_wrong_key,
)

MAX_DEPTH: Final = 64
TOO_DEEP: Final = f"this is nested more than {MAX_DEPTH} levels deep"
# In a message {} stands for the character at its place. Nothing else is quoted from the file.
_NEEDS_QUOTES: Final = 'a text cannot begin with "{}" unless it is in quotes; put the whole text in quotes ("...")'
_AFTER_QUOTE = (
    'the text continues after its closing quote; put the whole text in quotes, and write a quote inside it as \\" '
    "in double quotes, or as '' in single quotes"
)
_COMMA: Final = (
    "remove this comma: each field and each list item is on its own line, without a comma; if the text continues "
    "here, put all of it in quotes"
)
# Patterns are compiled only when a file has a mistake.
_CONFLICT = r"(?m)^(?:(?:<{7}|>{7}) |={7}\r?$)"
_KEY_THEN_TEXT = r"^\s*(?:- )?(?P<key>[^\s'\"#{\[][^'\"{\[]*?):\s+(?P<value>\S.*)"
_QUOTED_LINE = r"\s*(?:- )?([\"'])\w+: .*\1\s*$"
_NO_COLON: Final = 'this line has no "key: value"; put a colon and a space after its key'
_TABS: Final = "a tab cannot indent a line; use spaces"
_PASTED_TEXT: Final = (
    'a text of several lines is written below its key as a block: write "|-" after the colon, and indent every line '
    "of the text further than the key"
)
_CURLY = "[\u2018\u2019\u201c\u201d\u201e]"


class _Error(NamedTuple):
    """One error: libyaml's words, the place where it gave up, and the context, where the value it was reading began."""

    words: str
    place: tuple[int, int]
    context: tuple[int, int]
    lines: list[str]

    @property
    def line(self) -> str:
        """The line of the place."""
        return self.lines[self.place[0] - 1]

    @property
    def before(self) -> str:
        """The line up to the place."""
        return self.line[: self.place[1] - 1]

    def character(self, place: tuple[int, int]) -> str:
        """Return the character at a place, empty at the end of a line."""
        return self.lines[place[0] - 1][place[1] - 1 : place[1]]


# What to say. It comes with a place if the mistake is neither at the parser's place nor at its context.
_Explanation = str | tuple[tuple[int, int], str]


def explain_error(text: str, error: yaml.MarkedYAMLError) -> tuple[int, int, str]:
    """Return line, column and message for an error of the parser or the composer."""
    lines = split_lines(text)
    # If the file has a merge conflict, that is the problem, wherever the parser fails.
    if markers := re.search(_CONFLICT, text):
        message = f"this is an unresolved git merge conflict; {HOW_TO_RESOLVE}"
        return len(split_lines(text[: markers.start()])), 1, message
    place = _read_mark(error.problem_mark, lines)
    context = _read_mark(error.context_mark or error.problem_mark, lines)
    # So is an invisible character next to a colon, a dash or a quote.
    for number in range(max(1, min(context[0], place[0]) - 1), place[0] + 1):
        if invisible := find_invisible(lines[number - 1]):
            return number, invisible[0], invisible[1]
    if wrong_key := find_wrong_key(lines, place, context, error.problem or ""):
        return wrong_key
    if pasted := find_pasted_text(lines, place[0]):
        return *pasted, _PASTED_TEXT
    for number in dict.fromkeys((context[0], place[0])):
        if slip := find_slip(lines[number - 1]):
            return number, *slip
    parse_error = _Error(f"{error.context or ''}: {error.problem or ''}", place, context, lines)
    for words, place_name, explanation in _TABLE:
        if re.search(words, parse_error.words):
            result = explanation if isinstance(explanation, str) else explanation(parse_error)
            own_place, message = (getattr(parse_error, place_name), result) if isinstance(result, str) else result
            return *own_place, message.replace("{}", parse_error.character(own_place))
    return *place, f"this is not valid YAML ({error.problem})"


def split_lines(text: str) -> list[str]:
    """Return the lines of a text as YAML counts them."""
    return re.split(r"\r\n|\r|\n", text)


def _read_mark(mark: yaml.Mark | None, lines: list[str]) -> tuple[int, int]:
    """Return line and column, from 1. If something is missing at the end, the parser names a line after the last."""
    if mark is None:
        return 1, 1
    return (mark.line + 1, mark.column + 1) if mark.line < len(lines) else (len(lines), len(lines[-1]) + 1)


def _explain_character(error: _Error) -> str:
    if error.line.startswith("..."):
        return 'this "..." ends the file before its first field; remove this line'
    return _TABS if error.character(error.place) == "\t" else _NEEDS_QUOTES


def _explain_colon(error: _Error) -> _Explanation:
    # The colon is the second one on its line, or it makes a key of a line below a complete value.
    text = re.match(_KEY_THEN_TEXT, error.before + " ")
    if text is None:
        return _explain_key_below(error)
    word = re.search(r"[\w$]+\Z", error.before)
    start = error.place[0], word.start() + 1 if word else error.place[1]
    if text["value"].rstrip() == TEXT_KEY:
        return start, f"write it as {{{TEXT_KEY}: PATH}}, or start a new line before {TEXT_KEY}, indented below its key"
    if word and word[0] in FIELD_NAMES:
        below = ", indented," if text["key"] in CLOSED_OBJECTS else ""
        return start, (
            f"start a new line before {word[0]}{below} if a new field starts here; if this is part of a text, put the "
            'whole text in quotes ("...")'
        )
    curly = "; curly quotes do not count as quotes" if re.search(_CURLY, text["value"]) else ""
    return f'a text with ": " in it must be in quotes; {QUOTE_IT}{curly}'


def _explain_key_below(error: _Error) -> _Explanation:
    if error.before.rstrip().endswith(":"):
        return _NEEDS_QUOTES.format(":")
    above = error.lines[error.place[0] - 2] if error.place[0] > 1 else ""
    if above.strip() and _measure_indent(above) == _measure_indent(error.before):
        column, message = find_slip(above) or (_measure_indent(above) + 1, _NO_COLON)
        return (error.place[0] - 1, column), message
    return (
        "this line is indented further than the line above, which already has a value; align it with the "
        "other fields, or put the text above in quotes if this line belongs to it"
    )


def _measure_indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _explain_key(error: _Error) -> _Explanation:
    before = error.before.rstrip()
    text = re.match(_KEY_THEN_TEXT, error.line)
    if text and before and text["value"][0] in "{[":
        return (error.place[0], text.start("value") + 1), _NEEDS_QUOTES
    if before.endswith(('"', "'")):
        return _find_opening_quote(error, before) or _explain_item(error)
    if before.endswith(("}", "]")):
        opening = re.search(r"[{\[]", before)
        if opening is None:
            return "nothing can follow the bracket that closes a group; start a new line"
        return (error.place[0], opening.start() + 1), _NEEDS_QUOTES
    item = re.match(r"\s*- (\w+):", error.line)
    if item and item[1] in FIELD_NAMES and error.character(error.place) == "-":
        return "a field begins without a dash; remove it"
    if error.character(error.place) == "-":
        return (
            'a list item is not allowed here; a list starts on the line below its key, with each "- " in the same '
            "column; a line of a text is indented further than its key"
        )
    if before:
        return f"this text cannot continue like this; {QUOTE_IT}"
    if not re.match(KEY_LINE, error.line):
        return "this line is neither a field nor a list item; lines of a text are indented as far as its first line"
    return "this line is not indented like its neighbours; fields that belong together start in the same column"


def _explain_item(error: _Error) -> str:
    if error.before.rstrip().endswith(('"', "'")):
        return _COMMA if error.character(error.place) == "," else _AFTER_QUOTE
    return 'a list item is expected here; start it with "- " in the same column'


def _find_opening_quote(error: _Error, before: str) -> _Explanation | None:
    """Return the place of the quote in a line above that the quote at the end of `before` closes by mistake."""
    quote = before[-1]
    # A text without its closing quote runs on to the next quote, which was meant to open another text.
    if before.count(quote) % 2:
        for number in range(error.place[0] - 1, 0, -1):
            line = error.lines[number - 1]
            if line.count(quote) % 2:
                return (number, line.rfind(quote) + 1), "this quote is opened but not closed at the end of the text"
    return None


def _explain_missing_colon(error: _Error) -> str:
    line = error.lines[error.context[0] - 1]
    if re.match(GLUED, line):
        return NO_SPACE
    if re.match(_QUOTED_LINE, line):
        return 'remove the quotes around the line; quotes go around the text only, as in name: "value"'
    return (
        'this line has no "key: value"; if it belongs to the text above, indent it further than the key, or '
        'put the text in quotes; if it is a list item, start it with "- "'
    )


def _explain_quote(error: _Error) -> str:
    # To its writer a curly quote may look like the closing one.
    curly = re.search(_CURLY, error.lines[error.context[0] - 1][error.context[1] :])
    advice = f"a curly quote ({curly[0]}) closes nothing; write {{}} instead of it" if curly else ""
    return f"this quote is opened but never closed; {advice or 'close it at the end of the text'}"


def _explain_document(error: _Error) -> _Explanation:
    if error.character(error.place) in ("}", "]"):
        return 'this "{}" closes a group that is not open; remove it'
    for number in range(error.place[0] - 1, 0, -1):
        if error.lines[number - 1].startswith("..."):
            return (number, 1), 'this "..." ends the file before its last field; remove this line'
    if any(line.startswith("{") for line in error.lines[: error.place[0]]):
        return 'the "{" at the beginning is closed above; write this before its "}", after a comma'
    return "this line is not indented like the lines above; fields start in the same column"


def _explain_group(error: _Error) -> _Explanation:
    opening = error.character(error.context)
    closing = {"{": "}", "[": "]"}.get(opening)
    if closing is None:
        return error.place, 'something is missing here after a "{", "[" or comma; a text with these must be in quotes'
    # In a group over several lines, such as JSON, something is missing at the end of a line above.
    line, column = error.context
    if error.place[0] > line and error.character(error.place) and not error.lines[line - 1][column:].strip():
        for number in range(error.place[0], line, -1):
            if slip := find_slip(error.lines[number - 1]):
                return (number, slip[0]), slip[1]
        begin = error.place[0], _measure_indent(error.before) + 1
        return begin, f'a comma is missing before this, or the "{closing}" of the "{opening}" in line {line}'
    return (
        f'"{opening}" opens a group that is incomplete: a comma or "{closing}" is missing; a '
        f'text that begins with "{opening}" must be in quotes'
    )


_BLOCK_HEADER: Final = (
    'after "{}" the text starts on the next line, indented; a text that begins with "{}" must be in quotes'
)
_LIST_BELOW: Final = (
    "a list starts on the line below its key, with each item on its own line; so does a text of several lines, after "
    '"|-"; a text of one line that begins with "- " must be in quotes'
)
_NO_ESCAPE: Final = (
    "a backslash in double quotes starts an escape, and this one does not exist; write two "
    "backslashes, or use single quotes"
)
# libyaml's words, the place where people should look, and what to say. The first entry that fits counts.
_TABLE: tuple[tuple[str, Literal["place", "context"], str | Callable[[_Error], _Explanation]], ...] = (
    (
        "but found another document",
        "place",
        'a file is one document, such as one assistant; remove this "---", and move a second one into its own file',
    ),
    ("exceeded maximum nesting depth", "place", TOO_DEEP),  # libyaml 0.2.6 and newer
    ("mapping values are not allowed", "place", _explain_colon),
    ("mapping keys are not allowed", "place", _NEEDS_QUOTES.format("?")),
    ("block sequence entries are not allowed", "place", _LIST_BELOW),
    ("found character that cannot start any token", "place", _explain_character),
    ("found a tab character", "place", _TABS),
    ("quoted scalar: found unexpected", "context", _explain_quote),
    ("quoted scalar: found unknown escape character", "place", _NO_ESCAPE),
    (
        "quoted scalar: ",
        "place",
        "this escape is incomplete, or not a valid character; write the character itself, or two backslashes for one",
    ),
    ("while scanning a block scalar: found an indentation", "place", 'write only "|", "|-", ">" or ">-" here'),
    ("while scanning a block scalar", "context", _BLOCK_HEADER),
    ("while (?:scanning|parsing) an? (?:anchor|alias|tag)", "context", _NEEDS_QUOTES),
    ("tag handle", "place", _NEEDS_QUOTES.format("!")),
    ("undefined alias", "place", _NEEDS_QUOTES.format("*")),
    ("duplicate anchor", "place", 'this "&" name is used a second time; a text that begins with "&" must be in quotes'),
    ("directive", "context", _NEEDS_QUOTES.format("%")),
    ("incompatible YAML document", "place", "this version of YAML is not supported; remove the line"),
    ("document start", "place", _explain_document),
    ("found unexpected ':'", "context", 'in brackets, ":" needs a space after it, or quotes around the whole text'),
    ("could not find expected ':'", "context", _explain_missing_colon),
    ("while parsing a flow", "context", _explain_group),
    ("did not find expected node content", "place", _explain_character),
    ("did not find expected '-' indicator", "place", _explain_item),
    ("did not find expected key", "place", _explain_key),
)
