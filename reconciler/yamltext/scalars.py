"""Scalars: mainly what an unquoted text means in YAML 1.1 and in the core schema of YAML 1.2.

If the two differ, the text is rejected, so that every parser reads a definition alike. YAML 1.1 is PyYAML's own
resolver and constructor; the core schema is section 10.3.2 of the YAML 1.2.2 specification. Knows nothing about files.
"""

import datetime
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import yaml
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from reconciler.core.definition import LARGEST
from reconciler.dataclass import dataclass

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a scalar is refused. `discreet` does not quote it. `of_key` is the message for a key that is no text."""

    message: str
    discreet: str
    of_key: str = ""


# The tag of a plain scalar that has none. A quoted or block scalar gets TEXT.
PLAIN: Final = "plain"
TEXT: Final = "text"
_YAML: Final = "tag:yaml.org,2002:"
# The tags that a scalar may have, with the types of value that each allows.
SCALAR_TAGS: Final[Mapping[str, tuple[type, ...]]] = {
    f"{_YAML}str": (str,),
    f"{_YAML}bool": (bool,),
    f"{_YAML}int": (int,),
    f"{_YAML}float": (float,),
    f"{_YAML}null": (type(None),),
}
# Plain words with another first character are texts in both versions of YAML. That is nearly every text.
_FIRST_CHARACTERS = frozenset("0123456789+-.~<=yYnNtTfFoO")
# Longer texts are not converted. Python takes minutes for `1:1:1:...` and 99999..., and no real value is so long.
_LONGEST_SCALAR = 64
_UNREADABLE: Final = object()
_RESOLVER = Resolver()
_CONSTRUCTOR = SafeConstructor()

_CORE_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **{sign + word: math.inf for sign in ("", "+") for word in (".inf", ".Inf", ".INF")},
    **{"-" + word: -math.inf for word in (".inf", ".Inf", ".INF")},
}
# Octal numbers are 0o14 in YAML 1.2 and 014 in 1.1. In 1.0e+3 only 1.1 requires the point and the sign.
_CORE_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_CORE_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


def read_scalar(tag: str, text: str) -> Scalar | Refusal:
    """Return the value of a scalar with this tag (or PLAIN, or TEXT), or why it is refused."""
    if tag == TEXT:
        return text
    if tag == PLAIN:
        return read_plain(text)
    # `!!str 012` is a text to every parser, whatever `012` alone would be.
    return text if tag == f"{_YAML}str" else _read_tagged(tag, text)


def read_plain(text: str) -> Scalar | Refusal:
    """Return the value of a plain scalar, or why it is refused."""
    if text and text[0] not in _FIRST_CHARACTERS:
        return text
    if len(text) <= _LONGEST_SCALAR:
        return _read_short(text)
    # So long a text is either a text or a number with very many digits.
    is_number = _CORE_INT.fullmatch(text) or _CORE_FLOAT.fullmatch(text)
    return text if _resolve_yaml_1_1(text) == f"{_YAML}str" and not is_number else _refuse_long(text)


def write_tag(tag: str) -> str:
    """Return a tag as people write it, such as `!!binary` for YAML's own."""
    return f"!!{tag.removeprefix(_YAML)}" if tag.startswith(_YAML) else tag


def write_number(number: float) -> str:
    """Return a number in the form that every YAML parser reads the same: `1.0e+20`, not Python's `1e+20`."""
    text = repr(number)
    return text.replace("e", ".0e") if "e" in text and "." not in text else text


def _read_tagged(tag: str, text: str) -> Scalar | Refusal:
    """Return the value of a scalar with an explicit tag. The tag must be one of YAML's core and fit the text."""
    types = SCALAR_TAGS.get(tag)
    if types is None:
        return Refusal(
            f'the tag {write_tag(tag)} is not supported; a text that begins with "!" must be in quotes',
            'this tag is not supported; a text that begins with "!" must be in quotes',
        )
    value = read_plain(text)
    if not isinstance(value, Refusal) and type(value) not in types:
        return Refusal(f"this value does not fit its tag {write_tag(tag)}; remove the tag", "")
    return value


@lru_cache(maxsize=4096)
def _read_short(text: str) -> Scalar | Refusal:
    # Values and refusals are both cached, since a fleet has few different scalars.
    old, new = _read_yaml_1_1(text), _read_core_schema(text)
    if any(isinstance(value, float) and not math.isfinite(value) for value in (old, new)):
        return Refusal(f"{text} is not a valid JSON number; {_suggest_quotes(text)}", "is not a valid JSON number")
    # The types are compared as well, since 1, 1.0 and True are equal in Python.
    if type(old) is not type(new) or old != new:
        return _refuse_ambiguous(text, old, new)
    if isinstance(new, int) and abs(new) > LARGEST:
        return _refuse_long(text)
    return new


def _resolve_yaml_1_1(text: str) -> str:
    tag: str = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return tag


def _read_yaml_1_1(text: str) -> Any:
    tag = _resolve_yaml_1_1(text)
    if tag == f"{_YAML}str":
        return text
    try:
        return _CONSTRUCTOR.construct_document(yaml.ScalarNode(tag, text))
    except ValueError:
        return datetime.date.min  # the 31st of February
    except yaml.YAMLError:
        return _UNREADABLE  # a merge key, "="


def _read_core_schema(text: str) -> Scalar:
    if text in _CORE_WORDS:
        return _CORE_WORDS[text]
    if _CORE_INT.fullmatch(text):
        # Base 0 reads 0o14 and 0x1f, but refuses 08, which is 8 in YAML 1.2.
        return int(text, 0 if text[:2] in ("0o", "0x") else 10)
    return float(text) if _CORE_FLOAT.fullmatch(text) else text


def _refuse_ambiguous(text: str, old: Any, new: Scalar) -> Refusal:
    """Return the refusal of a text that two parsers read differently, with what to write instead."""
    if text == "<<":
        return Refusal('merge keys ("<<") are not supported; write the fields out', "merge keys are not supported")
    fixes = [_suggest_quotes(text)]
    # YAML 1.1 reads a time of day as a number. Nobody means that, so only quotes are offered, as for a date.
    if isinstance(old, bool):
        fixes.insert(0, f"write {'true' if old else 'false'}")
    elif ":" not in text and not isinstance(old, datetime.date):
        numbers = sorted({_name_number(value) for value in (old, new) if isinstance(value, int | float)})
        fixes += [f"write {number}" for number in numbers]
    elif ":" in text and isinstance(old, int | float):
        fixes.append("write a number without a colon")
    readings = " and as ".join(dict.fromkeys(map(_describe_value, (old, new))))
    problem = f"{text} is read as {readings} by different YAML parsers"
    return Refusal(
        f"{problem}; {', or '.join(fixes)}",
        "different YAML parsers read this value differently; put it in quotes if it is meant as text",
        of_key=f"{problem}; {_suggest_quotes(text)}",
    )


def _refuse_long(text: str) -> Refusal:
    start = text if len(text) <= 24 else text[:20] + "..."
    return Refusal(
        f"{start} is a number too long to be stored exactly; put it in quotes if it is meant as text",
        "this number is too long to be stored exactly; put it in quotes if it is meant as text",
    )


def _suggest_quotes(text: str) -> str:
    return f'quote it: "{text}"'


def _name_number(value: float) -> str:
    """Return a number as people would write it: 1e3 as 1000, for example."""
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
    return write_number(int(value) if is_whole else value)


def _describe_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {_name_number(value)}"
    if isinstance(value, datetime.date):
        return "a date"
    return "text" if isinstance(value, str) else "something special"
