"""Writes definitions in as many styles as people do, and remembers the lines of every value. For tests only.

What a document means is read from its text; here only the text is made up, and the lines of each value noted.
"""

import json
from dataclasses import dataclass, field
from random import Random

Path = tuple[str, ...]

WORDS = ["Hello", "you", "are", "an agent", "Grüße", "日本", "😀", "it", "enrollment", "please", "a", "of the"]
ODD = ["yes", "12", "it's", '"so"', ": ", " #1", "{{name}}", "- x", "a, b", "[1]", "null", "  ", "\\", "?", "!", "x:"]
LEAVES = ["name", "firstMessage", "voicemailMessage", "endCallMessage", "maxDurationSeconds", "odd key"]
GAPS = [" ", " ", " ", "  "]


@dataclass
class Lines:
    """Where a value stands: lines from its key's on, the last one included; numbers count from 0."""

    first: int
    last: int
    kind: str
    in_brackets: bool = False
    comment: str = ""


@dataclass
class StyledText:
    """A text, its line break, and where its values stand."""

    text: str
    newline: str
    places: dict[Path, Lines]


@dataclass
class Piece:
    """One value: what stands behind its key, the lines below, its kind, and how many blank lines may follow."""

    head: str
    below: list[str]
    kind: str
    after: int = 0


