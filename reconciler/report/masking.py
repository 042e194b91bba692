"""Removes sensitive values from a report before any renderer sees it, also in sentences that quote them."""

import dataclasses
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from reconciler.assistant.paths import FieldPath, parse_pointer
from reconciler.core.tree import MISSING, replace_covered, walk_leaves
from reconciler.report.differences.values import SENSITIVE
from reconciler.report.report import AssistantEntry, Report

# Characters. A shorter value would be found in ordinary words, and a shorter line of a value in ordinary sentences.
_WORTH_SCRUBBING, _LINE_WORTH_SCRUBBING = 4, 8


def mask_report(report: Report, sensitive: Sequence[FieldPath], known: Iterable[Any] = ()) -> Report:
    """Return the report without the values of fields that match the patterns. `*` matches any one key.

    `known` are whole assistants, whose sensitive values no sentence may quote either.
    """
    if not sensitive:
        return report
    # Mask a leaf that matches a pattern, a leaf below a match, and the matching part of a leaf above.
    hidden: list[Any] = []
    for assistant in known:
        mask_value(assistant, (), sensitive, hidden)
    assistants = [_mask_assistant(entry, sensitive, hidden) for entry in report.assistants]
    # Any sentence may quote the value of any assistant, so collect all values before the first is scrubbed.
    scrub = _make_scrubber(hidden)
    return dataclasses.replace(
        report,
        warnings=tuple(map(scrub, report.warnings)),
        problems=tuple(
            dataclasses.replace(problem, message=scrub(problem.message), source_line=scrub(problem.source_line))
            for problem in report.problems
        ),
        assistants=tuple(
            dataclasses.replace(
                entry,
                warnings=tuple(map(scrub, entry.warnings)),
                error=entry.error and dataclasses.replace(entry.error, message=scrub(entry.error.message)),
            )
            for entry in assistants
        ),
    )


def mask_value(value: Any, path: FieldPath, sensitive: Sequence[FieldPath], hidden: list[Any] | None = None) -> Any:
    """Return a value at a path with its sensitive parts replaced. They are added to `hidden`."""

    def mask(part: Any) -> Any:
        # An empty field reveals nothing. If it were hidden, the report would not show what the patch does.
        if part is None or part is MISSING:
            return part
        if hidden is not None:
            hidden.append(part)
        return SENSITIVE

    return replace_covered(value, path, sensitive, mask)


def _mask_assistant(entry: AssistantEntry, sensitive: Sequence[FieldPath], hidden: list[Any]) -> AssistantEntry:
    def mask(value: Any, *path: str) -> Any:
        return mask_value(value, path, sensitive, hidden)

    changes = []
    for change in entry.changes:
        path = parse_pointer(change.path)
        desired, live, base = (mask(value, *path) for value in (change.desired, change.live, change.base))
        changes.append(dataclasses.replace(change, desired=desired, live=live, base=base))
    name, patch, last = mask(entry.name, "name"), mask(entry.patch), mask(entry.last)
    return dataclasses.replace(entry, name=name, changes=tuple(changes), patch=patch, last=last)


def _make_scrubber(hidden: Iterable[Any]) -> Callable[[str], str]:
    """Return a function that removes every hidden text from a sentence, in every spelling that a sentence may use."""
    leaves = (leaf for value in hidden for _, leaf in walk_leaves(value))
    texts = {str(leaf) for leaf in leaves if leaf not in (SENSITIVE, None, True, False)}
    secrets = {spelling for text in texts for spelling in _spell(text)}
    # The longest first, because one secret may be part of another.
    longest_first = sorted(secrets, key=lambda text: (-len(text), text))

    def scrub(sentence: str) -> str:
        found = [re.escape(secret) for secret in longest_first if secret in sentence]
        # A quotation may have been cut off in the middle of a secret.
        starts = {start for match in re.finditer(r"\.\.\.", sentence) for start in find_cut(sentence[: match.start()])}
        found += [re.escape(start) + r"(?=\.\.\.)" for start in sorted(starts, key=len, reverse=True)]
        return re.sub("|".join(found), SENSITIVE, sentence) if found else sentence

    def find_cut(head: str) -> Iterator[str]:
        for secret in longest_first:
            if secret[:_WORTH_SCRUBBING] in head:
                lengths = range(min(len(secret), len(head)), _WORTH_SCRUBBING - 1, -1)
                yield from (secret[:length] for length in lengths if head.endswith(secret[:length]))

    return scrub


def _spell(text: str) -> Iterator[str]:
    """Yield a text and its lines in the spellings of JSON, Python, HTML and one-line quotations, if long enough."""
    import html  # slow to load, and most projects have no sensitive values

    lines = dict.fromkeys(map(str.strip, text.splitlines()), _LINE_WORTH_SCRUBBING)
    for part, least in (lines | {text: _WORTH_SCRUBBING}).items():
        in_json, in_unicode = json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1]
        for spelling in (part, in_json, in_unicode, repr(part)[1:-1], html.escape(part)):
            yield from (words for words in (spelling, " ".join(spelling.split())) if len(words.strip()) >= least)
