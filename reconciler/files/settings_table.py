"""The one table of what `reconciler.yaml` may hold; its checks, its words and its JSON Schema come from it.

A setting is added here and as a field of `core.settings`. This module reads no file.
"""

from typing import Final

from reconciler.assistant import fields
from reconciler.assistant.json_schema import DIALECT, END, Schema
from reconciler.assistant.lints import LINTS
from reconciler.core.settings import MaxChanges
from reconciler.files.setting import (
    MUST_BE_A_DAY,
    make_choice as _choice,
    make_flag as _flag,
    make_group as _group,
    make_list as _list,
    make_row as _row,
    make_schema,
    make_text as _text,
    read_day,
    read_extra_field,
    read_managed,
    read_pattern,
    read_schema,
    read_top_level,
    read_url,
)

_TOP_LEVEL: Final = _row(
    "A top-level field of an assistant.",
    type="string",
    enum=[*fields.TOP_LEVEL, *(f"/{name}" for name in fields.TOP_LEVEL)],
    read=read_top_level,
)
# Its keys behind slashes or between dots, for editors; what it leads to `read` judges alone.
_PATH_FORM: Final = (
    rf"^(?:/(?:\*|(?:[^/.*~]|~[01])+)(?:/(?:\*|(?:[^/*~]|~[01])+))*|(?:\*|[^/.*]+)(?:\.(?:\*|[^/.*]+))*){END}"
)
_LIKE_A_PATH: Final = {
    "type": "string",
    "pattern": _PATH_FORM,
    "patternErrorMessage": "This must be like metadata.crmKey.",
}
_PATH: Final = _row(
    "A field's path: its keys from the outside in, with dots between them or each after a slash; * stands for any one "
    "key.",
    "/metadata/crmKey",
    "metadata.crmKey",
    read=read_pattern,
    **_LIKE_A_PATH,
)
_EXTRA_FIELD: Final = _row(
    "The path of a field that the API's reference does not list.",
    "/model/messages",
    "model.messages",
    type="string",
    read=read_extra_field,
)
_MANAGED: Final = _row(
    "A path inside an object, such as /model/revision; * matches any one key.",
    "/model/revision",
    read=read_managed,
    **_LIKE_A_PATH,
)

_ASSISTANTS: Final = _list(
    "Patterns for the keys of definitions, such as admissions/*. Default: all.",
    _text("A pattern; * matches anything.", "admissions/*"),
    ["admissions/*"],
    minItems=1,
)
_LEVELS: Final = {"error": "It fails.", "warning": "It fails only with --strict.", "none": "It is not checked."}
_REASON: Final = _text("Why; shown in every report.", "set by the CRM")


def _day(description: str, example: str) -> Schema:
    pattern = f"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}{END}"
    return _text(description, example, pattern=pattern, must=MUST_BE_A_DAY, read=read_day)


_EXPIRES: Final = _day("The last day, in UTC. Default: no end.", "2027-01-31")
_ENFORCE_ENTRY: Final = {"path": _PATH, "reason": _REASON, "assistants": _ASSISTANTS}
_IGNORE_ENTRY: Final = {**_ENFORCE_ENTRY, "expires": _EXPIRES}
_FROZEN_ENTRY: Final = {
    "reason": _REASON,
    "assistants": _ASSISTANTS,
    "from": _day("The first day, in UTC. Default: now.", "2027-01-11"),
    "expires": _EXPIRES,
}
_EXCEPTION_ENTRY: Final = {"assistants": _ASSISTANTS, "reason": _REASON, "expires": _EXPIRES}
_RULE_ENTRY: Final = {
    "id": _text("The name of the rule, shown after each message.", "goodbye"),
    "path": _PATH,
    "reason": _text("Why; every message begins with it.", "callers must hear that it is over"),
    "required": _flag("Whether the value must be declared and not null."),
    "schema": _row(
        "What the value may be, as a JSON Schema (2020-12) without external references.",
        {"maximum": 0.8},
        type=["object", "boolean"],
        read=read_schema,
    ),
    "severity": _choice(
        "How severe a violation is. A warning fails only with --strict.", "error", ("error", "warning")
    ),
    "assistants": _ASSISTANTS,
    "from": _day(
        "The first day, in UTC, on which a violation is an error. For 30 days before, it is a warning.", "2027-02-01"
    ),
    "except": _list(
        "Assistants that are exempt from the rule.",
        _group("One exception.", keys=_EXCEPTION_ENTRY, needs="assistants reason"),
        [{"assistants": ["admissions/pilot"], "reason": "a trial", "expires": "2027-01-31"}],
    ),
}

