"""File names for imported assistants: letters of any script, safe on every system, never outside the folder."""

import re
import unicodedata
from collections.abc import Container

LONGEST = 60
_LOOKED_AT = 1000  # characters of a name; an answer of the API may be megabytes long
# Windows reserves these names for devices, with any suffix.
RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
# Invisible letters and marks: with them, two names could look the same.
_UNSEEN = "FILLER|VARIATION SELECTOR|INHERENT"


def choose_stem(name: object, assistant_id: str, used_stems: Container[str]) -> str:
    """Return a file's stem, from the assistant's name or else its id. `used_stems` has the `same_name` of others."""
    stem = (_slug(name) if isinstance(name, str) else "") or _slug(assistant_id) or "assistant"
    stem = f"assistant-{stem}" if stem in RESERVED else stem
    number, candidate = 2, stem
    while same_name(candidate) in used_stems:
        candidate, number = f"{stem}-{number}", number + 1
    return candidate


def same_name(name: str) -> str:
    """Return a name without what some systems ignore: case and Unicode form."""
    if name.isascii():
        return name.casefold()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _slug(text: str) -> str:
    # Latin letters lose their accents: `é` becomes e. In other scripts, marks are part of a letter, such as a vowel in
    # Hindi or the dots of a kana. Characters that only join or direct letters would be invisible in a file name.
    slug = ""
    for char in unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text[:_LOOKED_AT]).casefold()):
        kind = unicodedata.category(char)
        if kind[0] == "M" or kind in ("Lm", "Cf"):
            slug += char if kind[0] != "C" and slug[-1:] > "\x7f" and not _is_unseen(char) else ""
        else:
            slug += char if kind[0] in "LN" and not _is_unseen(char) else "-"
    # 60 characters are at most 240 bytes, and file systems take 255.
    return unicodedata.normalize("NFC", re.sub("-+", "-", slug).strip("-"))[:LONGEST].strip("-")


def _is_unseen(char: str) -> bool:
    return re.search(_UNSEEN, unicodedata.name(char, "")) is not None
