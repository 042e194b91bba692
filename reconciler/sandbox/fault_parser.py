"""Reads fault rules, which docs/sandbox.md describes: a text becomes a Rule, or a BadRule that shows the place.

The language is three tables: which words follow each other, what each may be, and what is wrong with any other.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.sandbox.fault_rules import Rule, path_matches
from reconciler.sandbox.jsontext import NotJson, read_json
from reconciler.sandbox.settings import BASE_PATH, SandboxError

LONGEST_RULE = 500
# Bounds that a pattern cannot say; 86,400 seconds are a day.
_MOST = {"number": 1_000_000, "seconds": 86_400, "wait": 86_400}
_HELP = "`reconciler sandbox --help` shows the rules"
# ASCII: without it Python folds letters such as the Kelvin sign into ours.
_FLAGS = re.IGNORECASE | re.ASCII | re.DOTALL

# A phrase goes on by what the next word looks like ("" at the rule's end): the words to read then, and what this
# choice alone says of the Rule. A name in capitals is a phrase or a word of these tables, anything else is literal.
_PHRASES: Mapping[str, tuple[tuple[str, str, Mapping[str, str]], ...]] = {
    "RULE": (
        ("limit", "limit COUNT SPAN WAIT", {"does": "limit"}),
        ("token", "token lives COUNT REQUESTS", {"does": "token"}),
        ("normali[sz]e", "normali[sz]e HOW FIELD", {}),
        ("drop", "drop unknown keys", {"does": "drop"}),
        ("edit", "edit SETTING MOMENT WHEN METHOD ASSISTANT", {"does": "edit"}),
        (".*", "WHEN METHOD PATH: WHAT", {}),
    ),
    "SPAN": (("in", "in flight", {}), (".*", "PER PERIOD", {})),
    "PERIOD": (("minute", "minute", {"seconds": "60"}), (".*", "SECOND", {"seconds": "1"})),
    "WAIT": (("", "", {}), (".*", "RETRY-AFTER", {})),
    "WHEN": (
        ("every", "every EACH", {}),
        ("first", "first COUNT", {"when": "first"}),
        ("from", "from NTH", {"when": "from"}),
        (".*%", "SHARE", {"when": "share"}),
        ("[0-9].*", "NTH", {"when": "nth"}),
        (".*", "", {}),
    ),
    "EACH": (("[0-9].*", "NTH", {}), (".*", "", {})),
    "WHAT": (
        ("[0-9]+", "STATUS WAIT-OPTIONS", {"does": "status"}),
        ("html=.*", "PAGE OPTIONS", {"does": "html"}),
        ("hang=.*|drip(=.*)?", "SLOW OPTIONS", {}),
        ("lag(=.*)?", "LAG", {"does": "lag"}),
        (".*", "FAILURE OPTIONS", {}),
    ),
    "OPTIONS": (("", "", {}), (".*", "AFTER OPTIONS", {})),
    "WAIT-OPTIONS": (("", "", {}), ("retry.*", "RETRY-AFTER WAIT-OPTIONS", {}), (".*", "AFTER WAIT-OPTIONS", {})),
}

# What a word may be, its named groups being fields of the Rule, and what is said where it is missing.
_COUNT = "(?P<number>0*[1-9][0-9]*)"
_FIELD = r"(?P<field>[^\s.=]+(\.[^\s.=]+){0,15})"
_SECONDS = r"(?P<seconds>(?=[0-9.]*[1-9])[0-9]+(\.[0-9]+)?)"
_METHODS = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE")
_FAILURES = "`503`, `reset`, `hang`, `half`, `html`, `drip=1` or `lag=2s`"
_WORDS: Mapping[str, tuple[str, str]] = {
    "COUNT": (_COUNT, "how many requests, as in `limit 4 in flight`"),
    "PER": ("per", "`in flight` or `per second`"),
    "SECOND": ("second", "`second` or `minute`"),
    "REQUESTS": ("requests?", "`requests`"),
    "HOW": ("(?P<does>trim|sort|round)((?<=round)=(?P<digits>[0-9]))?", "`trim`, `sort` or `round`"),
    "FIELD": (rf"\*|{_FIELD}", "the field, as in `normalise trim firstMessage`"),
    "SETTING": (rf"(?!(?-i:id)=){_FIELD}=(?P<value>.*)", "FIELD=VALUE, as in `edit name=Ada before PATCH *`"),
    "MOMENT": ("(?P<moment>before|after)", ""),
    "NTH": (f"{_COUNT}[a-z]+", "which, as in `3rd`"),
    "SHARE": (r"(?P<number>(?=[0-9.]*[1-9])([0-9]{1,2}(\.[0-9]+)?|100))%", ""),
    "METHOD": (rf"(?P<method>{'|'.join(_METHODS)}|\*)", "a method, as in `PATCH /assistants/*`"),
    "PATH:": (r"(?P<path>\S+?)\s*:", "a path, as in `/assistants/*`, or *"),
    "ASSISTANT": ("(?P<path>(?!/auth/|/openapi|/assistants$).*)", "a path, as in `/assistants/*`, or *"),
    "STATUS": ("(?P<status>[45][0-9]{2})", ""),
    # A page is a body, which an answer with 204, 205 or 304 cannot have.
    "PAGE": ("html=(?P<status>(?!204|205|304)[2-5][0-9]{2})", ""),
    "SLOW": (f"(?P<does>hang|drip)={_SECONDS}", ""),
    "LAG": (f"lag={_SECONDS}s?", ""),
    "FAILURE": ("(?P<does>reset|hang|half|html)", f"what happens: {_FAILURES}"),
    "AFTER": ("after=(?P<after>provider|database|both)", "`after=`"),
    "RETRY-AFTER": (r"retry-after=(?P<wait_as_date>date\+)?(?P<wait>[0-9]{1,5})", ""),
}

# What is wrong with another word, by what it looks like, and what to write instead. {name} and {rest} are what stands
# before and after its first `=`.
_NO_COUNT = f"{{word!r}} is no whole number from 1 to {_MOST['number']}"
_NO_SECONDS = "{rest!r} is no number of seconds for {name}"
_WITH_DOTS = "write it with dots, as in model.temperature"
_PROBLEMS: tuple[tuple[str, str, str, str], ...] = (
    ("COUNT", ".*", _NO_COUNT, ""),
    ("NTH", "(0+|[0-9]{7,})[a-z]*", _NO_COUNT, ""),
    ("NTH", "[0-9]+[a-z]*", "{word!r} does not say which", "did you mean {ordinal}?"),
    ("NTH", ".*", "{word!r} does not say which", "write 1st, 2nd, 3rd, 4th, ..."),
    ("SHARE", ".*", "{word!r} is no share", "write one between 0% and 100%, as in 10%"),
    ("METHOD", ".*", "{upper!r} is no method that a rule can name", ""),
    ("PATH:", ".*[^:]", "no colon and space end the path", "write them, as in `/assistants/*: 503`"),
    (
        "ASSISTANT",
        "/auth/.*|/openapi.*|/assistants",
        "{word!r} names no assistant",
        "write a path such as /assistants/*",
    ),
    ("PATH: ASSISTANT", f"{BASE_PATH}/.*", "a path stands without the base URL's part", "did you mean {below}?"),
    ("PATH: ASSISTANT", ".*", "the API has no path {path!r}", ""),
    ("STATUS", ".*", "{word!r} is no status that can be answered here", "write one from 400 to 599"),
    ("PAGE", ".*", "{rest!r} is no status that can be answered here", "write one from 200 to 599"),
    ("SLOW LAG", ".*", _NO_SECONDS, "write {name}=2, say, in seconds"),
    ("FAILURE", "(reset|half)=.*", _NO_SECONDS, "write {name} alone"),
    ("FAILURE", ".*", "{word!r} is nothing that can happen to a request", ""),
    ("AFTER", "after=.*", "{rest!r} is no store", "write after=provider, after=database or after=both"),
    ("AFTER", ".*", "{name!r} cannot stand here", ""),
    ("RETRY-AFTER", ".*", "{word!r} is no time to wait", "write retry-after=2 in seconds, or retry-after=date+2"),
    ("HOW", "(trim|sort|round)=.*", "{rest!r} is no number of decimals", "write round=1, say, with one digit"),
    ("HOW", ".*", "{name!r} is no way to normalise", ""),
    ("FIELD", ".*", "{word!r} is no field", _WITH_DOTS),
    ("SETTING", "id=.*", "nobody can edit an assistant's id", ""),
    ("SETTING", "[^=]*", "{word!r} sets nothing", "write FIELD=VALUE, as in `edit name=Ada before PATCH *`"),
    ("SETTING", ".*", "{name!r} is no field", _WITH_DOTS),
)

# The words that somebody may have meant, where `_WORDS` does not show all of them in backticks.
_PATHS = ("/assistants/*", "/assistants", "/auth/login", "/auth/me", "/openapi.json")
_STARTS = ("every", "first", "from", "limit", "token", "normalise", "normalize", "drop", "edit")
_KNOWN = {"METHOD": (*_METHODS, *_STARTS), "PATH:": _PATHS, "ASSISTANT": _PATHS}


class BadRule(SandboxError):  # noqa: N818 - it says what the text is
    """A rule that cannot be read: the text shows it and the place, `hint` what to write instead."""


def parse(text: str) -> Rule:
    """Return the rule that a text says; raises BadRule for any other text."""
    if not text.strip() or len(text) > LONGEST_RULE:
        length = f"{_show(text[:40])}... is longer than {LONGEST_RULE} characters" if text.strip() else "is empty"
        raise BadRule(f"The fault rule {length}", hint=_HELP)
    said = _Reader(text).read_all()
    return Rule(text=text, **{name: _VALUES.get(name, str.lower)(part) for name, part in said.items()})


class _Reader:
    """Reads the words of one rule; what they say is the text of each field of the Rule."""

    def __init__(self, rule: str) -> None:
        self._rule = rule
        # A colon may stand apart from its path.
        self._words = [(one.start(), one[0]) for one in re.finditer(r"[/*]\S*\s+:(?!\S)|\S+", rule)]
        self._next = 0
        self._said: dict[str, str] = {}

    def read_all(self) -> Mapping[str, str]:
        """Return what the rule says; raises BadRule where it stops making sense."""
        if self._words[0][1].lower() == "edit" and len(self._words) > 1:
            self._join_setting()
        self._read("RULE")
        for place, word in self._words[self._next :]:
            raise self._problem(place, f"{word!r} is more than the rule can hold")
        return self._said

    def _join_setting(self) -> None:
        # The value of an edit may hold spaces, and even `before`: only the last such word ends it.
        ends = [number for number, (_, word) in enumerate(self._words) if number > 1 and word in ("before", "after")]
        if not ends:
            place, word = self._words[1]
            raise self._problem(place, f"after {word!r} comes neither before nor after")
        setting = self._words[1 : ends[-1]]
        text = self._rule[setting[0][0] : self._words[ends[-1]][0]].rstrip()
        place = next((place for place, word in setting if "=" in word), setting[0][0])
        self._words[1 : ends[-1]] = [(place, text)]

    def _read(self, words: str) -> None:
        for name in words.split():
            if name in _PHRASES:
                word = self._words[self._next][1] if self._next < len(self._words) else ""
                _, chosen, says = next(one for one in _PHRASES[name] if re.fullmatch(one[0], word, _FLAGS))
                self._said |= says
                self._read(chosen)
            else:
                self._take(name)

    def _take(self, name: str) -> None:
        pattern, wanted = _WORDS.get(name, (name, f"`{name}`"))
        if self._next == len(self._words):
            raise self._problem(len(self._rule.rstrip()), f"here should be {wanted}")
        place, word = self._words[self._next]
        self._next += 1
        found = re.fullmatch(pattern, word, _FLAGS)
        said = {field: part for field, part in found.groupdict().items() if part is not None} if found else {}
        if not found or not _is_possible(word, said):
            raise self._problem(place, *_explain(name, wanted, word))
        # Every word has its place in a rule, but for options, which come in any order.
        if said.keys() & self._said.keys():
            raise self._problem(place, f"{word!r} can stand here once, not twice")
        self._said |= said

    def _problem(self, place: int, message: str, hint: str = "") -> BadRule:
        shown = f"\n    {_show(self._rule)}\n    {' ' * place}^"
        return BadRule(f"The fault rule cannot be read at character {place + 1}: {message}{shown}", hint=hint or _HELP)


def _is_possible(word: str, said: Mapping[str, str]) -> bool:
    """Tell what no pattern can: numbers within their bounds, an ordinal's ending, a path that the API has."""
    if any(float(said[name]) > most for name, most in _MOST.items() if name in said):
        return False
    if "number" in said and word[-1].isalpha():
        return word.lower() == _ordinal(word)
    path = said.get("path", "*")
    return any(path_matches(path, one) for one in _PATHS) or re.fullmatch(r"/assistants/[^/?#]+", path) is not None


