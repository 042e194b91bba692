"""A new definition as YAML that people like to read, and that every parser reads alike.

Texts of several lines, and long ones, become block scalars; what a parser could take for something else is
quoted, and nothing but that. The result is read again: what does not come back exactly is not returned.
"""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Final

from reconciler.core.definition import MAX_BYTES
from reconciler.core.json_size import has_more_tokens
from reconciler.yamltext.nodes import MAX_NODES
from reconciler.yamltext.reader import reads_as
from reconciler.yamltext.write_values import Layout, write_block

WIDTH: Final = 96
_READABLE: Final = Layout(width=WIDTH)


def write_definition(fields: Mapping[str, Any], *, most: int = MAX_BYTES) -> str:
    """Return the text of a definition with these fields, in their order; it ends in a newline.

    Raises ValueError where no file of at most `most` bytes may hold them: they are nested too deeply, or too large.
    """
    written = json.dumps(fields, ensure_ascii=False)
    # Refused at once, since it would take seconds to read. A value has three tokens at most.
    if len(written.encode("utf-8", "surrogatepass")) > most or has_more_tokens(written, 3 * MAX_NODES):
        raise ValueError("these fields are larger than a definition may be")
    # Blocks repeat their indentation in each line, so that only quotes may keep a large and deep text small enough.
    for layout in (_READABLE, dataclasses.replace(_READABLE, blocks=False)):
        text = "\n".join(write_block(fields, 0, layout) or ["{}"]) + "\n"
        if reads_as(text, fields, most=most):
            return text
    raise ValueError("no YAML reads as these fields")
