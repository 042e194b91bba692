"""The lints: what is valid in a definition, but probably a mistake. LINTS is the one table of their ids."""

import functools
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from reconciler.assistant.fields import BY_PATH, ID, MESSAGES
from reconciler.assistant.file_names import same_name
from reconciler.assistant.invisible import is_blank, name_character, tell_apart
from reconciler.assistant.paths import FieldPath, dotted
from reconciler.assistant.plain_words import shorten
from reconciler.assistant.problem import FieldProblem

# The schema of the settings and the reference show these descriptions.
LINTS: Final[Mapping[str, str]] = {
    "blank-text": "A message that is only white space.",
    "trailing-space": "A message that ends in white space.",
    "trailing-newline": "A message that ends in a line break.",
    "hash-cut": 'A message without quotes that a " #" cuts off.',
    "unpaired-braces": "A message with unmatched {{ or }}.",
    "unspoken-greeting": "A firstMessage that is never spoken because of firstMessageMode.",
    "spoken-markdown": "Markdown in a spoken text.",
    "spoken-link": "A link in a spoken text.",
    "spoken-emoji": "An emoji in a spoken text.",
    "spoken-tag": "A <tag> in a spoken text.",
    "placeholder": "A ${...} in a spoken text, which nothing replaces, or a $file without its brackets.",
    "folded-markdown": "Several lines of Markdown that YAML folds into one.",
    "curly-quotes": "Curly quotation marks around a whole text.",
    "line-end-blanks": "Spaces at the ends of lines inside a text.",
    "skipped-file": "A file that looks like a definition but is not read.",
    "similar-names": "Two files, or two keys of one group, whose names differ only in case or in Unicode form.",
}

_BRACES = re.compile(r"\{\{|\}\}")
_MODES_WITHOUT_FIRST_MESSAGE = {
    "assistant-waits-for-user": "the assistant waits for the caller",
    "assistant-speaks-first-with-model-generated-message": "the model makes up the first message",
}
# Emphasis touches its words, so "5 * 3 * 2", "press * twice" and snake_case do not count. No part of a pattern can
# match the beginning of another match, so each pattern takes linear time. Compiled only when a text may match.
_MARKDOWN = r"""(?mx)
      \*\* (?=\S) [^*\n]+ (?<=\S) \*\*
    | ~~ (?=\S) [^~\n]+ (?<=\S) ~~
    | (?<!\w) __ (?=\S) [^_\n]+ (?<=\S) __ (?!\w)
    | (?<![\w*]) \* (?=[^\s*]) [^*\n]* (?<=[^\s*]) \* (?![\w*])
    | (?<!\w) _ (?=[^\s_]) [^_\n]* (?<=[^\s_]) _ (?!\w)
    | ` [^`\n]+ ` | ```
    | \[ [^\[\]\n]+ \] \( [^()\n]+ \)
    | ^ [ \t]* (?: \#{1,6} | [-*+] | > ) [ \t]+ \S .*
    | ^ [ \t]* (?: \| .* \| | ={3,} | \*{3,} | _{3,} ) [ \t]* $
    | ^ (?= .*--- ) [-:|\ \t]+ $
    | (?: ^ [ \t]* [0-9]{1,2} [.)] [ \t]+ \S .* (?: \n \s* | \Z ) ){2,}
    """
