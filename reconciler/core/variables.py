"""Variables in texts, `{{name}}`: which ones a change removes, and which ones it adds. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from reconciler.assistant.paths import FieldPath, dotted
from reconciler.core.origin import Change
from reconciler.core.tree import walk_leaves

_VARIABLE = re.compile(r"\{\{\s*([^\s{}](?:[^{}]*[^\s{}])?)\s*\}\}")


def describe_variables(changes: Iterable[Change], may_show: Callable[[FieldPath], bool]) -> Iterator[str]:
    """Yield a sentence for each text that is sent and no longer mentions a variable, or mentions a new one."""
    for change in changes:
        before, after = _find_texts(change.live), _find_texts(change.desired)
        # A text that is new or removed shows its variables anyway.
        if not (change.sent and before and after and may_show(change.path)):
            continue
        old, new = ({name for text in texts for name in _VARIABLE.findall(text)} for texts in (before, after))
        if lost := old - new:
            yield f"{dotted(change.path)} no longer mentions {_name(lost)}"
        if brought := new - old:
            yield f"{dotted(change.path)} mentions {_name(brought)}, which is new: check that something fills it in"


def _name(variables: Iterable[str]) -> str:
    return ", ".join(f"{{{{{name}}}}}" for name in sorted(variables))


def _find_texts(value: Any) -> list[str]:
    # Of a list all texts together: a variable may move from one element to another.
    return [leaf for _, leaf in walk_leaves(value) if isinstance(leaf, str)]
