"""Reads one file of a definition: its text, its fields, and the problems that prevent reading it."""

import dataclasses
from collections.abc import Iterator, Sequence

from reconciler.assistant.fields import NEVER_SHARED
from reconciler.assistant.invisible import complain_of_unseen, is_seen
from reconciler.assistant.paths import FieldPath
from reconciler.assistant.plain_words import find_slip
from reconciler.assistant.problem import FieldProblem, Problem
from reconciler.assistant.texts import may_mention
from reconciler.core.definition import DEFAULTS, Layer, LayerKind, Place, share
from reconciler.core.settings import Settings
from reconciler.files.find import FoundFile, UnreadableText
from reconciler.files.text_files import TextReader
from reconciler.yamltext.nodes import find_places
from reconciler.yamltext.reader import YamlProblem, read_tolerantly

_TOP = Place((1, 1), (1, 1))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReadFile:
    """One file as far as it could be read; `folded` and `cut_off` are as in `yamltext.reader.Reading`."""

    layer: Layer
    has_fields: bool  # whether it holds a group of fields at all
    folded: Sequence[FieldPath]
    cut_off: Sequence[str]
    unreadable: Sequence[YamlProblem]  # what the reader refused
    problems: Sequence[Problem]  # the same and all else, in words for people

    def has_refused(self, problem: FieldProblem) -> bool:
        """Return whether the reader has refused the same key, or the value that holds what a check found."""
        for refused in self.unreadable:
            path = refused.path or ()
            is_same = path == problem.path
            if refused.about == "key" == problem.about and is_same:
                return True
            # A key that is wrong is so whatever is after it.
            own_key = problem.about == "key" and is_same
            if refused.about == "value" and path == problem.path[: len(path)] and not own_key:
                return True
        return False


def read_layer(
    found: FoundFile, settings: Settings, texts: TextReader, folders: Sequence[str], kind: LayerKind
) -> ReadFile:
    """Return one file as far as it can be read, with its problems; its text files may be in `folders`."""
    text = ""
    problems: list[Problem] = []
    try:
        text = found.read()
    except UnreadableText as error:
        problems.append(Problem(found.file, error.line, error.column, error.message))
    # What could be read continues through the checks, so that people see all problems of a file at once.
    reading = read_tolerantly(text)
    document = reading.value
    given = document if isinstance(document, dict) else {}
    fields, text_files, unresolved = texts.resolve(given, found.file, folders) if may_mention(text) else (given, (), [])
    if kind == "defaults":
        message = f"{DEFAULTS} cannot contain {{}}, which belongs to a single assistant; remove it here"
        found_names = (key for key in NEVER_SHARED if key in given)
        unresolved += [FieldProblem((key,), message.format(key), about="key") for key in found_names]
        fields, text_files = share(fields), tuple(text for text in text_files if text.path[0] not in NEVER_SHARED)
    unreadable = [*reading.problems, *_place_unresolved(text, unresolved)]
    for one in unreadable:
        is_shown = one.path is None or settings.may_quote(one.path)
        message = one.message if is_shown else one.discreet or one.message
        problems.append(Problem(found.file, one.line, one.column, message))
    if not isinstance(document, dict) and not problems:
        problems.append(Problem(found.file, 1, 1, _describe_other(document, kind), about_file=document is None))
    layer = Layer(file=found.file, text=text, fields=fields, kind=kind, texts=text_files, find_places=find_places)
    return ReadFile(
        layer=layer,
        has_fields=isinstance(document, dict),
        folded=reading.folded,
        cut_off=reading.cut_off,
        unreadable=unreadable,
        problems=problems,
    )


def _place_unresolved(text: str, problems: Sequence[FieldProblem]) -> Iterator[YamlProblem]:
    """Yield what is wrong with the mentions of text files at its places, about the fields that lack their texts."""
    places = find_places(text) if problems else {}
    for problem in problems:
        place = places.get(problem.path, _TOP)
        where = place.key if problem.about == "key" else place.value
        field = problem.path[:-1] or problem.path
        yield YamlProblem(*where, problem.message, field, problem.discreet, "value")


def _describe_other(document: object, kind: LayerKind) -> str:
    if document is None and kind == "defaults":
        return "this file is empty; write the shared values, or remove the file"
    if document is None:
        return "this file is empty; a definition begins with a line like: id: asst_123"
    lines = 'a definition consists of lines like "id: asst_123"'
    if kind == "defaults":
        lines = 'shared values consist of lines like "maxDurationSeconds: 1800"'
    if isinstance(document, list):
        return f"{lines}, not of a list; remove the dashes at the beginning"
    if slip := find_slip(str(document)):
        return f"{lines}; {slip[1]}"
    if isinstance(document, str) and ":" in document:
        # In `name:<no-break space>Desk` the space is there, as far as anybody can see.
        odd = next((one for one in document if not is_seen(one)), None)
        return complain_of_unseen(odd) if odd is not None else f"{lines}; put a space after each colon"
    return f"{lines}, not of a list or a single value"
