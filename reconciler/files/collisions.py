"""Finds definitions that collide: the same id, the same name, or names that some systems treat as the same."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from reconciler.assistant.file_names import same_name
from reconciler.assistant.invisible import tell_apart
from reconciler.assistant.plain_words import list_some
from reconciler.assistant.problem import Problem
from reconciler.core.definition import Definition
from reconciler.core.settings import Settings

_SHOWN = 5


def find_collisions(definitions: Sequence[Definition], settings: Settings) -> list[tuple[str, Problem]]:
    """Return the problems that definitions have with each other, each with the definition's file."""
    return [
        *_find_duplicate_ids(definitions),
        *_find_duplicate_keys(definitions),
        *_find_similar_keys(definitions, settings),
    ]


def describe_same_name(file: str, *others: str) -> Problem:
    """Return the problem of a file that differs from others in its ending alone."""
    message = f"{list_some(others, _SHOWN)} has the same name except for the suffix; rename or remove one of them"
    return Problem(file, 1, 1, message, kind="duplicate", about_file=True)


def _find_duplicate_ids(definitions: Sequence[Definition]) -> Iterator[tuple[str, Problem]]:
    for same in _group((one for one in definitions if one.id), lambda one: one.id):
        places = [(one, *one.locate(("id",))) for one in same]
        for one, file, line, column in places:
            others = [f"{where}:{row}:{col}" for other, where, row, col in places if other is not one]
            message = (
                f"the id {one.id} is also used in {list_some(others, _SHOWN)}; each assistant has only one definition: "
                "remove the other"
            )
            yield one.file, Problem(file, line, column, message, kind="duplicate")


def _find_duplicate_keys(definitions: Sequence[Definition]) -> Iterator[tuple[str, Problem]]:
    for same in _group(definitions, lambda one: one.key):
        for one in same:
            yield one.file, describe_same_name(one.file, *(other.file for other in same if other is not one))


def _find_similar_keys(definitions: Sequence[Definition], settings: Settings) -> Iterator[tuple[str, Problem]]:
    # Windows and macOS take them for one file, so that a clone there holds one of the two.
    for same in _group(definitions, lambda one: same_name(one.key)):
        for one in same:
            if others := [other for other in same if other.key != one.key]:
                message = (
                    f"the name of this file and {list_some([other.file for other in others], _SHOWN)} differ only "
                    f"{tell_apart(one.key, others[0].key)}, and some systems treat them as one file; rename one of them"
                )
                problem = Problem(one.file, 1, 1, message, "warning", lint="similar-names", about_file=True)
                if graded := settings.grade(problem, one.key):
                    yield one.file, graded


def _group(definitions: Iterable[Definition], name: Callable[[Definition], str]) -> list[list[Definition]]:
    groups: dict[str, list[Definition]] = defaultdict(list)
    for definition in definitions:
        groups[name(definition)].append(definition)
    return [group for group in groups.values() if len(group) > 1]
