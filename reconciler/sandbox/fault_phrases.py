"""The phrases that fault rules are made of: which requests, what becomes of them, how long to wait."""

import math
import re
from collections.abc import Iterable
from typing import cast, get_args

from reconciler.sandbox.fault_rules import (
    ANY,
    METHODS,
    After,
    Failing,
    Requests,
    RetryAfter,
    What,
    When,
    path_matches,
)
from reconciler.sandbox.fault_words import Words
from reconciler.sandbox.settings import BASE_PATH

MOST = 1_000_000
LONGEST_WAIT = 86_400  # a day, in seconds

_PATHS = ("/assistants/*", "/assistants", "/auth/login", "/auth/me", "/openapi.json")
_KINDS = ("503", "reset", "hang", "hang=5", "half", "html", "drip=0.1")
_OPTIONS = {"status": ("after", "retry-after")}
_ALL = "first, from, every, METHOD"


def whole(words: Words, wanted: str) -> int:
    """Take a count from 1 to MOST."""
    return _count(words, words.take(wanted))


def _count(words: Words, text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(MOST)) else 0
    if not 1 <= number <= MOST:
        raise words.fault(f"{text!r} is no whole number from 1 to {MOST}")
    return number


def requests(words: Words, *, colon: bool, starts: Iterable[str] = ()) -> Requests:
    """Take `[WHEN] METHOD PATH`, with a colon after the path if one belongs there.

    `starts` are other words that a rule may begin with, for whoever mistyped one.
    """
    when = _when(words)
    method = words.take("a method, as in `PATCH /assistants/*`").upper()
    if method not in (*METHODS, ANY):
        message = f"{method!r} is no method that a rule can name"
        raise words.fault(message, known=(*METHODS, "every", "first", "from", *starts))
    path = words.take("a path, as in `/assistants/*`, or *")
    if colon:
        if path.endswith(":"):
            path = path[:-1]
        elif words.peek() == ":":
            words.take("")
        else:
            raise words.fault("no colon and space end the path", hint="write them, as in `/assistants/*: 503`")
    return Requests(when, method, _path(words, path))


def _path(words: Words, path: str) -> str:
    if path == ANY or any(path_matches(path, one) for one in _PATHS):
        return path
    if re.fullmatch(r"/assistants/[^/?#]+", path):
        return path
    if path.startswith(f"{BASE_PATH}/"):
        below = path.removeprefix(BASE_PATH)
        raise words.fault("a path is told without the base URL's part", hint=f"did you mean {below}?")
    raise words.fault(f"the API has no path {path!r}", known=_PATHS)


def _when(words: Words) -> When:
    word = words.peek().lower()
    if word == "first":
        words.take("")
        return When("first", whole(words, "how many, as in `first 3`"))
    if word == "from":
        words.take("")
        return When("from", _ordinal(words))
    if word == "every":
        words.take("")
        return When("every", _ordinal(words)) if words.peek()[:1].isdigit() else When()
    if word.endswith("%"):
        return When("share", _percentage(words))
    return When("nth", _ordinal(words)) if word[:1].isdigit() else When()


def _ordinal(words: Words) -> int:
    word = words.take("which, as in `3rd`")
    found = re.fullmatch(r"([0-9]+)([a-z]*)", word.lower())
    if not found:
        raise words.fault(f"{word!r} does not say which", hint="write 1st, 2nd, 3rd, 4th, ...")
    number = _count(words, found[1])
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    if found[2] != ending:
        raise words.fault(f"{word!r} does not say which", hint=f"did you mean {number}{ending}?")
    return number


def _percentage(words: Words) -> float:
    word = words.take("")
    number = _decimal(word[:-1])
    if number is None or not 0 < number <= 100:
        raise words.fault(f"{word!r} is no share", hint="write one between 0% and 100%, as in 10%")
    return number


def failing(words: Words) -> What:
    """Take all that is left: what becomes of the request."""
    word = words.take("what happens, as in `503` or `reset`").lower()
    kind, _, amount = word.partition("=")
    if re.fullmatch(r"[0-9]+", word):
        what = What("status", _status(words, word))
    elif kind not in get_args(Failing) or kind == "status":
        raise words.fault(f"{word!r} is nothing that can happen to a request", known=_KINDS)
    elif kind == "html":
        what = What("html", _status(words, amount, least=200) if amount else 200)
    elif kind == "drip" or amount:
        what = What(cast(Failing, kind), seconds=_seconds(words, kind, amount))
    else:
        what = What(cast(Failing, kind))
    return _with_options(words, what)


def _with_options(words: Words, what: What) -> What:
    after: After | None = None
    wait: RetryAfter | None = None
    allowed = _OPTIONS.get(what.kind, ("after",))
    while words.more():
        name, _, value = words.peek().partition("=")
        if name == "retry-after" and name in allowed and wait is None:
            wait = retry_after(words)
        elif name == "after" and after is None:
            words.take("")
            if value not in get_args(After):
                raise words.fault(f"{value!r} is no store", hint="write after=provider, after=database or after=both")
            after = cast(After, value)
        else:
            words.take("")
            known = tuple(f"{option}=" for option in allowed)
            raise words.fault(f"{name!r} cannot stand here, or not twice", known=known)
    return What(what.kind, what.status, what.seconds, after, wait)


def _status(words: Words, text: str, least: int = 400) -> int:
    number = int(text) if re.fullmatch(r"[0-9]{3}", text) else 0
    if not least <= number <= 599 or number in (204, 205, 304):
        raise words.fault(f"{text!r} is no status that can be answered here", hint=f"write one from {least} to 599")
    return number


def _seconds(words: Words, kind: str, text: str) -> float:
    number = _decimal(text)
    if kind not in ("hang", "drip") or number is None or not 0 < number <= LONGEST_WAIT:
        hint = f"write {kind}=2, say, in seconds" if kind in ("hang", "drip") else f"write {kind} alone"
        raise words.fault(f"{text!r} is no number of seconds for {kind}", hint=hint)
    return number


def _decimal(text: str) -> float | None:
    number = float(text) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) else None
    return number if number is not None and math.isfinite(number) else None


def retry_after(words: Words) -> RetryAfter:
    """Take `retry-after=SECONDS` or `retry-after=date+SECONDS`."""
    word = words.take("").lower()
    found = re.fullmatch(r"retry-after=(date\+)?([0-9]{1,5})", word)
    if not found or int(found[2]) > LONGEST_WAIT:
        hint = "write retry-after=2 for seconds, retry-after=date+2 for an HTTP date"
        raise words.fault(f"{word!r} is no time to wait", hint=hint)
    return RetryAfter(int(found[2]), as_date=bool(found[1]))
