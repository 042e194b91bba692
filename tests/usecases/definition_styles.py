"""Writes whole definitions, valid as a rule, in as many styles as people do. For tests only.

Where the text turns out not to be a valid definition after all, whoever asked takes another one.
"""

import json
from dataclasses import dataclass, field

from yaml_styles import ODD, WORDS, Path, Piece, Writer

TEXTS = ["name", "firstMessage", "voicemailMessage", "endCallMessage"]
INSIDE = {
    "model": ["provider", "model", "temperature", "maxTokens"],
    "voice": ["provider", "voiceId"],
    "transcriber": ["provider", "model"],
}
ONE_OF = {
    ("firstMessageMode",): ["assistant-speaks-first", "assistant-waits-for-user", "null", ""],
    ("model", "provider"): ["openai", "anthropic"],
    ("voice", "provider"): ["11labs", "azure", "edmo"],
    ("transcriber", "provider"): ["deepgram", "whisper"],
    ("model", "temperature"): ["0.7", "0.70", "1", "1.0", "2.0", "7.0e-1", "!!float 1", "0"],
    ("model", "maxTokens"): ["600", "+600", "!!int 7", "1024"],
    ("maxDurationSeconds",): ["1800", "600", "null", "~", "!!null null", ""],
}
NULLABLE = {"firstMessage", "voicemailMessage", "endCallMessage", "endCallPhrases", "metadata"}
KEYS = ["team", "k0", "a b", "é", "😀", "Hello", "yes", "12", "", "~", "x: y", "k#x", "- x", "'", '"', "?", "[", "it's"]
KEYS += [
    "a.b",
    "a/b",
    "__k",
    "&a",
    "null",
    "model",
    "id",
    " x ",
    "#",
    "\\",
    "\t",
    "x:",
    ",",
    "0.5",
    "null ",
    "word " * 20,
]
PLAIN_KEYS = {"team", "k0", "a b", "é", "😀", "Hello", "k#x", "it's", "a.b", "a/b", "__k", "model", "id"}


