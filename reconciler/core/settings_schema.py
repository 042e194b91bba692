"""The JSON Schema (draft-07) of `reconciler.yaml`, for editors to check with.

It says as patterns what the settings' models check step by step; a test keeps the two alike. Some things
only the models can tell, such as a date that does not exist.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from reconciler.assistant import fields
from reconciler.assistant.schema import DIALECT, END

Schema = dict[str, Any]

_KEY: Final = "(?:[^~/]|~[01])"  # one character of a key in a JSON Pointer


def _none_of(words: Iterable[str]) -> str:
    """Return a pattern that refuses these words as the rest of a text."""
    return f"(?!(?:{'|'.join(map(re.escape, words))}){END})"


def _extra_field() -> str:
    """Return the pattern of a field that the reference does not list: top-level, or inside a closed object."""
    places = [f"/{_none_of([*fields.TOP_LEVEL, *fields.READ_ONLY, '*'])}{_KEY}+"]
    places += (f"/{name}/{_none_of([*fields.keys_inside((name,)), '*'])}{_KEY}+" for name in fields.CLOSED_OBJECTS)
    return f"^(?:{'|'.join(places)}){END}"


def _text(description: str, example: str, pattern: str = r"\S", complaint: str = "This cannot be empty.") -> Schema:
    return {
        "description": description,
        "type": "string",
        "pattern": pattern,
        "patternErrorMessage": complaint,
        "examples": [example],
    }


def _list(description: str, items: Schema, example: list[str]) -> Schema:
    return {"description": description, "type": "array", "items": items, "examples": [example]}


def _object(description: str, properties: Mapping[str, Schema], **more: Any) -> Schema:
    return {
        "description": description,
        "type": "object",
        "properties": dict(properties),
        **more,
        "additionalProperties": False,
    }


_POINTER = _text(
    "A field's path: its keys from the outside in, each after a slash; * stands for any one key.",
    "/metadata/crmKey",
    rf"^(?:/(?:\*|(?:[^~/*]|~[01])+))+{END}",
    "A path begins with a slash, like /metadata/crmKey; in a key, write ~1 for a slash and ~0 for a tilde. A * "
    "stands for a whole key.",
)

_EXTRA_FIELD = _text(
    "The path of a field that the API's reference does not list.",
    "/model/messages",
    _extra_field(),
    "Name one whole field that the API's reference does not list, at the top (/backgroundSound) or directly inside "
    f"{', '.join(fields.CLOSED_OBJECTS)} (/model/messages).",
)

_IGNORE = _list(
    "Differences to accept, in plan, drift and apply alike. Every report lists them.",
    _object(
        "One difference to accept.",
        {
            "path": _POINTER,
            "reason": _text("Why; it stands in every report.", "set by the CRM"),
            "assistants": {
                **_list(
                    "For which definitions: patterns of their path below the folder, without the suffix. All, if left "
                    "out.",
                    _text("A pattern; * stands for anything.", "admissions/*"),
                    ["admissions/*"],
                ),
                "minItems": 1,
            },
            "expires": _text(
                "The last day, in UTC. For ever, if left out.",
                "2027-01-31",
                f"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}{END}",
                "Write the date like 2027-01-31.",
            ),
        },
        required=["path", "reason"],
    ),
    [],
)
_IGNORE["examples"] = [[{"path": "/metadata/lastCampaign", "reason": "set by the CRM", "expires": "2027-01-31"}]]

# What the whole project and each environment may set.
_COMMON: Final[Mapping[str, Schema]] = {
    "api_url": _text(
        "The API's base URL, up to /api.",
        "https://agents.example.edu/api",
        "^https?://",
        "A URL begins with https:// (or http:// on this machine).",
    ),
    "org_id": _text(
        "The organisation whose assistants may be written. Those of another one, or of none, are refused.", "org_abc"
    ),
    "on_drift": {
        "description": "What to do about a field that was edited live while git did not move.",
        "type": "string",
        "enum": ["keep", "revert", "fail"],
        "enumDescriptions": ["Leave it as it is live.", "Put git's value back.", "Refuse the assistant."],
        "examples": ["keep"],
    },
    "max_changes": {
        "description": "How many assistants one apply may write: a number, or a share of those selected.",
        "type": ["integer", "string"],
        "minimum": 0,
        "maximum": 999_999_999,
        "pattern": rf"^\s*(?:[0-9]{{1,9}}|(?:0?[0-9]{{1,2}}(?:\.[0-9]{{1,6}})?|100(?:\.0{{1,6}})?) ?%)\s*{END}",
        "patternErrorMessage": "Write a number of assistants, like 5, or a share from 0% to 100%, like 25%.",
        "examples": [6, "25%"],
    },
    "record": {
        "description": "Whether apply records what it applied, as a commit that later runs compare with.",
        "type": "boolean",
        "examples": [True],
    },
    "ignore": _IGNORE,
}

_ENVIRONMENT = _object(
    "One environment. What it sets counts before the project's own setting; api_url is never inherited.",
    {
        **_COMMON,
        "overlay": _text(
            "The folder, beside reconciler.yaml, of the files that are laid over the definitions.",
            "environments/staging",
            rf"^(?!/)(?!(?:\.(?:/+|{END}))+{END})(?!(?:[^\\]*/)?\.\.(?:/|{END}))[^\\]+{END}",
            "Name a folder beside reconciler.yaml, like environments/staging.",
        ),
    },
)


def settings_schema() -> Schema:
    """Return the schema of `reconciler.yaml`."""
    top_level: Schema = {
        "description": "A top-level field of an assistant.",
        "type": "string",
        "enum": list(fields.TOP_LEVEL),
    }
    whole = _object(
        "The settings of a project, for everybody and CI alike. Passwords and tokens do not belong here.",
        {
            **_COMMON,
            "always_send": _list(
                "Top-level fields that ride along in every request that is sent anyway.", top_level, ["model", "voice"]
            ),
            "sensitive": _list("Paths of fields whose values no report may show.", _POINTER, ["/metadata/crmKey"]),
            "extra_fields": _list(
                "Fields that the API has beyond its reference and definitions may declare. They may hold anything.",
                _EXTRA_FIELD,
                ["/model/messages"],
            ),
            "environments": {
                "description": "One definition for several APIs, such as staging and production: each by its name.",
                "type": "object",
                "propertyNames": {
                    "type": "string",
                    "pattern": f"^(?!applied{END})[a-z0-9-]+{END}",
                    "patternErrorMessage": 'A name is made of a-z, 0-9 and "-", and is not "applied".',
                },
                "additionalProperties": _ENVIRONMENT,
                "examples": [
                    {
                        "staging": {
                            "api_url": "https://staging.example.edu/api",
                            "overlay": "environments/staging",
                        }
                    }
                ],
            },
        },
    )
    return {"$schema": DIALECT, "title": "Settings of reconciler", **whole}