# A voice reads a bare name such as example.edu well enough, but not a path after it.
_LINK = r"(?i)(?:https?://|www\.|mailto:)[^\s<>]+|(?<![\w.-])(?:[\w-]+\.)+[a-z]{2,}/\S+"
# The blocks with pictures and keycaps, and the mark that turns a character into a picture.
_PICTURES = "\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u231a\u231b\u23e9-\u23fa\u20e3\ufe0f"
_EMOJI = f"[{_PICTURES}]+"
_TAG = r"</?[^\W\d_][\w:.-]*(?:\s[^<>]*)?/?>|<!--[^<>]*>"
_PLACEHOLDER = r"\$\{[^}\n]*\}?|\A\$file\b.*"
# Each match of the five patterns contains one of these, but few texts do: one quick search saves five slow ones.
_ANY_SIGN = re.compile(rf"[*~_`\[#>|+<$/{_PICTURES}]|-[ \t-]|==|\n[ \t]*[0-9]|[wW]\.|[oO]:")
_IN_SPEECH: Final = (
    ("spoken-markdown", _MARKDOWN, "has Markdown, which a voice reads out or drops: write plain words"),
    ("spoken-link", _LINK, "has a link, which nobody can click in a call: say where to find it"),
    ("spoken-emoji", _EMOJI, "has an emoji, which a voice reads out or drops: remove it"),
    ("spoken-tag", _TAG, "has a tag, which a voice may read out: remove it"),
    ("placeholder", _PLACEHOLDER, "has a placeholder that nothing fills: a variable is {{name}}, a file {$file: PATH}"),
)
_LINE_END_BLANKS = re.compile(r"(?<![^\S\r\n])[^\S\r\n]+(?=\r?\n)")
# YAML would take a straight quote at the beginning. A word processor may leave the last quote straight.
_OPENING_QUOTES = "\u201c\u2018\u201e\u201a\u00ab\u00bb\u201d"
_QUOTED = "(?s).(?:.*[\u201d\u2019\u201c\u2018\u00bb\u00ab]|[^\"]*\"|[^']*')"


def find_lints(
    declared: Mapping[str, Any], cut_off: Collection[str] = (), folded: Collection[FieldPath] = ()
) -> list[FieldProblem]:
    """Return what is most likely a mistake in the declared fields.

    `cut_off`: messages that end before a ` #`. `folded`: texts whose Markdown lines YAML has joined.
    """
    # Any field may have any type here, since definitions with errors are checked as well.
    problems = [problem for field in MESSAGES for problem in _check_message(field, declared.get(field), cut_off)]
    problems += _check_mode(declared)
    problems += map(_describe_folded, folded)
    for path, value in _list_nodes(declared, (), []):
        if isinstance(value, dict):
            problems += _check_keys(path, tuple(value))
        # Values outside a list of choices are reported by the checks.
        elif path != ID.path and not (path in BY_PATH and BY_PATH[path].choices):
            problems += _check_text(path, value)
    return problems


def _check_message(field: str, message: Any, cut_off: Collection[str]) -> Iterator[FieldProblem]:
    if field in cut_off:
        yield _make_problem(
            "hash-cut",
            (field,),
            f'" #" begins a comment, so {field} ends before it; put the text in quotes if the "#" belongs to it, or '
            "put the comment on its own line",
        )
    if not isinstance(message, str):
        return
    if message and is_blank(message):
        yield _make_problem("blank-text", (field,), f"{field} is only white space; write null for no message")
    elif message.endswith(("\n", "\r")):
        # Most often, the line break at the end of a block text. A voice makes a pause there.
        advice = ('; remove it, or write "|-" or ">-" instead of "|" or ">"', "; remove the empty line at the end")
        words = f"{field} ends in a line break"
        yield _make_problem("trailing-newline", (field,), words, message.rstrip(), advice=advice)
    elif message != message.rstrip():
        # A no-break space comes with copied text, and looks like an ordinary space.
        name = "" if message.endswith((" ", "\t")) else f", {name_character(message[-1])}"
        yield _make_problem("trailing-space", (field,), f"{field} ends in white space{name}; remove it", message)
    unpaired = _find_unpaired(message)
    if unpaired is not None:
        words = f'{field} has "{{{{" and "}}}}" that do not pair up; a variable is written {{{{name}}}}'
        yield _make_problem("unpaired-braces", (field,), words, message[:unpaired])
    for lint, pattern, words in _IN_SPEECH if _ANY_SIGN.search(message) else ():
        if match := re.search(pattern, message):
            # An item of a list begins with the line end before it.
            prefix = message[: match.start() + len(match[0]) - len(match[0].lstrip())]
            discreet, excerpt = f"{field} {words}", shorten(match[0])
            yield _make_problem(lint, (field,), f"{discreet} (here: {excerpt})", prefix, discreet=discreet)


