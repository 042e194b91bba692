"""How the demo speaks: headings, paragraphs, and the commands that it is about to run, within 80 columns."""

import dataclasses
import textwrap
from collections.abc import Callable

WIDTH = 78


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Teller:
    """What the demo says and how. `pause` waits until the user has read."""

    write: Callable[[str], None]
    strong: Callable[[str], str] = str
    faint: Callable[[str], str] = str
    pause: Callable[[], None] = lambda: None

    def heading(self, title: str) -> None:
        """Show a heading."""
        self.show(self.strong(f"== {title} ".ljust(WIDTH, "=")))

    def say(self, text: str) -> None:
        """Show paragraphs; one with an indented line stays as it is written."""
        for paragraph in textwrap.dedent(text).strip().split("\n\n"):
            as_written = any(line.startswith(" ") for line in paragraph.splitlines())
            self.show(paragraph if as_written else textwrap.fill(paragraph, WIDTH))

    def command_line(self, line: str) -> None:
        """Show a command as it is typed."""
        self.write(self.strong(f"$ {line}"))

    def show(self, *texts: str) -> None:
        """Show texts as they are, and an empty line."""
        for text in (*texts, ""):
            self.write(text)

    def remark(self, text: str) -> None:
        """Show what there is to know about the output above."""
        lines = textwrap.wrap(text, WIDTH, initial_indent="-> ", subsequent_indent="   ")
        self.show(*map(self.faint, lines))
