"""Assistants and definitions made up at random: a definition declares some fields, live has them all and more.

A definition is kept as its leaves, `{("model", "temperature"): 0.6}`, so that what must hold can be said
field by field, by code that shares nothing with what is tested.
"""

import json
import random
from collections.abc import Callable, Mapping
from typing import Any

Path = tuple[str, ...]
Leaves = dict[Path, Any]

WORDS = ("campus", "line", "office", "dean", "spring", "autumn", "deadline", "papers", "hello", "thanks", "Grüße", "📞")
OF_THE_API = frozenset({"id", "orgId", "createdAt", "updatedAt"})
# What live holds beside everything that a definition may declare; no fault may touch it.
UNDECLARED: Mapping[str, Any] = {
    "tools": [{"type": "endCall", "messages": [{"content": "bye"}]}],
    "serverUrl": "https://hooks.example.edu/calls",
    "model": {
        "provider": "openai",
        "messages": [{"role": "system", "content": "Be kind."}],
        "knowledge": {"files": ["a"]},
    },
    "voice": {"provider": "azure", "speed": 1.5, "fallback": {"voices": ["a", "b"]}},
    "transcriber": {"provider": "deepgram", "keywords": ["campus:2"]},
    "metadata": {"crm": {"id": 7, "log": [{"deep": {"er": True}}]}, "secret handshake": "yes"},
}


def _text(chance: random.Random) -> str:
    return " ".join(chance.choices(WORDS, k=chance.randint(1, 6)))


def _untidy(chance: random.Random) -> str:
    return _text(chance) + (" " if chance.random() < 0.2 else "")


def _texts(chance: random.Random) -> list[str]:
    return [_text(chance) for _ in range(chance.randint(1, 3))]


def _or_null(one: Callable[[random.Random], Any]) -> Callable[[random.Random], Any]:
    return lambda chance: None if chance.random() < 0.15 else one(chance)


# What may be declared, with how a value is made up.
FIELDS: Mapping[Path, Callable[[random.Random], Any]] = {
    ("name",): _text,
    ("firstMessage",): _or_null(_untidy),
    ("firstMessageMode",): lambda chance: chance.choice(["assistant-speaks-first", "assistant-waits-for-user"]),
    ("voicemailMessage",): _or_null(_text),
    ("endCallMessage",): _or_null(_text),
    ("endCallPhrases",): _or_null(_texts),
    ("maxDurationSeconds",): _or_null(lambda chance: chance.randint(1, 3600)),
    ("model", "model"): lambda chance: chance.choice(["gpt-4o", "gpt-4.1", "o3"]),
    ("model", "temperature"): lambda chance: chance.randint(0, 200) / 100,
    ("model", "maxTokens"): lambda chance: chance.randint(1, 4000),
    ("voice", "voiceId"): _text,
    ("transcriber", "model"): _or_null(_text),
    ("metadata", "owner"): _or_null(_text),
    ("metadata", "crm", "queue"): _or_null(_text),
    ("metadata", "crm", "priority"): lambda chance: chance.randint(0, 9),
    ("metadata", "tags"): _texts,
}


def live(chance: random.Random) -> Leaves:
    """Return the leaves of an assistant that nobody has declared anything of; an API that normalises keeps them."""
    leaves = {path: make(chance) for path, make in FIELDS.items()}
    leaves["model", "temperature"] = chance.randint(0, 20) / 10
    leaves["metadata", "tags"].sort(key=json.dumps)  # as the sandbox sorts
    leaves["firstMessage",] = _text(chance)
    return leaves


def declare_some(chance: random.Random, leaves: Leaves) -> Leaves:
    """Return a definition that says what is live already, of some fields."""
    return {path: leaves[path] for path in FIELDS if chance.random() < 0.5} or {("name",): leaves["name",]}


def edit_some(chance: random.Random, before: Leaves) -> Leaves:
    """Return what somebody makes of a definition: some fields with other values, some new, some released."""
    after = dict(before)
    for path, make in FIELDS.items():
        if chance.random() < 0.25:
            after[path] = make(chance)
        elif path in after and len(after) > 1 and chance.random() < 0.05:
            del after[path]
    return after


def build_tree(leaves: Mapping[Path, Any], over: Mapping[str, Any] = {}) -> dict[str, Any]:
    """Return leaves as nested objects, laid over others."""
    result: dict[str, Any] = {key: _copied(value) for key, value in over.items()}
    for path, value in leaves.items():
        inner = result
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
        inner[path[-1]] = value
    return result


def flatten(assistant: Mapping[str, Any], above: Path = ()) -> Leaves:
    """Return all leaves of an assistant but the API's own; a null is as good as nothing, and a list is one leaf."""
    leaves: Leaves = {}
    for key, value in assistant.items():
        path = (*above, key)
        if isinstance(value, dict):
            leaves |= flatten(value, path)
        elif value is not None and path[0] not in OF_THE_API:
            leaves[path] = sorted(value) if path == ("endCallPhrases",) else value
    return leaves


def _copied(value: Any) -> Any:
    return {key: _copied(inner) for key, inner in value.items()} if isinstance(value, dict) else value
