"""Reads fault rules, which docs/sandbox.md describes: a text becomes a Rule, or a BadRule that shows how to write it.

Each form of a rule is one pattern, whose named groups are fields of the Rule.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.sandbox.fault_rules import Does, Rule, path_matches
from reconciler.sandbox.jsontext import NotJson, read_json
from reconciler.sandbox.settings import SandboxError

LONGEST_RULE = 500

_NUMBER = "[1-9][0-9]{0,5}"
_NTH = "(?:st|nd|rd|th)"
_SHARE = r"(?=[0-9.]*[1-9])(?:[0-9]{1,2}(?:\.[0-9]+)?|100)"
_WHEN = (
    f"every (?P<every>{_NUMBER}){_NTH}|every|first (?P<first>{_NUMBER})|from (?P<from>{_NUMBER}){_NTH}"
    f"|(?P<nth>{_NUMBER}){_NTH}|(?P<share>{_SHARE})%"
)
_REQUESTS = rf"(?:(?:{_WHEN}) )?(?P<method>GET|HEAD|POST|PATCH|PUT|DELETE|\*) (?P<path>\S+?)"
_FAILING = rf"{_REQUESTS}\s*: "
_AFTER = "(?: after=(?P<after>provider|database|both))?"
_WAIT = r" retry-after=(?P<wait_as_date>date\+)?(?P<wait>[0-9]{1,5})"
_SECONDS = r"(?P<seconds>(?=[0-9.]*[1-9])[0-9]{1,5}(?:\.[0-9]+)?)"
_FIELD = r"(?P<field>[^\s.=]+(?:\.[^\s.=]+){0,15})"
_NORMALISE = rf"normali[sz]e (?:HOW) (?:\*|{_FIELD})"

# What a rule does, how it is written (a blank is any white space), and an example.
_FORMS: tuple[tuple[Does, str, str], ...] = (
    ("status", rf"{_FAILING}(?P<status>[45][0-9]{{2}}){_AFTER}(?:{_WAIT})?", "2nd PATCH /assistants/*: 503"),
    ("status", rf"{_FAILING}(?P<status>[45][0-9]{{2}}){_WAIT}{_AFTER}", "GET /assistants/*: 429 retry-after=2"),
    ("reset", f"{_FAILING}reset{_AFTER}", "every 3rd * *: reset"),
    ("hang", f"{_FAILING}hang(?:={_SECONDS})?{_AFTER}", "1st PATCH *: hang=5"),
    ("half", f"{_FAILING}half{_AFTER}", "from 2nd GET *: half"),
    # A page is a body, which an answer with 204, 205 or 304 cannot have.
    ("html", f"{_FAILING}html(?:=(?P<status>(?!204|205|304)[2-5][0-9]{{2}}))?{_AFTER}", "first 3 GET *: html=502"),
    ("drip", f"{_FAILING}drip={_SECONDS}{_AFTER}", "10% GET *: drip=0.1"),
    ("lag", f"{_FAILING}lag={_SECONDS}s?", "PATCH *: lag=2s"),
    ("limit", f"limit (?P<number>{_NUMBER}) in flight(?:{_WAIT})?", "limit 4 in flight"),
    (
        "limit",
        f"limit (?P<number>{_NUMBER}) per (?P<seconds>second|minute)(?:{_WAIT})?",
        "limit 5 per second retry-after=1",
    ),
    ("token", f"token lives (?P<number>{_NUMBER}) requests?", "token lives 10 requests"),
    ("trim", _NORMALISE.replace("HOW", "trim"), "normalise trim firstMessage"),
    ("sort", _NORMALISE.replace("HOW", "sort"), "normalise sort endCallPhrases"),
    ("round", _NORMALISE.replace("HOW", "round(?:=(?P<digits>[0-9]))?"), "normalise round=1 model.temperature"),
    ("drop", "drop unknown keys", "drop unknown keys"),
    (
        "edit",
        rf"edit (?!(?-i:id)=){_FIELD}=(?P<value>.*?)\s*(?P<moment>before|after) {_REQUESTS}",
        "edit name=Ada before PATCH /assistants/*",
    ),
)
# ASCII: without it Python folds letters such as the Kelvin sign into ours.
_PATTERNS = [
    (does, re.compile(pattern.replace(" ", r"\s+"), re.IGNORECASE | re.ASCII | re.DOTALL))
    for does, pattern, _ in _FORMS
]
_PATHS = ("/assistants/*", "/assistants", "/auth/login", "/auth/me", "/openapi.json")
_WHENS = ("every", "first", "from", "nth", "share")


class BadRule(SandboxError):  # noqa: N818 - it says what the text is
    """A rule that cannot be read: the text shows it, `hint` what to write instead."""


def parse(text: str) -> Rule:
    """Return the rule that a text says; raises BadRule for any other text."""
    if not text.strip() or len(text) > LONGEST_RULE:
        length = f"{_show(text[:40])}... is longer than {LONGEST_RULE} characters" if text.strip() else "is empty"
        raise BadRule(f"The fault rule {length}", hint="`reconciler sandbox --help` shows the rules")
    for does, pattern in _PATTERNS:
        if found := pattern.fullmatch(text.strip()):
            said = {name: part for name, part in found.groupdict().items() if part is not None}
            _check_path(said.get("path", "*"), does, text)
            for when in said.keys() & set(_WHENS):
                said |= {"when": when, "number": said.pop(when)}
            return Rule(
                text=text, does=does, **{name: _VALUES.get(name, str.lower)(part) for name, part in said.items()}
            )
    raise BadRule(f"The fault rule `{_show(text)}` cannot be read", hint=_suggest_form(text))


def _check_path(path: str, does: Does, text: str) -> None:
    """Refuse a path that no request can have: its rule would never hit."""
    known = any(path_matches(path, one) for one in _PATHS) or re.fullmatch(r"/assistants/[^/?#]+", path)
    if not known or (does == "edit" and not path_matches(path, "/assistants/x") and "/assistants/" not in path):
        near = [] if known else difflib.get_close_matches(path.removeprefix("/api"), _PATHS, n=1)
        raise BadRule(
            f"The fault rule `{_show(text)}` names the path {path!r}, which "
            + ("is of no assistant" if known else "the API does not have"),
            hint=f"write {near[0] if near else '/assistants/*'}; a path is below the base URL",
        )


def _suggest_form(text: str) -> str:
    """Return the example that is most like a text."""
    examples = [example for *_, example in _FORMS]
    known = [one for one in examples if one.split()[0] == text.split(maxsplit=1)[0].lower()]
    near = difflib.get_close_matches(text, known or examples, n=1, cutoff=0)[0]
    return f"write a rule as in `{near}`; `reconciler sandbox --help` shows the others"


def _read_value(text: str) -> Any:
    try:
        return read_json(text.strip().encode("utf-8", "surrogatepass"))
    except NotJson:
        return text.strip()


def _show(text: str) -> str:
    """Return a text with nothing in it that a terminal obeys."""
    return "".join(one if one.isprintable() else " " if one.isspace() else "\N{REPLACEMENT CHARACTER}" for one in text)


_VALUES: Mapping[str, Callable[[str], Any]] = {
    "number": float,
    "seconds": lambda text: {"second": 1.0, "minute": 60.0}.get(text.lower()) or float(text),
    **dict.fromkeys(("status", "wait", "digits"), int),
    "wait_as_date": bool,
    "method": str.upper,
    "path": str,
    "field": lambda text: tuple(text.split(".")),
    "value": _read_value,
}
