"""The value of a key that is not there. `None` is a value of its own: the API's null."""

import enum
from typing import Final


class Missing(enum.Enum):
    """The type of `MISSING`; an enum member, so that type checkers can tell it from every value."""

    MISSING = "MISSING"

    def __repr__(self) -> str:
        """Return the name, as it is written in code."""
        return "MISSING"

    def __bool__(self) -> bool:
        """Nothing there is false, as an absent value reads in a condition."""
        return False


MISSING: Final = Missing.MISSING
