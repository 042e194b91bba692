"""Reads fault rules, which docs/sandbox.md describes: a text becomes a rule or a BadRule that shows the place."""

from collections.abc import Callable
from typing import Any, cast

from reconciler.sandbox.bodies import NotJson, read_json
from reconciler.sandbox.fault_phrases import failing, requests, retry_after, whole
from reconciler.sandbox.fault_rules import (
    DropUnknown,
    Edit,
    Failure,
    Limit,
    Moment,
    Normalise,
    Normalising,
    Rule,
    TokenLife,
    path_matches,
)
from reconciler.sandbox.fault_words import Words

DEEPEST_FIELD = 16
_PERIODS = {"second": 1, "minute": 60}
_READ_ONLY = "id"


def parse(text: str) -> Rule:
    """Return the rule that a text says; raises BadRule for any other text."""
    words = Words(text)
    reader = _READERS.get(words.peek().lower())
    if reader is None:
        return _failure(words)
    words.take("")
    return reader(words)


def _failure(words: Words) -> Failure:
    meant = requests(words, colon=True, starts=_READERS)
    return Failure(words.rule, meant, failing(words))


def _limit(words: Words) -> Limit:
    most = whole(words, "how many requests, as in `limit 4 in flight`")
    seconds = None
    if words.one_of(("in", "per"), "`in flight` or `per second`") == "in":
        words.one_of(("flight",), "`in flight`")
    else:
        seconds = _PERIODS[words.one_of(tuple(_PERIODS), "`second` or `minute`")]
    wait = retry_after(words) if words.more() else None
    words.end()
    return Limit(words.rule, most, seconds, wait)


def _token(words: Words) -> TokenLife:
    words.one_of(("lives",), "`lives`, as in `token lives 10 requests`")
    number = whole(words, "how many requests a token lives")
    words.one_of(("requests", "request"), "`requests`")
    words.end()
    return TokenLife(words.rule, number)


def _normalise(words: Words) -> Normalise:
    how, _, digits = words.take("`trim`, `sort` or `round`").partition("=")
    if how not in ("trim", "sort", "round"):
        raise words.fault(f"{how!r} is no way to normalise", known=("trim", "sort", "round"))
    if digits and (how != "round" or not digits.isascii() or not digits.isdigit() or len(digits) > 1):
        raise words.fault(f"{digits!r} is no number of decimals", hint="write round=1, say, with one digit")
    field = words.take("the field, as in `normalise trim firstMessage`")
    path = () if field == "*" else _field(words, field)
    words.end()
    return Normalise(words.rule, cast(Normalising, how), path, int(digits or 0))


def _drop(words: Words) -> DropUnknown:
    words.one_of(("unknown",), "`drop unknown keys`")
    words.one_of(("keys",), "`drop unknown keys`")
    words.end()
    return DropUnknown(words.rule)


def _edit(words: Words) -> Edit:
    """Read an edit. The value may hold spaces, so that the last `before` or `after` ends it."""
    assignment = words.up_to_last(("before", "after"), "FIELD=VALUE, as in `edit name=Ada before PATCH *`")
    name, equals, value = assignment.partition("=")
    if not equals:
        raise words.fault(f"{name!r} sets nothing", hint="write FIELD=VALUE, as in `edit name=Ada before PATCH *`")
    field = _field(words, name)
    if field == (_READ_ONLY,):
        raise words.fault("nobody can edit an assistant's id")
    moment = cast(Moment, words.take("before or after"))
    meant = requests(words, colon=False)
    if not path_matches(meant.path, "/assistants/x") and not meant.path.startswith("/assistants/"):
        raise words.fault(f"{meant.path!r} names no assistant", hint="write a path such as /assistants/*")
    words.end()
    return Edit(words.rule, field, _value(value.strip()), moment, meant)


def _field(words: Words, text: str) -> tuple[str, ...]:
    parts = tuple(text.split("."))
    if not all(parts) or any(part.split() != [part] for part in parts) or len(parts) > DEEPEST_FIELD:
        raise words.fault(f"{text!r} is no field", hint="write it with dots, as in model.temperature")
    return parts


def _value(text: str) -> Any:
    """Return the JSON value, or what is no JSON as the text that it is."""
    try:
        return read_json(text.encode("utf-8", "surrogatepass"))
    except NotJson:
        return text


_READERS: dict[str, Callable[[Words], Rule]] = {
    "limit": _limit,
    "token": _token,
    "normalise": _normalise,
    "normalize": _normalise,
    "drop": _drop,
    "edit": _edit,
}
