"""How many assistants one run may write to: a number, or a share of those selected."""

import dataclasses
import re
from fractions import Fraction

_COUNT = re.compile(r"[0-9]{1,9}")
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%")


@dataclasses.dataclass(frozen=True, slots=True)
class MaxChanges:
    """A limit; `percent` says that `amount` is a share of a hundred, not a number of assistants."""

    amount: Fraction
    percent: bool

    @classmethod
    def parse(cls, value: str | int) -> "MaxChanges":
        """Return the limit that `25`, `"25"` or `"25%"` means. Raises ValueError, with a text for users."""
        # Fractions, since 18.4 % of 375 is 69, and to floating point 68.99999999999999.
        text = str(value).strip()
        share = _PERCENT.fullmatch(text)
        if share and Fraction(share[1]) <= 100:
            return cls(Fraction(share[1]), percent=True)
        if _COUNT.fullmatch(text) and not isinstance(value, bool):
            return cls(Fraction(text), percent=False)
        raise ValueError("must be a number of assistants, like 5, or a share from 0% to 100%, like 25%")

    def limit(self, selected: int) -> int:
        """Return how many of `selected` assistants may be written; a share is rounded down."""
        # Down, since a limit that rounds up lets through more than it says.
        return int(self.amount * selected / 100) if self.percent else int(self.amount)

    def objection(self, writes: int, selected: int) -> str | None:
        """Return why so many of `selected` assistants may not be written; None where they may."""
        most = self.limit(selected)
        if writes <= most:
            return None
        assistants = "1 assistant" if writes == 1 else f"{writes} assistants"
        return f"{assistants} would be written, and max_changes allows {most}"

    def __str__(self) -> str:
        """Return the limit as it is written in options and settings."""
        number = int(self.amount) if self.amount.denominator == 1 else float(self.amount)
        return f"{number}%" if self.percent else str(number)
