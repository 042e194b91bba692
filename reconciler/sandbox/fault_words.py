"""A fault rule's words, taken one by one, each with its place for the complaint. Knows no rule."""

import difflib
import re
from collections.abc import Iterable

from reconciler.sandbox.settings import SandboxError

LONGEST_RULE = 500
_DOCUMENT = "`reconciler sandbox --help` shows the rules"


class BadRule(SandboxError):  # noqa: N818 - it says what the text is
    """A rule that cannot be read: the text shows it and the place, `hint` what to write instead."""


class Words:
    """The words of one rule, and where the reader is."""

    def __init__(self, rule: str) -> None:
        """Split a rule at white space; raises BadRule for one that is empty or too long."""
        self.rule = rule
        self._found = list(re.finditer(r"\S+", rule[:LONGEST_RULE]))
        self._next = 0
        if not self._found:
            raise BadRule("The fault rule is empty", hint=_DOCUMENT)
        if len(rule) > LONGEST_RULE:
            message = f"The fault rule {_shown(rule[:40])}... is longer than {LONGEST_RULE} characters"
            raise BadRule(message, hint=_DOCUMENT)

    def more(self) -> bool:
        """Tell whether there is another word."""
        return self._next < len(self._found)

    def peek(self) -> str:
        """Return the next word without taking it; "" at the end."""
        return self._found[self._next][0] if self.more() else ""

    def take(self, wanted: str) -> str:
        """Take the next word; `wanted` says what is missing where there is none."""
        if not self.more():
            raise self._complaint(len(self.rule.rstrip()), f"here should be {wanted}", _DOCUMENT)
        self._next += 1
        return self._found[self._next - 1][0]

    def one_of(self, choices: Iterable[str], wanted: str) -> str:
        """Take the next word, in lower case, which must be one of the choices."""
        choices = tuple(choices)
        word = self.take(wanted)
        if word.lower() not in choices:
            raise self.fault(f"{word!r} cannot stand here; it should be {wanted}", known=choices)
        return word.lower()

    def up_to_last(self, ends: Iterable[str], wanted: str) -> str:
        """Take everything, spaces included, up to the last word that is one of `ends`."""
        ends = tuple(ends)
        last = next((n for n in range(len(self._found) - 1, self._next, -1) if self._found[n][0] in ends), None)
        if last is None:
            word = self.take(wanted)
            raise self.fault(f"after {word!r} comes neither {' nor '.join(ends)}")
        first, self._next = self._next, last
        return self.rule[self._found[first].start() : self._found[last].start()].rstrip()

    def end(self) -> None:
        """Raise BadRule where there is another word."""
        if self.more():
            raise self.fault(f"{self.take('')!r} is more than the rule can hold")

    def fault(self, message: str, *, known: Iterable[str] = (), hint: str = "") -> BadRule:
        """Return the complaint about the word that was taken last, with what may have been meant."""
        word = self._found[max(0, self._next - 1)]
        by_lower = {one.lower(): one for one in known}
        near = difflib.get_close_matches(word[0].lower(), by_lower, n=1, cutoff=0.5)
        meant = f"did you mean {by_lower[near[0]]}?" if near else ""
        return self._complaint(word.start(), message, hint or meant or _DOCUMENT)

    def _complaint(self, place: int, message: str, hint: str) -> BadRule:
        shown = _shown(self.rule)
        return BadRule(
            f"The fault rule cannot be read at character {place + 1}: {message}\n    {shown}\n    {' ' * place}^",
            hint=hint,
        )


def _shown(text: str) -> str:
    """Return a text on one line, as long as it was, with nothing in it that a terminal obeys."""
    return "".join(one if one.isprintable() else " " if one.isspace() else "\N{REPLACEMENT CHARACTER}" for one in text)
