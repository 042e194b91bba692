"""Finds what libyaml accepts but other YAML parsers reject or read differently. Values are checked elsewhere.

libyaml is lenient about layout. The rules are YAML 1.2's: between two tokens are spaces, line ends, and comments with
a space before them; a value over several lines is indented further than what it belongs to.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import yaml

Ambiguity = tuple[int, str]  # a position in the text, and what parsers read differently there
# What a rule can be broken with, as far as a look at the characters tells. Each begins with a literal, and no part of
# one can run over the beginning of another match, so that a text of any length takes one quick walk.
_LONE_RETURN: Final = re.compile(r"\r(?!\n)")
_RISK_IN_BRACKETS: Final = re.compile(r"[?!]|['\"]:\S|-\s*[,\]}]")
_HEADER_BEGINS_LINE: Final = re.compile(r"\n *[|>]")
_LINE_OF_BLANKS: Final = re.compile(r"\n +\r?\n")
BREAK: Final = re.compile(r"\r?\n")
_LINE_BEGINNING: Final = re.compile(r"\n( *)")
_COMMENT: Final = re.compile(r"#[^\r\n]*")
HEADER: Final = re.compile(r"[|>][-+0-9]*")
# Lines of blanks above a text, unless they reach exactly as far as its first line is indented.
_LEADING_BLANKS: Final = re.compile(r"(?:\r?\n)*( +)\r?\n(?!(?:\1?\r?\n)*\1[^ \r\n])")
_OPENING: Final = (yaml.FlowMappingStartToken, yaml.FlowSequenceStartToken)
_CLOSING: Final = (yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
_BLOCKS: Final = (yaml.BlockMappingStartToken, yaml.BlockSequenceStartToken)
_TAB: Final = "there is a tab here, which YAML parsers read differently; type spaces instead"
_GLUED: Final = 'put a space before this "#" if a comment starts here, or put the whole text in quotes'
_INDENT: Final = (
    "this line belongs to the value above, and YAML parsers read it differently; indent it further than the key"
)
_NO_SPACE: Final = 'put a space after this "{}", or put the whole text in quotes'
_IN_BRACKETS: Final = 'in brackets, a text with "?" or a single dash must be in quotes ("...")'
_ENDED: Final = 'the file ends at the first "..."; remove this line'
_BLANKS: Final = "this line contains only spaces, which YAML parsers read differently; delete them"
_NAME: Final = 'a word after "&" is read as a name, and the value is then empty; put the text in quotes ("...")'
_GLUED_NAME: Final = (
    'a word after "&" or "*" is read as a name, and YAML parsers see its end in different places; put the whole text '
    'in quotes ("..."), or put a space after the name'
)
_RETURN: Final = (
    "there is a carriage return without a line feed here, which YAML parsers read differently; start a new line"
)
_MARK: Final = (
    "there is a byte order mark (U+FEFF) here, which is invisible and allowed only at the very start of a file; "
    "delete it"
)


def may_be_ambiguous(text: str, in_brackets: Sequence[str]) -> bool:
    """Return whether `find_ambiguities` may find something; `in_brackets` are its lists and groups in brackets."""
    # Looking at a file's tokens costs as much as reading it, so most files must do without.
    return bool(
        not text.endswith("\n")
        or any(sign in text for sign in ("\t", "&", "\ufeff", "\n..."))
        or ("#" in text and any(part[-1:].strip() for part in text.split("#")[:-1]))
        or ("\r" in text and _LONE_RETURN.search(text))
        or any(map(_RISK_IN_BRACKETS.search, in_brackets))
        or (("|" in text or ">" in text) and (_HEADER_BEGINS_LINE.search(text) or _LINE_OF_BLANKS.search(text)))
    )


def find_ambiguities(text: str) -> list[Ambiguity]:
    """Return what other parsers read differently in a text that libyaml accepts, sorted by position."""
    # After one of these libyaml's positions are different. Only the first is reported, since a file has many.
    match = re.search("\ufeff|\r(?!\n)", text)
    if match:
        return [(match.start(), _MARK if match[0] == "\ufeff" else _RETURN)]
    return sorted(_Tokens(text).find())


class _Tokens:
    """One pass over the tokens of a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: Sequence[Any] = list(yaml.scan(text, Loader=yaml.CSafeLoader))
        self.columns = [-1]  # of the blocks around a token, the document first
        self.has_ended = False
        self.brackets: list[type] = []  # the opening tokens around a token

    def find(self) -> Iterator[Ambiguity]:
        """Yield what breaks a rule."""
        end = 0
        for index, token in enumerate(self.tokens):
            start = token.start_mark.index
            if start > end:
                yield from self._check_gap(end, start)
            yield from self._check_column(token, self.text[end:start])
            if isinstance(token, yaml.ScalarToken):
                yield from self._check_scalar(token)
            elif isinstance(token, (yaml.AnchorToken, yaml.AliasToken)):
                following = self.text[token.end_mark.index : token.end_mark.index + 1].strip()
                # libyaml ends a name before any sign but "-" and "_". To other parsers, the sign is part of it.
                if following and not (self.brackets and following in ",]}"):
                    yield start, _GLUED_NAME
                elif isinstance(token, yaml.AnchorToken) and self._is_empty(index):
                    yield start, _NAME
            else:
                yield from self._check_indicator(token)
                self._track_nesting(token)
            end = max(end, token.end_mark.index)

    def _track_nesting(self, token: Any) -> None:
        if isinstance(token, _BLOCKS):
            self.columns.append(token.start_mark.column)
        elif isinstance(token, yaml.BlockEndToken):
            self.columns.pop()
        elif isinstance(token, _OPENING):
            self.brackets.append(type(token))
        elif isinstance(token, _CLOSING):
            self.brackets.pop()
        elif isinstance(token, yaml.DocumentEndToken):
            self.has_ended = True

    def _check_column(self, token: Any, gap: str) -> Iterator[Ambiguity]:
        """Check the column of a token that begins a line, if libyaml allows any column there."""
        _, newline, indent = gap.rpartition("\n")
        if newline and not indent.strip(" ") and (self.brackets or getattr(token, "style", None) in ("|", ">")):
            # Only the closing bracket may be in the column of the key, where people usually write it.
            least_column = self.columns[-1] + (not (isinstance(token, _CLOSING) and len(self.brackets) == 1))
            if token.start_mark.column < least_column:
                yield token.start_mark.index, _INDENT

    def _check_indicator(self, token: Any) -> Iterator[Ambiguity]:
        start, end = token.start_mark.index, token.end_mark.index
        if isinstance(token, yaml.DocumentEndToken) and self.has_ended:
            yield start, _ENDED
        # libyaml sees a pair in `["a":1]`, an indicator in `{?a: 1}`, and a tag in `[!!str,a]`. Other parsers do not.
        if self.brackets and not self.text[end : end + 1].isspace():
            is_pair = isinstance(token, yaml.ValueToken) and self.brackets[-1] is yaml.FlowSequenceStartToken
            if is_pair or isinstance(token, yaml.TagToken) or (isinstance(token, yaml.KeyToken) and start < end):
                yield start, _NO_SPACE.format(self.text[start:end])

    def _check_gap(self, start: int, end: int) -> Iterator[Ambiguity]:
        """Check what is between two tokens. To libyaml it is comments and white space."""
        gap = self.text[start:end]
        if gap.startswith("#") and start and self.text[start - 1] not in " \t\r\n":
            yield start, _GLUED
        tab = _COMMENT.sub(lambda comment: " " * len(comment[0]), gap).find("\t")
        if tab >= 0:
            yield start + tab, _TAB

    def _check_scalar(self, token: Any) -> Iterator[Ambiguity]:
        start, end = token.start_mark.index, token.end_mark.index
        if token.style in ("|", ">"):
            yield from self._check_block(token)
            return
        if self.brackets and not token.style and (token.value == "-" or "?" in token.value):
            yield start, _IN_BRACKETS
        if not token.style and (tab := self.text.find("\t", start, end)) >= 0:
            yield tab, _TAB
        for line in _LINE_BEGINNING.finditer(self.text, start, end):
            if len(line[1]) <= self.columns[-1] and not BREAK.match(self.text, line.end()):
                yield line.end(), _INDENT
                return

    def _check_block(self, token: Any) -> Iterator[Ambiguity]:
        start, end = token.start_mark.index, token.end_mark.index
        header, has_words = HEADER.match(self.text, start), token.value.strip()
        body = BREAK.search(self.text, start, end)
        if header:
            yield from self._check_gap(header.end(), body.start() if body else end)
        if header and body:
            # If the header says how far lines are indented, all parsers agree about blank lines before the text.
            has_indicator = any(map(str.isdigit, header[0])) and has_words
            if not has_indicator and (blanks := _LEADING_BLANKS.match(self.text, body.end(), end)):
                yield blanks.start(1), _BLANKS
        # The mark of a text of nothing leaves out the blanks after it.
        is_last = end >= len(self.text if has_words else self.text.rstrip(" ")) and not self.text.endswith("\n")
        if is_last and header and "-" not in header[0]:
            mark = header[0][0]
            message = (
                "this text ends with the file, and YAML parsers read it differently without a line end there; press "
                f'Enter after its last word, or write "{mark}-" instead of "{mark}"'
            )
            yield start, message

    def _is_empty(self, index: int) -> bool:
        """Return whether an anchor has no value after it, other than a tag."""
        next_index = index + 1 + isinstance(self.tokens[index + 1], yaml.TagToken)
        token = self.tokens[next_index]
        # A list in the column of its key has no token for its beginning. It begins with its first dash.
        if isinstance(token, yaml.BlockEntryToken):
            return isinstance(self.tokens[index - 1], yaml.BlockEntryToken)
        return not isinstance(token, (yaml.ScalarToken, *_OPENING, *_BLOCKS))