def _find_unpaired(text: str) -> int | None:
    """Return where the first {{ or }} without its counterpart begins."""
    opened: int | None = None
    for brace in _BRACES.finditer(text):
        if (brace[0] == "{{") != (opened is None):
            return brace.start() if opened is None else opened
        opened = brace.start() if opened is None else None
    return opened


def _check_mode(declared: Mapping[str, Any]) -> Iterator[FieldProblem]:
    mode, greeting = declared.get("firstMessageMode"), declared.get("firstMessage")
    if greeting and isinstance(mode, str) and mode in _MODES_WITHOUT_FIRST_MESSAGE:
        reason = _MODES_WITHOUT_FIRST_MESSAGE[mode]
        words = f"firstMessage is never spoken: with this firstMessageMode {reason}"
        yield _make_problem("unspoken-greeting", ("firstMessage",), words)


def _describe_folded(path: FieldPath) -> FieldProblem:
    words = 'has lines of Markdown that YAML joins into one; write it as a block: "|-", then the lines below'
    if path[-1].isdigit():
        words += '; if these are items of the list, begin each "- " in the same column'
    return _make_problem("folded-markdown", path, f"{dotted(path)} {words}")


def _check_text(path: FieldPath, text: str) -> Iterator[FieldProblem]:
    body = text.rstrip()
    if "\n" in body and (match := _LINE_END_BLANKS.search(body)):
        prefix = text[: match.start()]
        line = prefix.count("\n") + 1
        words = f"{dotted(path)} has spaces at the end of line {line}; remove them"
        yield _make_problem("line-end-blanks", path, words, prefix)
    stripped = body.lstrip()
    opening = stripped[:1]
    # Two quotations in a sentence are not quotation marks around it.
    if opening in _OPENING_QUOTES and re.fullmatch(_QUOTED, stripped) and opening not in stripped[1:-1]:
        words = f"{dotted(path)} has curly quotes around it, which become part of the text"
        yield _make_problem("curly-quotes", path, words, advice=('; use "..."', "; remove them"))


def _check_keys(path: FieldPath, keys: tuple[str, ...]) -> Iterator[FieldProblem]:
    """Yield keys of a group that were probably meant to be the same; the API keeps both."""
    first_keys: dict[str, str] = {}
    for key in keys if _are_similar(keys) else ():
        if (other := first_keys.setdefault(same_name(key), key)) != key:
            words = f"{dotted((*path, key))} and {other} beside it differ only {tell_apart(key, other)}; remove one"
            discreet = "this key and one beside it differ only in case or in Unicode form; remove one"
            yield _make_problem("similar-names", (*path, key), words, about="key", discreet=discreet)


# In a large project, the same keys come up a thousand times.
@functools.lru_cache(maxsize=512)
def _are_similar(keys: tuple[str, ...]) -> bool:
    return len({same_name(key) for key in keys}) < len(keys)


def _list_nodes(value: Any, path: FieldPath, nodes: list[tuple[FieldPath, Any]]) -> list[tuple[FieldPath, Any]]:
    """Add every group and every text to look at inside a value, each with its path, and return all of them."""
    # Check for `dict`, which the reader makes: checking for Mapping is far slower, and every value is visited.
    if isinstance(value, str):
        # Most texts have neither blanks before another line nor curly quotes.
        if "\n" in value or not value.isascii():
            nodes.append((path, value))
    elif isinstance(value, dict):
        nodes.append((path, value))
        for key, item in value.items():
            _list_nodes(item, (*path, key), nodes)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _list_nodes(item, (*path, str(index)), nodes)
    return nodes


def _make_problem(lint: str, path: FieldPath, message: str, prefix: str = "", **details: Any) -> FieldProblem:
    """Return a problem in a text, in the line that comes after the text `prefix`."""
    return FieldProblem(path, message, severity="warning", lint=lint, line=prefix.count("\n") + 1, **details)