# What the whole project and each environment may set. The patterns are for editors, which know no calendar and no URL.
_SHARED: Final = {
    "api_url": _text(
        "The API's base URL, up to /api.",
        "https://agents.example.edu/api",
        pattern="^https?://",
        must="must begin with https:// (or http:// on this machine)",
        read=read_url,
    ),
    "always_send": _list("Top-level fields that are added to every request.", _TOP_LEVEL, ["model", "voice"]),
    "sensitive": _list("Paths of fields whose values no report shows.", _PATH, ["/metadata/crmKey"]),
    "extra_fields": _list(
        "Fields that the API's reference does not list, and that definitions may declare with any value.",
        _EXTRA_FIELD,
        ["/model/messages"],
    ),
    "org_id": _text("The organisation whose assistants may be written. All others are refused.", "org_abc"),
    "on_drift": _choice(
        "What to do about a field that was edited live but not in git.",
        "keep",
        {"keep": "Keep the live edit.", "revert": "Restore the value from git.", "fail": "Refuse the assistant."},
    ),
    "max_changes": _row(
        "How many assistants one apply may write at most: a number, or a percentage of those selected.",
        6,
        "25%",
        type=["integer", "string"],
        minimum=0,
        maximum=999_999_999,
        read=lambda value: MaxChanges.parse(value if isinstance(value, str | int) else ""),
    ),
    "record": _flag("Whether apply records what it applied, as a commit with which later runs compare."),
    "never_send": _list(
        "Paths inside objects that only the server sets: never sent, and not checked after a write.",
        _MANAGED,
        ["/model/revision"],
    ),
    "line_endings": _choice(
        "Whether texts with CRLF and with LF are equal.",
        "any",
        {"exact": "They differ (the default).", "any": "They are equal."},
    ),
    "ignore": _list(
        "Differences that plan, drift and apply accept. Every report lists them.",
        _group("One accepted difference.", keys=_IGNORE_ENTRY, needs="path reason"),
        [{"path": "/metadata/lastCampaign", "reason": "set by the CRM", "expires": "2027-01-31"}],
    ),
    "frozen": _list(
        "Assistants that must not be written for a while.",
        _group("One freeze.", keys=_FROZEN_ENTRY, needs="reason"),
        [{"assistants": ["*"], "reason": "enrolment week", "from": "2027-01-11", "expires": "2027-01-15"}],
    ),
    "enforce": _list(
        "Fields whose live edits every apply reverts, regardless of on_drift.",
        _group("One field.", keys=_ENFORCE_ENTRY, needs="path reason"),
        [{"path": "/endCallMessage", "reason": "the law wants these words"}],
    ),
    "rules": _list(
        "Your team's own requirements for definitions.",
        _group("One rule.", keys=_RULE_ENTRY, needs="id path reason"),
        [{"id": "goodbye", "path": "/endCallMessage", "required": True, "reason": "callers must hear that it is over"}],
    ),
    "lints": _group(
        "The level of each lint, by its id: error, warning or none; for all assistants or for some.",
        {"spoken-markdown": "error", "trailing-newline": {"level": "none", "assistants": ["old/*"]}},
        keys={
            name: _group(
                words,
                "error",
                {"level": "none", "assistants": ["old/*"]},
                keys={"level": _choice("The level of the lint.", "none", _LEVELS), "assistants": _ASSISTANTS},
                needs="level",
                either="level",
            )
            for name, words in LINTS.items()
        },
    ),
}

_ENVIRONMENT: Final = _group(
    "One environment. Its settings override those of the project; api_url is never inherited.",
    keys={
        **_SHARED,
        "overlay": _text(
            "The folder, next to reconciler.yaml, with the files that are merged on top of the definitions.",
            "environments/staging",
            pattern=rf"^(?!/)(?!(?:\.(?:/+|{END}))+{END})(?!(?:[^\\]*/)?\.\.(?:/|{END}))[^\\]+{END}",
            must="must name a folder beside reconciler.yaml, like environments/staging",
        ),
    },
)
_NAME: Final = _text(
    "An environment's name.",
    pattern=f"^(?!applied{END})[a-z0-9-]+{END}",
    must='must be made of a-z, 0-9 and "-", and cannot be "applied"',
)

SETTINGS: Final = _group(
    "The settings of a project, for everybody including CI. Passwords and tokens do not belong here.",
    keys={
        **_SHARED,
        "environments": _row(
            "Several APIs for the same definitions, such as staging and production, by name.",
            {"staging": {"api_url": "https://staging.example.edu/api", "overlay": "environments/staging"}},
            type="object",
            propertyNames=_NAME,
            additionalProperties=_ENVIRONMENT,
        ),
    },
)


def settings_schema() -> Schema:
    """Return the JSON Schema (draft-07) of `reconciler.yaml`, for editors to check with."""
    # Some things it cannot tell, such as what a path leads to, or a date that does not exist: `validate` does.
    return {"$schema": DIALECT, "title": "Settings of reconciler", **make_schema(SETTINGS)}
