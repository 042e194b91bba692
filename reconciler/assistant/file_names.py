"""File names for imported assistants: safe on every system, never outside the folder, none twice."""

import re
import unicodedata
from collections.abc import Container

LONGEST = 60
# Names that Windows keeps for devices, whatever their suffix.
RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}


def file_stem(name: str | None, assistant_id: str, taken: Container[str]) -> str:
    """Return a file name without its suffix, from an assistant's name, else from its id; `taken` are those in use."""
    stem = _slug(name or "") or _slug(assistant_id) or "assistant"
    if stem in RESERVED:
        stem = f"assistant-{stem}"
    number, candidate = 2, stem
    while candidate in taken:
        candidate, number = f"{stem}-{number}", number + 1
    return candidate


def _slug(text: str) -> str:
    # Letters are taken apart from their accents, which then fall away: `é` is e, and what has no such letter is gone.
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST].strip("-")
