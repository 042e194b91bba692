"""Writes text from outside so that Markdown shows it without interpreting it.

GitHub replaces `@name`, `#123`, addresses, `:smile:` and hashes of commits after it has rendered Markdown. Escapes do
not prevent that, but a zero-width space after the sign does. In code, nothing is replaced. Hashes become code, because
people copy them.
"""

import re

from reconciler.report.differences.values import drop_half_escape, escape

_NOTHING = "&#8203;"  # a zero-width space
# Two dollar signs would enclose a formula. An escape does not prevent that, but a tag does.
_DOLLAR = "<span>$</span>"
# The first branch that fits decides.
_ACTIVE = re.compile(
    r"""(?P<link>                           # what becomes a mention, a link or an emoji
        @(?=\S) | \#(?=\d) | :(?=//) | \bwww(?=\.) | \bGH(?=-\d)
        | :(?=100: | 1234:)                 # the only emoji whose name is a number; all others look like a time
        | :(?!\d\dZ | \d+(?::|$))(?=[\w+-]+(?::|$))  # at the end, too: a colon of ours may follow
    )
    | (?P<hash>                             # what becomes a link to a commit; of a UUID no part does
        (?<!\w) [0-9a-f]{7,} (?:-[0-9a-f]+)* (?!\w)
    )
    | [&<>|`*\[\]\\~$]                     # markup
    | (?<![^\W_])_ | _(?![^\W_])            # an underscore between two letters is none
    """,
    re.IGNORECASE | re.VERBOSE,
)
_CODE_SPAN = re.compile(r"[^\s`|\\](?:[^`|\\]*[^\s`|\\])?")
_BACKTICKS = re.compile(r"`+")


def inline(text: str) -> str:
    """Return a text for a sentence, a table's cell or HTML. Markup is shown, and mentions and links do not work."""
    return _ACTIVE.sub(_in_sentence, escape(text))


def begin_paragraph(markdown: str) -> str:
    """Return Markdown as a paragraph: a text from outside at its beginning starts no list, heading or block of code."""
    return _NOTHING + markdown


def _in_sentence(match: re.Match[str]) -> str:
    if match["hash"]:
        return f"<code>{match[0]}</code>"
    return _DOLLAR if match[0] == "$" else _in_code(match)


def _in_code(match: re.Match[str]) -> str:
    if match["hash"]:
        return match[0]
    return match[0] + _NOTHING if match["link"] else f"&#{ord(match[0])};"


def code(text: str) -> str:
    """Return a text as code in a sentence or a table's cell: as a code span if possible, else as HTML."""
    # In a cell, a code span cannot contain a backslash before `|`, so this needs HTML.
    visible = escape(text)
    return f"`{visible}`" if _CODE_SPAN.fullmatch(visible) else html_code(text)


def html_code(text: str) -> str:
    """Return a text as code in HTML, for places where Markdown is not interpreted."""
    return f"<code>{_ACTIVE.sub(_in_code, escape(text))}</code>"


def fence(lines: list[str], language: str = "") -> str:
    """Return escaped lines as a block of code. The fence is longer than any run of backticks in them."""
    longest = max((len(run) for line in lines for run in _BACKTICKS.findall(line)), default=0)
    marks = "`" * max(3, longest + 1)
    return "\n".join([marks + language, *(line.rstrip() for line in lines), marks])


def cut(text: str, length: int) -> str:
    """Return a text of at most `length` characters. A shortened text ends in an ellipsis."""
    return text if len(text) <= length else drop_half_escape(text[: length - 1]).rstrip() + "\u2026"


def shorten_middle(text: str, length: int) -> str:
    """Return a text of at most so many characters, without its middle: names often differ only at the end."""
    if len(text) <= length:
        return text
    tail = (length - 1) // 2
    return text[: length - 1 - tail].rstrip() + "\u2026" + text[len(text) - tail :].lstrip()