@dataclass
class DefinitionWriter(Writer):
    """Writes one definition, or, without an id, what several environments share."""

    id: str = "asst_a"
    text_anchors: list[str] = field(default_factory=list)

    def mapping(self, path: Path, column: int, depth: int) -> None:
        """Write the fields that the API knows, or a part of `metadata`."""
        for name in self.names(path):
            self.between(column)
            self.pair((*path, name), column, depth)

    def flow_document(self) -> None:
        """Write a definition between brackets; it looks like JSON, as a rule."""
        first = len(self.lines)
        names = self.names(())
        entries = [f"{json.dumps(name)}: {self.flow_value((name,))}" for name in names]
        if self.chance(2):
            self.lines.append("{" + ", ".join(entries) + "}")
        else:
            self.lines += ["{", *(f"  {entry}," for entry in entries[:-1]), f"  {entries[-1]}", "}"]
        for name in names:
            self.note((name,), first, "flow", "")
            self.places[name,].in_brackets = True

    def names(self, path: Path) -> list[str]:
        random = self.random
        if not path:
            names = random.sample(TEXTS, random.randint(1, 4))
            names += random.sample(["model", "voice", "transcriber", "metadata"], random.randint(1, 3))
            names += random.sample(["firstMessageMode", "endCallPhrases", "maxDurationSeconds"], random.randint(0, 3))
            names += ["id"] if self.id else []
        elif path[0] in INSIDE:
            names = random.sample(INSIDE[path[0]], random.randint(1, len(INSIDE[path[0]])))
        else:
            names = random.sample(KEYS, random.randint(1, 4)) + ["phrases"] * self.chance(3)
        random.shuffle(names)
        return names

    def key(self, name: str) -> str:
        if name in PLAIN_KEYS or (name.isalpha() and name not in ("yes", "null")):
            return super().key(name)
        return "'" + name.replace("'", "''") + "'" if self.chance(3) else self.quoted(name)

    def holds_pairs(self, path: Path) -> bool:
        if path[0] == "metadata":
            return not self.chance(4) if len(path) == 1 else len(path) < 4 and self.chance(4)
        return path[0] in INSIDE and len(path) == 1

    def holds_entries(self, path: Path) -> bool:
        return path[-1] in ("endCallPhrases", "phrases")

    def entry(self, column: int) -> None:
        one = self.text(column)
        self.lines.append((" " * column + "- " + one.head).rstrip())
        self.lines += one.below

    def value(self, path: Path, column: int) -> Piece:
        if path in ONE_OF:
            return Piece(self.choice(path), [], "scalar")
        if path == ("id",):
            return Piece(self.random.choice([self.id, f'"{self.id}"']), [], "scalar")
        if path[0] in NULLABLE and len(path) == 1 and self.chance(5):
            return Piece(self.random.choice(["null", "~", "", "!!null ''"]), [], "scalar")
        if path[-1] == "endCallPhrases" or (len(path) == 1 and path[0] in ("metadata", *INSIDE)):
            return (
                self.bracketed_over_lines(path, column) if self.chance(2) else Piece(self.flow_value(path), [], "flow")
            )
        if path[0] == "metadata":
            return super().value(path, column)
        if self.text_anchors and self.chance(5):
            return Piece("*" + self.random.choice(self.text_anchors), [], "alias")
        one = self.text(column)
        if self.chance(8) and one.head:
            self.count += 1
            one.head = f"&t{self.count} {one.head}"
            self.text_anchors.append(f"t{self.count}")
        return one

    def choice(self, path: Path) -> str:
        """Return one of the values that the API takes for a field."""
        text = str(self.random.choice(ONE_OF[path]))
        quoted = self.random.choice([text, text, f'"{text}"', f"'{text}'"])
        return quoted if text[:1].isalpha() and text != "null" else text

    def text(self, column: int) -> Piece:
        """Return a text in any style: what looks like a number is in quotes."""
        one = self.scalar(column)
        while one.kind == "scalar" and one.head in ("1", "0.70", "-5", "true", "1.0e+3", "null"):
            one = self.scalar(column)
        return one

    def flow_value(self, path: Path) -> str:
        """Return a field's value between brackets, or on one line."""
        if path in ONE_OF:
            return self.choice(path) or "null"
        if path == ("id",):
            return f'"{self.id}"'
        if path[0] in NULLABLE and len(path) == 1 and self.chance(6):
            return "null"
        if path[-1] == "endCallPhrases" or (len(path) == 1 and path[0] in ("metadata", *INSIDE)):
            opening, closing = "[]" if path[-1] == "endCallPhrases" else "{}"
            space = " " * self.chance(3)
            return opening + space + ", ".join(self.flow_entries(path)) + space + closing
        return self.flow_text()

    def bracketed_over_lines(self, path: Path, column: int) -> Piece:
        return self.over_lines(self.flow_entries(path), column, "[]" if path[-1] == "endCallPhrases" else "{}")

    def flow_entries(self, path: Path) -> list[str]:
        """Return what stands between the brackets of a list or an object."""
        if path[-1] == "endCallPhrases":
            return [self.flow_text() for _ in range(self.random.randint(0, 4))]
        if path == ("metadata",):
            return [f"{self.flow_key(name)}: {self.flow(2)}" for name in self.names(path)]
        return [f"{name}: {self.flow_value((*path, name))}" for name in self.names(path)]

    def flow_key(self, name: str) -> str:
        return name if name in PLAIN_KEYS and self.chance(2) else json.dumps(name)

    def flow_text(self) -> str:
        text = " ".join(self.random.choice(WORDS + ODD) for _ in range(self.random.randint(1, 4)))
        return self.quoted(text) if self.chance(2) else "'" + text.replace("'", "''") + "'"