def _explain(name: str, wanted: str, word: str) -> tuple[str, str]:
    """Return what is wrong with a word, and a hint."""
    default = ("", "", f"{{word!r}} cannot stand here; it should be {wanted}", "")
    fitting = (one for one in _PROBLEMS if name in one[0].split() and re.fullmatch(one[1], word, _FLAGS))
    _, _, message, hint = next(fitting, default)
    before, _, rest = word.partition("=")
    path = re.sub(r"\s*:$", "", word) if name == "PATH:" else word
    parts = {"word": word, "upper": word.upper(), "name": before, "rest": rest, "ordinal": _ordinal(word), "path": path}
    known = {one.lower(): one for one in _KNOWN.get(name, re.findall(r"`(\S+)`", wanted))}
    near = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.5)
    meant = f"did you mean {known[near[0]]}?" if near else ""
    return message.format(**parts), hint.format(below=path.removeprefix(BASE_PATH), **parts) or meant


def _ordinal(word: str) -> str:
    """Return the number that a word begins with, and the ending that English gives it, as in 22nd."""
    digits = word[: len(word) - len(word.lstrip("0123456789"))]
    is_teen = digits[-2:] in ("11", "12", "13")
    return digits + ("th" if is_teen else {"1": "st", "2": "nd", "3": "rd"}.get(digits[-1:], "th"))


def _read_value(text: str) -> Any:
    try:
        return read_json(text.strip().encode("utf-8", "surrogatepass"))
    except NotJson:
        return text.strip()


def _show(text: str) -> str:
    """Return a text on one line, as long as it was, so that the caret fits, with nothing that a terminal obeys."""
    return "".join(one if one.isprintable() else " " if one.isspace() else "\N{REPLACEMENT CHARACTER}" for one in text)


_VALUES: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("number", "seconds"), float),
    **dict.fromkeys(("status", "wait", "digits"), int),
    "wait_as_date": bool,
    "method": str.upper,
    "path": str,
    "field": lambda text: tuple(text.split(".")),
    "value": _read_value,
}
