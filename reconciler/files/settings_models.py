"""The models of `reconciler.yaml`: which keys it may hold, and what each value must be. They read no file."""

import contextlib
import datetime
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Annotated, Any

import pydantic
from pydantic import AfterValidator, BeforeValidator, Field

from reconciler.assistant import fields
from reconciler.assistant.paths import FieldPath, dotted, parse_pointer, to_pointer
from reconciler.assistant.wording import closest
from reconciler.core.base_url import check_base_url
from reconciler.core.limits import MaxChanges
from reconciler.core.settings import OnDrift
from reconciler.errors import SettingsError


def _pointer(value: str) -> FieldPath:
    try:
        return parse_pointer(value)
    except ValueError as error:
        msg = f"cannot be used: {error}"
        raise ValueError(msg) from None


def _pattern(path: FieldPath) -> FieldPath:
    """Take a path that may hold a `*`: alone, since a part of a key would match nothing, unseen."""
    if any("*" in key and key != "*" for key in path):
        raise ValueError("cannot be used: a * stands for one whole key; write the key out, or a * alone")
    if "" in path:
        raise ValueError("cannot be used: it ends in a slash, or has two in a row; remove it")
    return path


def _top_level(value: str) -> str:
    if value not in fields.TOP_LEVEL:
        near = closest(value, fields.TOP_LEVEL)
        guess = f"did you mean {near}?" if near else f"those are {', '.join(fields.TOP_LEVEL)}"
        msg = f"must name top-level fields of an assistant; {guess}"
        raise ValueError(msg)
    return value


def _undocumented(path: FieldPath) -> FieldPath:
    """Take a field that the reference does not list: top-level, or directly inside a closed object."""
    pointer = to_pointer(path)
    if path[0] in fields.READ_ONLY and len(path) == 1:
        msg = f"{path[0]} is set by the API and cannot be declared; remove it"
        raise ValueError(msg)
    if fields.is_documented(path):
        msg = f"{dotted(path)} is a documented field and needs no entry; remove it"
        raise ValueError(msg)
    if "*" in path or "" in path:
        msg = "must name one field, without * and without an empty name"
        raise ValueError(msg)
    if len(path) > 1 and fields.is_documented(path[:1]) and path[0] not in fields.CLOSED_OBJECTS:
        msg = f"{path[0]} has no fields inside; remove this"
        raise ValueError(msg)
    longest = 2 if path[0] in fields.CLOSED_OBJECTS else 1
    if len(path) > longest:
        msg = f"{pointer} lies too deep; name the whole field, {to_pointer(path[:longest])}"
        raise ValueError(msg)
    return path


def _limit(value: object) -> MaxChanges:
    if isinstance(value, str | int):
        return MaxChanges.parse(value)
    raise ValueError("must be a number of assistants, like 5, or a share from 0% to 100%, like 25%")


def _day(value: str) -> datetime.date:
    with contextlib.suppress(ValueError):
        day = datetime.date.fromisoformat(value)
        if day.isoformat() == value:
            return day
    raise ValueError("must be a date that exists, like 2027-01-31")


def _some(value: str) -> str:
    if not value.strip():
        raise ValueError("cannot be empty")
    return value