@dataclass
class Writer:
    """Writes one document."""

    random: Random
    lines: list[str] = field(default_factory=list)
    places: dict[Path, Lines] = field(default_factory=dict)
    anchors: list[str] = field(default_factory=list)
    count: int = 0
    has_block: bool = False  # a block text somewhere, which must not end with the file
    keeps_blanks: bool = False  # a block text above takes blank lines for its own

    def write(self) -> StyledText:
        """Return the document."""
        random = self.random
        if self.chance(4):
            self.lines += ["# a definition", ""][: random.randint(1, 2)]
        if self.chance(5):
            self.lines += ["%YAML 1.1"] * self.chance(3) + ["---" + " # starts" * self.chance(3)]
        if self.chance(8):
            self.flow_document()
        else:
            self.mapping((), random.choice([0, 0, 0, 2]), depth=0)
        if self.chance(5):
            self.lines += ["..."]
        elif self.chance(4):
            self.lines += ["# the end"]
        newline = random.choice(["\n", "\n", "\r\n"]) if len(self.lines) > 1 else "\n"
        text = newline.join(self.lines) + ("" if self.lines[-1] and not self.has_block and self.chance(4) else newline)
        return StyledText("\ufeff" * self.chance(6) + text, newline, self.places)

    def chance(self, one_in: int) -> bool:
        return self.random.randrange(one_in) == one_in // 2

    def comment(self) -> str:
        self.count += 1
        return f"# c{self.count}, {self.random.choice(['why: so', 'it is', 'é'])}"

    # Mappings and lists without brackets

    def mapping(self, path: Path, column: int, depth: int) -> None:
        names = self.random.sample(LEAVES, self.random.randint(1, 3))
        if depth < 2:
            names += self.random.sample(["model", "voice", "metadata"], self.random.randint(0, 2))
        names += ["phrases"] * self.chance(2)
        self.random.shuffle(names)
        for name in names:
            self.between(column)
            self.pair((*path, name), column, depth)

    def between(self, column: int) -> None:
        """Write blank lines and comments, which no text above reaches into."""
        if self.chance(4) and not self.keeps_blanks:
            self.lines += [self.random.choice(["", "", " "])] * self.random.randint(1, 2)
        if self.chance(4):
            self.lines.append(" " * self.random.choice([column, column, 0]) + self.comment())

    def pair(self, path: Path, column: int, depth: int) -> None:
        first = len(self.lines)
        self.keeps_blanks = False
        begin = f"{' ' * column}{self.key(path[-1])}:"
        comment = self.comment() if self.chance(3) else ""
        tail = self.random.choice([" ", "  ", "   "]) + comment if comment else self.random.choice(["", "", "", "  "])
        if self.holds_pairs(path) and not self.chance(4):
            anchor = self.new_anchor()
            self.lines.append(begin + anchor[0] + tail)
            self.mapping(path, column + self.random.choice([1, 2, 2, 4]), depth + 1)
            self.note(path, first, "mapping", comment)
            self.anchors += anchor[1]
            return
        if self.holds_entries(path) and not self.chance(3):
            self.block_list(path, begin + tail, column)
            return
        piece = self.value(path, column)
        if piece.kind == "scalar" and not piece.below and piece.head and self.chance(10):
            self.lines += [begin, *[" " * column + self.comment()] * self.chance(2)]
            begin, piece.head = " " * (column + 3), piece.head
        self.lines.append(f"{begin}{self.random.choice(GAPS)}{piece.head}" if piece.head else begin)
        if piece.below and piece.kind != "block":
            self.lines += piece.below
            self.lines[-1] += tail
        else:
            self.lines[-1] += tail
            self.lines += piece.below
        self.note(path, first, piece.kind, comment)
        self.lines += [""] * piece.after

    def key(self, name: str) -> str:
        return str(self.random.choice([name] * 6 + [json.dumps(name), name + " "]))

    def holds_pairs(self, path: Path) -> bool:
        """Tell whether a value is an object, written with or without brackets."""
        return path[-1] in ("model", "voice", "metadata")

    def holds_entries(self, path: Path) -> bool:
        """Tell whether a value is a list, written with or without brackets."""
        return path[-1] == "phrases"

    def note(self, path: Path, first: int, kind: str, comment: str) -> None:
        last = len(self.lines) - 1
        while kind == "mapping" and not self.keeps_blanks and not self.lines[last].strip():
            last -= 1
        self.places[path] = Lines(first, last, kind, comment=comment)

    def block_list(self, path: Path, begin: str, column: int) -> None:
        first = len(self.lines)
        self.lines.append(begin)
        column += self.random.choice([0, 1, 2, 4])
        for _ in range(self.random.randint(1, 4)):
            if self.chance(5):
                self.lines.append(" " * column + self.comment())
            self.entry(column)
        self.places[path] = Lines(first, len(self.lines) - 1, "list")

    def entry(self, column: int) -> None:
        begin = " " * column + "-" + " " * self.random.choice([1, 1, 3])
        if self.chance(6):
            inner = len(begin)
            self.lines.append(f"{begin}role: {self.words()}")
            text = self.scalar(inner)
            self.lines += [f"{' ' * inner}text: {text.head}", *text.below]
            return
        piece = self.scalar(column)
        self.lines.append((begin + piece.head).rstrip() + (" " + self.comment()) * (self.chance(4) and not piece.below))
        self.lines += piece.below

    # Values

    def new_anchor(self) -> tuple[str, list[str]]:
        """Return an anchor as it is written, most often none, and its name, to be used from then on."""
        if not self.chance(14):
            return "", []
        self.count += 1
        return f" &n{self.count}", [f"n{self.count}"]

    def value(self, _path: Path, column: int) -> Piece:
        """Return a value that is written without being an object or a list below its key."""
        random = self.random
        kind = random.randrange(12)
        if kind == 7 and self.anchors:
            return Piece("*" + random.choice(self.anchors), [], "alias")
        if kind == 1:
            return Piece(self.flow(2), [], "flow")
        if kind == 2:
            return self.flow_over_lines(column)
        if kind == 3:
            return Piece(random.choice(["", "null", "~", "[]", "{}"]), [], "scalar")
        piece = self.scalar(column)
        anchor = self.new_anchor()
        if anchor[1] and piece.head:
            piece.head = f"{anchor[0].strip()} {piece.head}"
            self.anchors += anchor[1]
        elif self.chance(12) and piece.head[:1] in ("'", '"', "|", ">"):
            piece.head = f"!!str {piece.head}"
        return piece

    def words(self) -> str:
        return " ".join(self.random.choice(WORDS) for _ in range(self.random.randint(1, 5)))

    def line(self) -> str:
        """Return a line of text that needs quotes more often than not."""
        return " ".join(self.random.choice(WORDS + ODD) for _ in range(self.random.randint(1, 7)))

    def quoted(self, text: str) -> str:
        """Return a text in double quotes, at times with escapes: YAML has none in two halves, as JSON has."""
        return json.dumps(text, ensure_ascii=self.chance(2) and max(text, default="") < "\uffff")

    def scalar(self, column: int) -> Piece:
        random = self.random
        style = random.choice(["plain", "plain", "'", '"', "number", "lines", "lines in quotes", "|", "|", ">"])
        inner = " " * (column + random.randint(1, 4))
        if style == "plain":
            return Piece(self.words(), [], "scalar")
        if style == "'":
            return Piece("'" + self.line().replace("'", "''") + "'", [], "scalar")
        if style == '"':
            text = random.choice(["", "\n", " "]).join(self.line() for _ in range(2))
            return Piece(self.quoted(text), [], "scalar")
        if style == "number":
            return Piece(random.choice(["1", "0.70", "-5", "true", "1.0e+3", "null"]), [], "scalar")
        if style.startswith("lines"):
            lines = [self.words() for _ in range(random.randint(2, 3))]
            head, *below = ['"' + lines[0], *lines[1:-1], lines[-1] + '"'] if "quotes" in style else lines
            return Piece(head, [*[""] * self.chance(4), *(inner + line for line in below)], "scalar")
        return self.block(style, column)

    def block(self, style: str, column: int) -> Piece:
        random = self.random
        step = random.choice([1, 2, 2, 4])
        self.has_block = True
        indicator = str(step) if self.chance(4) else ""
        lines = [self.line().strip() or "x" for _ in range(random.randint(1, 6))]
        if indicator and self.chance(2):
            lines[0] = "   " + lines[0]
        for number in range(1, len(lines)):
            if self.chance(4):
                lines[number] = random.choice(["", "", "  " + lines[number], lines[number] + "  "])
        if not lines[-1]:
            lines[-1] = "x"
        if style == ">" and self.chance(2):
            lines += [self.words() + " " + self.words()] * random.randint(1, 4)
        chomping = random.choice(["", "", "-", "+"])
        blank = random.choice([0, 0, 1, 2])
        self.keeps_blanks = self.keeps_blanks or chomping == "+"
        below = [" " * (column + step) + line if line else "" for line in lines]
        header = style + random.choice([indicator + chomping, chomping + indicator])
        return Piece(header, below + [""] * blank * (chomping == "+"), "block", blank * (chomping != "+"))

    # Between brackets

    def flow_scalar(self) -> str:
        kind = self.random.randrange(5)
        if kind == 0:
            return "'" + self.line().replace("'", "''") + "'"
        if kind == 1:
            return self.quoted(self.line())
        return self.random.choice(["1", "0.5", "null", "false"]) if kind == 2 else self.words()

    def flow(self, depth: int) -> str:
        kind = self.random.randrange(4)
        count = self.random.randint(0, 3)
        if kind == 0 and depth:
            return "{" + ", ".join(f"k{number}: {self.flow(depth - 1)}" for number in range(count)) + "}"
        if kind == 1 and depth:
            space = " " * self.chance(3)
            return "[" + space + ", ".join(self.flow(depth - 1) for _ in range(count)) + space + "]"
        return self.flow_scalar()

    def flow_over_lines(self, column: int) -> Piece:
        is_list = self.chance(2)
        count = self.random.randint(1, 3)
        entries = [("" if is_list else f"k{number}: ") + self.flow(1) for number in range(count)]
        return self.over_lines(entries, column, "[]" if is_list else "{}")

    def over_lines(self, entries: list[str], column: int, brackets: str) -> Piece:
        """Return entries between brackets, most often one a line, with comments."""
        pad = " " * (column + self.random.choice([1, 2, 4]))
        last = self.random.choice(["", ","]) if entries else ""
        below: list[str] = []
        for number, entry in enumerate(entries):
            text = entry + ("," if number < len(entries) - 1 else last)
            if below and self.chance(4) and "#" not in below[-1]:
                below[-1] += " " + text
            else:
                below += [pad + self.comment()] * self.chance(8) + [pad + text]
            below[-1] += (" " + self.comment()) * self.chance(4)
        return Piece(brackets[0], [*below, pad[1:] + brackets[1]], "flow")

    def flow_document(self) -> None:
        first = len(self.lines)
        names = self.random.sample(LEAVES, 3)
        if self.chance(2):
            self.lines.append("{" + ", ".join(f'"{name}": {self.flow(2)}' for name in names) + "}")
        else:
            entries = [f'  "{name}": {self.flow(2)}' for name in names]
            self.lines += ["{", *(entry + "," for entry in entries[:-1]), entries[-1], "}"]
        for name in names:
            self.places[name,] = Lines(first, len(self.lines) - 1, "flow", in_brackets=True)
