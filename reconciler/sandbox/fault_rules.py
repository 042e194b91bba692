"""Fault rules (docs/sandbox.md): parses a text into a Rule. Each form is one pattern, whose groups are fields."""

import dataclasses
import difflib
import email.utils
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from reconciler.errors import SandboxError
from reconciler.sandbox.jsontext import NotJson, read_json

After = Literal["provider", "database", "both"]
Effect = Literal[
    "status", "reset", "hang", "half", "html", "drip", "limit", "token", "trim", "sort", "round", "drop", "edit", "lag"
]
FAILURES: tuple[Effect, ...] = ("status", "reset", "hang", "half", "html", "drip")
NORMALISATIONS: tuple[Effect, ...] = ("trim", "sort", "round", "drop")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of docs/sandbox.md. `effect` decides which of the other fields it uses."""

    text: str
    effect: Effect
    when: Literal["nth", "every", "first", "from", "share"] = "every"  # chooses requests, with the three below
    number: float = 1  # or how many requests a limit or a token allows
    method: str = "*"
    path: str = "*"  # below the base URL
    status: int = 200
    seconds: float | None = None  # for `hang` (None: for ever), `drip`, `lag`, and a limit within a time
    after: After | None = None  # the stores that a failing write reaches
    wait: int | None = None  # Retry-After
    wait_as_date: bool = False
    field: tuple[str, ...] = ()  # a path, () for all of them
    digits: int = 0
    value: Any = None
    moment: Literal["before", "after"] = "before"

    def hits(self, count: int, chance: float) -> bool:
        """Return whether the rule hits the request with this count (1 is the first); `chance` is in [0, 1)."""
        return {
            "nth": count == self.number,
            "every": count % self.number == 0,
            "first": count <= self.number,
            "from": count >= self.number,
            "share": chance * 100 < self.number,
        }[self.when]

    def retry_after(self, now: float) -> dict[str, str]:
        """Return the rule's Retry-After header (RFC 9110, 10.2.3), if it has one. `now` is in seconds since 1970."""
        if self.wait is None:
            return {}
        # A date has whole seconds. Round up, so that a client that waits for it does not come too early.
        date = email.utils.formatdate(math.ceil(now) + self.wait, usegmt=True)
        return {"retry-after": date if self.wait_as_date else str(self.wait)}


LONGEST_RULE = 500
_NUMBER = "[1-9][0-9]{0,5}"
_NTH = "(?:st|nd|rd|th)"
_SHARE = r"(?=[0-9.]*[1-9])(?:[0-9]{1,2}(?:\.[0-9]+)?|100)"
_SELECTORS = ("every", "first", "from", "nth", "share")
_SELECTOR = (
    f"every (?P<every>{_NUMBER}){_NTH}|every|first (?P<first>{_NUMBER})|from (?P<from>{_NUMBER}){_NTH}"
    f"|(?P<nth>{_NUMBER}){_NTH}|(?P<share>{_SHARE})%"
)
_REQUESTS = rf"(?:(?:{_SELECTOR}) )?(?P<method>GET|HEAD|POST|PATCH|PUT|DELETE|\*) (?P<path>\S+?)"
_FAIL = rf"{_REQUESTS}\s*: "
_STATUS = rf"{_FAIL}(?P<status>[45][0-9]{{2}})"
_AFTER = "(?: after=(?P<after>provider|database|both))?"
_WAIT = r" retry-after=(?P<wait_as_date>date\+)?(?P<wait>[0-9]{1,5})"
_SECONDS = r"(?P<seconds>(?=[0-9.]*[1-9])[0-9]{1,5}(?:\.[0-9]+)?)"
_LIMIT = f"limit (?P<number>{_NUMBER})"
_FIELD = r"(?P<field>[^\s.=]+(?:\.[^\s.=]+){0,15})"
_NORMALISE, _AT_FIELD = "normali[sz]e", rf"(?:\*|{_FIELD})"
_EDIT = rf"edit (?!(?-i:id)=){_FIELD}=(?P<value>.*?)\s*(?P<moment>before|after) {_REQUESTS}"

