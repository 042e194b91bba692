"""Finds definitions that collide: the same id, the same name, or names that some systems treat as the same."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from reconciler.assistant.file_names import same_name
from reconciler.assistant.invisible import tell_apart
from reconciler.assistant.plain_words import list_some
from reconciler.assistant.problem import Problem
from reconciler.core.definition import Definition
from reconciler.core.settings import Settings

_SHOWN = 5


def find_collisions(definitions: Sequence[Definition], settings: Settings) -> dict[str, list[Problem]]:
    """Return the problems that definitions have with each other, by the definition's file."""
    collisions: dict[str, list[Problem]] = {}
    for file, problem in (*_find_duplicate_ids(definitions), *_find_similar_keys(definitions, settings)):
        collisions.setdefault(file, []).append(problem)
    return collisions


def describe_same_name(file: str, *others: str) -> Problem:
    """Return the problem of a file whose name differs from another one's only in its suffix."""
    message = f"{list_some(others, _SHOWN)} has the same name except for the suffix; rename or remove one of them"
    return Problem(file, 1, 1, message, kind="duplicate", about_file=True)


def _find_duplicate_ids(definitions: Sequence[Definition]) -> Iterator[tuple[str, Problem]]:
    for same in _group([each for each in definitions if each.id], lambda each: each.id):
        places = [(each, *each.locate(("id",))) for each in same]
        for each, file, line, column in places:
            others = [f"{path}:{row}:{col}" for other, path, row, col in places if other is not each]
            message = (
                f"the id {each.id} is also used in {list_some(others, _SHOWN)}; if one of these files is for a new "
                "assistant, write id: new in it; if not, keep only one of them"
            )
            if each.says_new:
                message = (
                    f"the assistant of this file was already created, as {each.id}, which is also used in "
                    f"{list_some(others, _SHOWN)}; if this file is for another assistant, rename it; if not, remove it"
                )
            yield each.file, Problem(file, line, column, message, kind="duplicate")


def _find_similar_keys(definitions: Sequence[Definition], settings: Settings) -> Iterator[tuple[str, Problem]]:
    # Windows and macOS treat them as one file, so a clone there has only one of the two.
    for same in _group(definitions, lambda each: same_name(each.key)):
        for each in same:
            if twins := [other.file for other in same if other.key == each.key and other is not each]:
                yield each.file, describe_same_name(each.file, *twins)
            if others := [other for other in same if other.key != each.key]:
                message = (
                    f"the name of this file and {list_some([other.file for other in others], _SHOWN)} differ only "
                    f"{tell_apart(each.key, others[0].key)}, and some systems treat them as one file; rename one of "
                    "them"
                )
                problem = Problem(each.file, 1, 1, message, "warning", lint="similar-names", about_file=True)
                if graded := settings.grade(problem, each.key):
                    yield each.file, graded


def _group(definitions: Sequence[Definition], name: Callable[[Definition], str]) -> list[list[Definition]]:
    # In a large fleet, a list for each definition takes longer than this look whether there is anything to group.
    if len({name(definition) for definition in definitions}) == len(definitions):
        return []
    groups: dict[str, list[Definition]] = defaultdict(list)
    for definition in definitions:
        groups[name(definition)].append(definition)
    return [group for group in groups.values() if len(group) > 1]
