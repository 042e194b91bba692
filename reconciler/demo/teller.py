"""Prints the demo's headings, paragraphs and commands, within 80 columns."""

import dataclasses
import textwrap
from collections.abc import Callable

WIDTH = 78


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Teller:
    """How the demo prints. `pause` waits until the user has read."""

    write: Callable[[str], None]
    strong: Callable[[str], str] = str
    faint: Callable[[str], str] = str
    pause: Callable[[], None] = lambda: None

    def show_heading(self, title: str) -> None:
        """Show a heading."""
        self.show(self.strong(f"== {title} ".ljust(WIDTH, "=")))

    def show_text(self, text: str) -> None:
        """Show paragraphs; one with an indented line stays as it is written."""
        for paragraph in textwrap.dedent(text).strip().split("\n\n"):
            is_preformatted = any(line.startswith(" ") for line in paragraph.splitlines())
            self.show(paragraph if is_preformatted else textwrap.fill(paragraph, WIDTH))

    def show_command(self, line: str) -> None:
        """Show a command as it is typed."""
        self.write(self.strong(f"$ {line}"))

    def show(self, *texts: str) -> None:
        """Show texts as they are, and an empty line."""
        for text in (*texts, ""):
            self.write(text)

    def show_remark(self, text: str) -> None:
        """Show a remark about the output above."""
        lines = textwrap.wrap(text, WIDTH, initial_indent="-> ", subsequent_indent="   ")
        self.show(*map(self.faint, lines))