# What a rule does, how it is written (a blank is any white space), and an example.
_FORMS: tuple[tuple[Effect, str, str], ...] = (
    ("status", f"{_STATUS}{_AFTER}(?:{_WAIT})?", "2nd PATCH /assistants/*: 503"),
    ("status", f"{_STATUS}{_WAIT}{_AFTER}", "GET /assistants/*: 429 retry-after=2"),
    ("reset", f"{_FAIL}reset{_AFTER}", "every 3rd * *: reset"),
    ("hang", f"{_FAIL}hang(?:={_SECONDS})?{_AFTER}", "1st PATCH *: hang=5"),
    ("half", f"{_FAIL}half{_AFTER}", "from 2nd GET *: half"),
    # An answer with 204, 205 or 304 has no body, so it cannot be a page.
    ("html", f"{_FAIL}html(?:=(?P<status>(?!204|205|304)[2-5][0-9]{{2}}))?{_AFTER}", "first 3 GET *: html=502"),
    ("drip", f"{_FAIL}drip={_SECONDS}{_AFTER}", "10% GET *: drip=0.1"),
    ("lag", f"{_FAIL}lag={_SECONDS}s?", "PATCH *: lag=2s"),
    ("limit", f"{_LIMIT} in flight(?:{_WAIT})?", "limit 4 in flight"),
    ("limit", f"{_LIMIT} per (?P<seconds>second|minute)(?:{_WAIT})?", "limit 5 per second retry-after=1"),
    ("token", f"token lives (?P<number>{_NUMBER}) requests?", "token lives 10 requests"),
    ("trim", f"{_NORMALISE} trim {_AT_FIELD}", "normalise trim firstMessage"),
    ("sort", f"{_NORMALISE} sort {_AT_FIELD}", "normalise sort endCallPhrases"),
    ("round", f"{_NORMALISE} round(?:=(?P<digits>[0-9]))? {_AT_FIELD}", "normalise round=1 model.temperature"),
    ("drop", "drop unknown keys", "drop unknown keys"),
    ("edit", _EDIT, "edit name=Ada before PATCH /assistants/*"),
)
# ASCII, because otherwise Python treats letters such as the Kelvin sign like ours.
_FLAGS = re.IGNORECASE | re.ASCII | re.DOTALL
_PATHS = ("/assistants/*", "/assistants", "/auth/login", "/auth/me", "/openapi.json")


def parse_rule(text: str) -> Rule:
    """Parse a rule. Raises SandboxError for any other text, with a hint that shows how to write it."""
    if not text.strip() or len(text) > LONGEST_RULE:
        length = f"{_clean(text[:40])}... is longer than {LONGEST_RULE} characters" if text.strip() else "is empty"
        raise SandboxError(f"The fault rule {length}", hint="`reconciler sandbox --help` shows the rules")
    for effect, pattern, _ in _FORMS:
        if match := re.fullmatch(pattern.replace(" ", r"\s+"), text.strip(), _FLAGS):
            groups = {name: part for name, part in match.groupdict().items() if part is not None}
            _check_path(groups.get("path", "*"), effect, text)
            for selector in groups.keys() & set(_SELECTORS):
                groups |= {"when": selector, "number": groups.pop(selector)}
            return Rule(
                text=text, effect=effect, **{name: _VALUES.get(name, str.lower)(part) for name, part in groups.items()}
            )
    raise SandboxError(f"The fault rule `{_clean(text)}` cannot be read", hint=_suggest_form(text))


def _check_path(path: str, effect: Effect, text: str) -> None:
    """Refuse a path that no request can have, because its rule would never hit."""
    is_known = any(path_matches(path, pattern) for pattern in _PATHS) or re.fullmatch(r"/assistants/[^/?#]+", path)
    if not is_known or (effect == "edit" and not path_matches(path, "/assistants/x") and "/assistants/" not in path):
        suggestions = [] if is_known else difflib.get_close_matches(path.removeprefix("/api"), _PATHS, n=1)
        raise SandboxError(
            f"The fault rule `{_clean(text)}` names the path {path!r}, which "
            + ("is not the path of an assistant" if is_known else "the API does not have"),
            hint=f"write {suggestions[0] if suggestions else '/assistants/*'}; a path is below the base URL",
        )


def _suggest_form(text: str) -> str:
    # Choose among the forms that begin with the same word, if there are any: `limit` is no misspelled `first`.
    examples = [example for *_, example in _FORMS]
    same_word = [form for form in examples if form.split()[0] == text.split(maxsplit=1)[0].lower()]
    closest = difflib.get_close_matches(text, same_word or examples, n=1, cutoff=0)[0]
    return f"write a rule as in `{closest}`; `reconciler sandbox --help` shows the others"


def _read_value(text: str) -> Any:
    try:
        return read_json(text.strip().encode("utf-8", "surrogatepass"))
    except NotJson:
        return text.strip()


def _clean(text: str) -> str:
    """Return a text without control characters."""
    return "".join(char if char.isprintable() else " " if char.isspace() else "\ufffd" for char in text)


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


def path_matches(pattern: str, path: str) -> bool:
    """Return whether a pattern matches a path. `*` matches anything but a slash, and `*` alone matches every path."""
    parts = "[^/]*".join(re.escape(part) for part in re.split(r"\*+", pattern))
    return pattern == "*" or re.fullmatch(parts, path, re.DOTALL) is not None
