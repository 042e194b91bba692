"""How much JSON a text holds, told before anything is made of it: an empty list takes 30 times its text in memory."""

import itertools
import re
from typing import Final

_MARKS: Final = (",", "[", "{", '"')
# A text may never end; possessive, so that nothing makes it look twice.
_TOKEN = re.compile(r'[,\[{]|"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)


def has_more_tokens(text: str, most: int) -> bool:
    """Tell whether JSON has more than `most` texts, commas and opening brackets; anything may be no JSON at all."""
    if sum(map(text.count, _MARKS)) <= most:  # as good as always, and much quicker
        return False
    return next(itertools.islice(_TOKEN.finditer(text), most, None), None) is not None
