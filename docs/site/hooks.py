"""Fits the repository's Markdown to the site: pages from outside `docs/`, links between them, and one check.

The files are written for a git host, where a link leads from file to file. Here each link to a file of the repository
becomes one to the page that shows it. A link that leads nowhere fails the strict build.
"""

import logging
import posixpath
import re
from html.parser import HTMLParser
from pathlib import Path

from markdown_it import MarkdownIt
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
# Files outside docs/, and the page that each one is on the site.
PAGES = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "ARCHITECTURE.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "LICENSE": "LICENSE.txt",
    "SECURITY.md": "SECURITY.md",
    "tests/support/README.md": "test-helpers.md",
}
LINK = re.compile(r"(\[[^\]]*\]\()([^)\s:#]+)(#[^)\s]*)?\)")
COUNTED = {"pre", "ol", "ul", "li", "table", "tr", "h1", "h2", "h3", "h4", "img"}
log = logging.getLogger("mkdocs.plugins.reconciler")


class Counter(HTMLParser):
    """Counts the elements of a page that a misread line changes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found = dict.fromkeys(COUNTED, 0)
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count one element."""
        if tag in COUNTED:
            self.found[tag] += 1


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that stand outside `docs/`."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Return a page's text with each link to a file of the repository turned into one to the file's page."""
    written = {site: source for source, site in PAGES.items()}
    source = written.get(page.file.src_uri, f"docs/{page.file.src_uri}")

    def lead(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), link[2]))
        return f"{link[1]}{PAGES.get(path, path.removeprefix('docs/'))}{link[3] or ''})"  # all pages stand side by side

    # Code is left alone: what looks like a link there is an example.
    parts = re.split(r"(^ *```.*?^ *```$|`[^`\n]+`)", markdown, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if number % 2 else LINK.sub(lead, part) for number, part in enumerate(parts))


def on_page_content(html: str, page: Page, **_: object) -> str:
    """Warn, which fails the strict build, where a git host would read a page's text differently."""
    shown = Counter(html).found
    on_a_git_host = Counter(MarkdownIt("gfm-like", {"linkify": False}).render(page.markdown or "")).found
    for tag, number in on_a_git_host.items():
        if shown[tag] != number:
            log.warning("%s has %d <%s>, and %d on a git host", page.file.src_uri, shown[tag], tag, number)
    return html
