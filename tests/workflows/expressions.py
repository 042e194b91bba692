"""The part of GitHub's expression language that the workflows use. Whatever else stands in one is an error here.

Rules: https://docs.github.com/en/actions/reference/workflows-and-actions/expressions
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

TOKEN = re.compile(r"\s*(?:'((?:[^']|'')*)'|([A-Za-z_][\w-]*)|(&&|\|\||==|!=|[!().,]))")
STATUS = ("success", "failure", "cancelled", "always")


class UnknownExpression(Exception):  # noqa: N818 - a test that meets one fails
    """Something that this evaluator does not know, or a name that is not there."""


@dataclass(frozen=True)
class Lenient:
    """A mapping in which a missing name is null, as in GitHub's. In all others it is a mistake."""

    values: Mapping[str, Any]


class _Reader:
    """Reads one expression: recursive descent over its tokens, evaluated on the way."""

    def __init__(self, text: str, contexts: Mapping[str, Any], status: str) -> None:
        self.text, self.contexts, self.status = text, contexts, status
        self.tokens: list[tuple[str, str]] = []
        place = 0
        while text[place:].strip():
            match = TOKEN.match(text, place)
            if not match:
                raise UnknownExpression(f"{text!r} at {text[place:]!r}")
            quoted, name, sign = match.groups()
            kind = "text" if quoted is not None else "name" if name else "sign"
            self.tokens.append((kind, (quoted if quoted is not None else name or sign).replace("''", "'")))
            place = match.end()

    def next_is(self, sign: str) -> bool:
        if self.tokens[:1] == [("sign", sign)]:
            self.tokens.pop(0)
            return True
        return False

    def expression(self) -> Any:
        value = self.disjunction()
        if self.tokens:
            raise UnknownExpression(f"{self.text!r} goes on with {self.tokens[0][1]!r}")
        return value

    def disjunction(self) -> Any:
        value = self.conjunction()
        while self.next_is("||"):
            other = self.conjunction()
            value = value if truthy(value) else other
        return value

    def conjunction(self) -> Any:
        value = self.comparison()
        while self.next_is("&&"):
            other = self.comparison()
            value = other if truthy(value) else value
        return value

    def comparison(self) -> Any:
        value = self.term()
        for sign in ("==", "!="):
            if self.next_is(sign):
                return equal(value, self.term()) == (sign == "==")
        return value

    def term(self) -> Any:
        if self.next_is("!"):
            return not truthy(self.term())
        if self.next_is("("):
            value = self.disjunction()
            self.expect(")")
            return value
        if not self.tokens:
            raise UnknownExpression(f"{self.text!r} ends too early")
        kind, word = self.tokens.pop(0)
        if kind == "text":
            return word
        if kind == "sign":
            raise UnknownExpression(f"{self.text!r} has {word!r} in a wrong place")
        if word in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[word]
        return self.call(word) if self.next_is("(") else self.lookup(word)

    def expect(self, sign: str) -> None:
        if not self.next_is(sign):
            raise UnknownExpression(f"{self.text!r} lacks {sign!r}")

    def call(self, name: str) -> Any:
        given: list[Any] = []
        while not self.next_is(")"):
            given.append(self.disjunction())
            self.next_is(",")
        if name in STATUS and not given:
            return name == "always" or name == self.status
        if name == "format" and given:
            return re.sub(r"\{(\d+)\}", lambda found: as_text(given[1 + int(found[1])]), given[0])
        raise UnknownExpression(f"{self.text!r} calls {name}")

    def lookup(self, name: str) -> Any:
        value: Any = self.contexts.get(name, KeyError)
        path = name
        if value is KeyError:
            raise UnknownExpression(f"{self.text!r}: there is no {path}")
        while self.next_is("."):
            _, key = self.tokens.pop(0)
            path += f".{key}"
            value = _inside(value, key, path)
        return value.values if isinstance(value, Lenient) else value


def _inside(value: Any, key: str, path: str) -> Any:
    if isinstance(value, Lenient):
        found = value.values.get(key)
        return Lenient(found) if isinstance(found, Mapping) else found
    if isinstance(value, Mapping) and key in value:
        return value[key]
    if value is None:
        return None
    raise UnknownExpression(f"there is no {path}")


def truthy(value: Any) -> bool:
    """Tell whether GitHub takes a value for true."""
    return value not in (None, False, 0, "")


def equal(first: Any, second: Any) -> bool:
    """Compare as GitHub does: texts without regard to case, values of different types as numbers."""
    if isinstance(first, str) and isinstance(second, str):
        return first.lower() == second.lower()
    if isinstance(first, bool) is isinstance(second, bool) and type(first) is type(second):
        return bool(first == second)
    return _number(first) == _number(second)


def _number(value: Any) -> float:
    try:
        return float(value or 0)
    except ValueError:
        return float("nan")


def as_text(value: Any) -> str:
    """Write a value as GitHub puts it into a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def evaluate(text: str, contexts: Mapping[str, Any], status: str = "success") -> Any:
    """Return the value of one expression, without the braces."""
    return _Reader(text, contexts, status).expression()


def interpolate(text: Any, contexts: Mapping[str, Any]) -> str:
    """Return a text with the values of the expressions in it."""
    value: Callable[[re.Match[str]], str] = lambda found: as_text(evaluate(found[1], contexts))  # noqa: E731
    return re.sub(r"\$\{\{(.*?)\}\}", value, as_text(text), flags=re.DOTALL)


def holds(condition: Any, contexts: Mapping[str, Any], status: str) -> bool:
    """Tell whether an `if` lets something run. Without a word about the status it wants success, too."""
    text = as_text(condition).strip()
    text = text.removeprefix("${{").removesuffix("}}") if text.startswith("${{") else text
    if not text.strip():
        return status == "success"
    asks = re.search(rf"\b(?:{'|'.join(STATUS)})\(\)", text) is not None
    return truthy(evaluate(text, contexts, status)) and (asks or status == "success")
