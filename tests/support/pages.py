"""The parts of a page of the documentation that tests run: code blocks, sections, and output with a time in it."""

import re


def list_blocks(text: str, *languages: str) -> list[str]:
    """Return the content of every code block in one of the languages, in order."""
    return re.findall(rf"^```(?:{'|'.join(languages)})\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def read_section(text: str, title: str) -> str:
    """Return the part below a heading of the second level, up to the next one; "" if there is no such heading."""
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def replace_times(text: str) -> str:
    """Return a command's output with a fixed time of the last live update, which differs in every run."""
    return re.sub(r"(last updated\s+)[\d:TZ-]+", r"\g<1>2026-11-20T09:31:07Z", text)
