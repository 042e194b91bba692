"""Check definitions offline: no network, no credentials."""

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, combinations, product

from reconciler.assistant.fields import NEVER_SHARED, TOP_LEVEL
from reconciler.assistant.problem import Problem, Severity, keep_gravest
from reconciler.core.canonical import exact_text
from reconciler.core.definition import DEFAULTS
from reconciler.core.overrides import check_matches, find_idle_secrets, list_expired
from reconciler.core.run import Failure, Result, Run
from reconciler.core.settings import FILE_NAME, Settings, now
from reconciler.files.definitions import Loaded
from reconciler.files.source_lines import add_settings_lines
from reconciler.usecases.project.environments import Form

# How many definitions must share a value for a hint, and how many hints are shown at most.
LEAST_SHARED = 5
MOST_HINTS = 3
Forms = Sequence[Form]
_SPARSE = "this is a sparse checkout: only the files that are checked out were checked"


def validate(
    forms: Forms, neighbours: Forms = (), *, started_at: datetime.datetime, strict: bool = False, sparse: bool = False
) -> Run:
    """Return the run of `validate`: each definition with its problems, in every form that it takes.

    In a `sparse` checkout files may be hidden, and the run says so. A form is the project in one environment; a
    definition is valid if it is so in all forms. Expired entries of the settings are problems too, and so are two
    environments that would write to one assistant (`neighbours`).
    """
    problems = keep_gravest({problem for _, loaded in forms for problem in loaded.problems})
    shared = list(_find_shared_assistants(forms, neighbours))
    problems |= {problem for _, problem in shared}
    notes = [_SPARSE] if sparse else []
    # A run of selected files does not see the others, and an invalid file may declare anything.
    if all(loaded.whole for _, loaded in forms):
        problems |= set(_find_unmatched(forms))
    if all(loaded.whole and not loaded.invalid for _, loaded in forms):
        # Notes, and no problems that fail under `--strict`: the path may hide a value that only live has.
        idle_secrets = find_idle_secrets((settings, loaded.definitions) for settings, loaded in forms)
        notes = [*idle_secrets, *_find_unused(forms), *notes]
    for settings, _ in forms:
        expired = ((entry.place, message) for entry, message in list_expired(settings))
        problems |= {*_locate(settings, expired, "error")}
    errors = {file: Failure(problem.kind, problem.message) for file, problem in shared}
    valid = {entry.file: Result(entry, error=errors.get(entry.file)) for _, each in forms for entry in each.definitions}
    invalid = [entry for _, loaded in forms for entry in loaded.invalid]
    results = valid | {entry.file: Result(entry, error=Failure(entry.kind, entry.message)) for entry in invalid}
    return Run(
        command="validate",
        started_at=started_at,
        finished_at=now(),
        results=tuple(results[file] for file in sorted(results)),
        problems=tuple(sorted(problems)),
        notes=tuple(notes),
        environment=forms[0].settings.environment,
        next_expiry=min((day for settings, _ in forms if (day := settings.next_expiry) is not None), default=None),
        options={"strict": strict},
        sensitive=forms[0].settings.sensitive,
    )


def report_settings_problems(problems: Sequence[Problem], *, strict: bool = False) -> Run:
    """Return the run of `validate` where `reconciler.yaml` cannot be used: its problems alone."""
    # Without it nobody knows which fields may be declared, or which values may be shown.
    moment = now()
    return Run("validate", moment, moment, results=(), problems=tuple(problems), options={"strict": strict})


def find_shareable(loaded: Loaded) -> Iterator[str]:
    """Yield the values that most definitions repeat, and that could be written once as defaults."""
    # A run of a few files does not see the others, and with few definitions a hint is not worth it.
    if not loaded.whole or len(loaded.definitions) < LEAST_SHARED:
        return
    files = [definition.own_layer.fields for definition in loaded.definitions]
    counts: Counter[str] = Counter()
    for field in (field for field in TOP_LEVEL if field not in NEVER_SHARED):
        values = Counter(exact_text(fields[field]) for fields in files if fields.get(field) is not None)
        counts[field] = max(values.values(), default=0)
    # Fields with equal counts stay in the API's order.
    for field, count in counts.most_common(MOST_HINTS):
        if count >= LEAST_SHARED and 2 * count > len(files):
            yield f"{count} definitions have the same {field}; it could be moved to {DEFAULTS}"


def _find_unused(forms: Forms) -> list[str]:
    """Return a sentence for each definition without an id that no environment gives one: no command would read it."""
    used = {entry.file for _, loaded in forms[1:] for entry in loaded.definitions}
    idle = [each.file for each in forms[0].loaded.definitions if not (each.id or each.says_new or each.file in used)]
    return [f"{file}: no environment gives it an id, so it describes no assistant" for file in idle]


def _find_unmatched(forms: Forms) -> Iterator[Problem]:
    """Yield a warning for each entry of the settings that matches nothing in any form."""
    messages: dict[tuple[int, int], list[str]] = defaultdict(list)
    for settings, loaded in forms:
        for entry, message in check_matches(settings, loaded.every):
            if len(forms) > 1 or not settings.is_shared(entry):
                messages[entry.place].append(message)
    unmatched = ((place, found[-1]) for place, found in messages.items() if all(found))
    yield from _locate(forms[0].settings, unmatched, "warning")


def _locate(settings: Settings, messages: Iterable[tuple[tuple[int, int], str]], severity: Severity) -> list[Problem]:
    """Return problems of the settings, each at the line and column of its entry."""
    file = settings.file or FILE_NAME
    problems = (Problem(file, *place, message, severity) for place, message in messages)
    return add_settings_lines(problems, settings.text)


def _find_shared_assistants(forms: Forms, neighbours: Forms) -> Iterator[tuple[str, Problem]]:
    """Yield the file and a problem for each assistant that two environments would write: URL and id are the same."""
    for (first, first_loaded), (second, second_loaded) in chain(combinations(forms, 2), product(forms, neighbours)):
        if None in (first.environment, second.environment, first.api_url) or first.api_url != second.api_url:
            continue
        second_by_id = {definition.id: definition for definition in second_loaded.definitions}
        for definition in first_loaded.definitions:
            # Without ids, these will become two assistants.
            if definition.id and definition.id in second_by_id:
                place, other_place = definition.locate(("id",)), second_by_id[definition.id].locate(("id",))
                usage = "is here for both" if place == other_place else "is also used in {}:{}:{}".format(*other_place)
                message = (
                    f"{first.environment} and {second.environment} have the same URL, and the id {definition.id} "
                    f"{usage}: both would write to that assistant; correct the id or the URL of one of them"
                )
                yield definition.file, Problem(*place, message, kind="duplicate")
