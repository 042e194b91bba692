"""A new definition as YAML that people like to read, and that every parser reads alike.

Texts of several lines, and long ones, become block scalars; what a parser could take for something else is
quoted. The result is read again: what does not come back exactly is written in plain double quotes instead.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from reconciler.core.definition import MAX_BYTES
from reconciler.core.json_size import has_more_tokens
from reconciler.yamltext.nodes import MAX_NODES
from reconciler.yamltext.reader import reads_as
from reconciler.yamltext.scalars import read_plain

WIDTH = 96
# Line breaks to PyYAML, ordinary characters to a parser of YAML 1.2: written as escapes.
_BREAKS_OF_YAML_1_1 = re.compile("[\x85\u2028\u2029]")


def write_definition(fields: Mapping[str, Any], *, most: int = MAX_BYTES) -> str:
    """Return the text of a definition with these fields, in their order; it ends in a newline.

    Raises ValueError where no file of at most `most` bytes may hold them: they are nested too deeply, or too large.
    """
    written = json.dumps(fields, ensure_ascii=False)
    # Refused at once, since PyYAML would write for seconds. A value has three tokens at most.
    if len(written.encode("utf-8", "surrogatepass")) > most or has_more_tokens(written, 3 * MAX_NODES):
        raise ValueError("these fields are larger than a definition may be")
    for dumper in (_Readable, _Quoted):
        text = yaml.dump(
            dict(fields), Dumper=dumper, sort_keys=False, allow_unicode=True, width=WIDTH, default_flow_style=False
        )
        if reads_as(text, fields, most=most):
            return text
    raise ValueError("no YAML reads as these fields")


class _Readable(yaml.SafeDumper):
    """Block style, lists indented below their key, no anchors."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        # PyYAML puts a list in the column of its key; further right people see what it belongs to.
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def choose_style(self, text: str) -> str | None:
        """Return the quotes or the block style of a text, None for plain; PyYAML falls back where it does not fit."""
        if _BREAKS_OF_YAML_1_1.search(text):
            return '"'
        if "\n" in text:
            return "|"
        if len(text) > WIDTH - 16 and " " in text:
            return ">"
        return None if read_plain(text) == text else '"'

    def represent_text(self, text: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=self.choose_style(text))


class _Quoted(_Readable):
    """The same with every text in double quotes."""

    def choose_style(self, text: str) -> str | None:
        return '"'


_Readable.add_representer(str, _Readable.represent_text)