def _url(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("must begin with https:// (or http:// on this machine)")
    try:
        # Whether plain http may leave this machine is an option of the run.
        check_base_url(value, allow_insecure_http=True)
    except SettingsError as error:
        raise ValueError(f"cannot be used. {error}") from None
    return value.strip()


def _folder(value: str) -> str:
    parts = PurePosixPath(value).parts
    if not parts or value.startswith("/") or ".." in parts or "\\" in value:
        raise ValueError("must name a folder beside reconciler.yaml, like environments/staging")
    return value


def _environment_name(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9-]+", value) or value == "applied":
        raise ValueError('must be made of a-z, 0-9 and "-", and cannot be "applied"')
    return value


Text = Annotated[str, AfterValidator(_some)]
# The text is checked before it becomes another type, so that strict mode sees a text.
Pointer = Annotated[str, AfterValidator(_pointer), AfterValidator(_pattern)]
ExtraField = Annotated[str, AfterValidator(_pointer), AfterValidator(_undocumented)]


def _unset() -> Any:
    """Return the default of a setting that is not there."""
    return Field(default=None)


class _Strict(pydantic.BaseModel):
    """Types as written, no other keys."""

    model_config = pydantic.ConfigDict(strict=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)


class IgnoreEntry(_Strict):
    """One entry of `ignore`."""

    path: Pointer
    reason: Text
    assistants: list[Text] = Field(default=["*"], min_length=1)
    expires: Annotated[str, AfterValidator(_day)] = _unset()


class EnvironmentEntry(_Strict):
    """One entry of `environments`."""

    api_url: Annotated[str, AfterValidator(_url)] = _unset()
    overlay: Annotated[str, AfterValidator(_folder)] = _unset()
    org_id: Text = _unset()
    on_drift: OnDrift = _unset()
    max_changes: Annotated[MaxChanges, BeforeValidator(_limit)] = _unset()
    record: bool = _unset()
    ignore: list[IgnoreEntry] = []


class SettingsFile(_Strict):
    """The whole file: what is not there is None or empty. After validation pointers are paths, dates are dates."""

    api_url: Annotated[str, AfterValidator(_url)] = _unset()
    always_send: list[Annotated[str, AfterValidator(_top_level)]] = []
    sensitive: list[Pointer] = []
    extra_fields: list[ExtraField] = []
    org_id: Text = _unset()
    on_drift: OnDrift = _unset()
    max_changes: Annotated[MaxChanges, BeforeValidator(_limit)] = _unset()
    record: bool = _unset()
    ignore: list[IgnoreEntry] = []
    environments: dict[Annotated[str, AfterValidator(_environment_name)], EnvironmentEntry] = {}


OF_A_KEY = "[key]"  # how pydantic ends the location of an error that is about a key
KEYS = tuple(SettingsFile.model_fields)
ENTRY_KEYS = tuple(IgnoreEntry.model_fields)
ENVIRONMENT_KEYS = tuple(EnvironmentEntry.model_fields)
_LISTS = {
    "always_send": "[model, voice]",
    "extra_fields": "[/model/messages]",
    "assistants": '["admissions/*"]',
    "ignore": "[{path: /metadata/lastCampaign, reason: set by the CRM}]",
}


def misspelt(checked: SettingsFile) -> Iterator[tuple[FieldPath, str]]:
    """Yield where a path of `sensitive` or `ignore` begins almost like a field of an assistant, and what to say.

    It would match nothing: the value that was to be hidden would be shown.
    """
    known = {"*", *fields.TOP_LEVEL, *fields.READ_ONLY, *(path[0] for path in checked.extra_fields)}
    paths: list[tuple[FieldPath, str | FieldPath]] = [
        (("sensitive", str(index)), path) for index, path in enumerate(checked.sensitive)
    ]
    above: list[tuple[FieldPath, list[IgnoreEntry]]] = [((), checked.ignore)]
    above += [(("environments", name), entry.ignore) for name, entry in checked.environments.items()]
    for place, entries in above:
        paths += [((*place, "ignore", str(index), "path"), entry.path) for index, entry in enumerate(entries)]
    for place, path in paths:
        near = None if path[0] in known else closest(path[0], fields.TOP_LEVEL, cutoff=0.8)
        if near:
            yield place, f"unknown field {path[0]}; did you mean {near}?"


def describe(detail: Any, path: FieldPath) -> str:
    """Return pydantic's account of one error in plain words."""
    kind = detail["type"]
    name = path[-1] if not path[-1].isdigit() else f"{path[-2]}, entry {int(path[-1]) + 1},"
    if kind == "extra_forbidden":
        allowed = KEYS
        if "ignore" in path[:-1]:
            allowed = ENTRY_KEYS
        elif path[0] == "environments":
            allowed = ENVIRONMENT_KEYS
        near = closest(path[-1], allowed)
        guess = f"did you mean {near}?" if near else f"allowed here: {', '.join(allowed)}"
        return f"unknown setting {path[-1]}; {guess}"
    if kind == "missing":
        return f'this entry has no "{path[-1]}"; add it'
    if detail["input"] is None:
        return f"{name} cannot be empty; remove the line to leave it unset"
    if kind == "value_error":
        return f"{name} {detail['ctx']['error']}"
    if kind == "too_short":
        return f"{name} cannot be an empty list; remove the line to mean every assistant"
    wanted = {
        "string_type": "text; put it in quotes",
        "list_type": f"a list, like {_LISTS.get(path[-1], '[/metadata/crmKey]')}",
        "literal_error": "one of keep, revert, fail",
        "bool_type": "true or false, without quotes",
    }
    return f"{name} must be {wanted.get(kind, 'a group of keys and values')}"
