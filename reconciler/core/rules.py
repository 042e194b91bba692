"""A team's rules: checks what a definition declares against the `rules` of the settings on a day. Pure."""

import contextlib
import dataclasses
import datetime
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from reconciler.assistant.fields import is_known
from reconciler.assistant.json_schema import Schema
from reconciler.assistant.paths import covers, dotted, write_path
from reconciler.assistant.problem import FieldProblem, Severity
from reconciler.assistant.rule_schemas import place_schema
from reconciler.assistant.rule_words import describe_errors
from reconciler.core.settings import Rule, Settings
from reconciler.core.tree import MISSING, item_at, paths_matching

LimitTime = Callable[[], contextlib.AbstractContextManager[None]]
NOTICE_DAYS: Final = 30
_LONGEST_KEPT: Final = 1_000  # characters of JSON


class _Check:
    """One rule that is checked today. `limit_time`, around each check, raises TimeoutError if it takes too long."""

    def __init__(self, rule: Rule, severity: Severity, settings: Settings, limit_time: LimitTime) -> None:
        self.rule = rule
        self._later = f" (an error from {rule.starts} on)" if severity != rule.severity else ""
        self._severity = severity
        self._place = f"{settings.file}:{rule.place[0]}"
        self._is_dead = bool(explain_dead_rule(rule, settings))
        self._validator = _make_validator(rule.schema)
        self._limit_time = limit_time
        # What was found in values, by type and value; objects and lists by their JSON.
        self._violations: dict[tuple[type, Any], tuple[FieldProblem, ...]] = {}
        self._hangs = False  # it is not tried again then: a fleet would wait for each text

    def find_problems(self, document: Mapping[str, Any], *, required: bool) -> Iterator[FieldProblem]:
        """Yield where a document breaks the rule; with `required` it must declare a value."""
        violations = [*(self._find_missing(document) if required else ()), *self._find_wrong(document)]
        for violation in violations:
            path, about = violation.path, violation.about
            message, discreet = (
                f"{self.rule.reason}: {dotted(path)} {words}{self._later} [{self.rule.id}]" if words else ""
                for words in (violation.message, violation.discreet)
            )
            # A missing value has no line, but its parent has.
            while path and item_at(document, path) is MISSING:
                path, about = path[:-1], "key"
            yield FieldProblem(path, message, discreet, about if path else "file", self._severity, line=violation.line)

    def _find_missing(self, document: Mapping[str, Any]) -> Iterator[FieldProblem]:
        pattern = self.rule.path
        # An object or a list that is absent needs no values, so a `*` must match something.
        first_plain = len(pattern) - pattern[::-1].index("*") if "*" in pattern else 0
        for parent in paths_matching(document, pattern[:first_plain]):
            path = (*parent, *pattern[first_plain:])
            value = item_at(document, path)
            words = "is not declared, but is required" if value is MISSING else "is null, but a value is required"
            if self._is_dead:
                words = f"is required, but no definition can declare it: correct this rule ({self._place})"
            if value is MISSING or value is None:
                yield FieldProblem(path, words)

    def _find_wrong(self, document: Mapping[str, Any]) -> Iterator[FieldProblem]:
        for path in paths_matching(document, self.rule.path) if self._validator is not None else ():
            value = item_at(document, path)
            # The missing value is already reported.
            if value is not None or not self.rule.required:
                for violation in self._check_value(value):
                    yield dataclasses.replace(violation, path=(*path, *violation.path))

    def _check_value(self, value: Any) -> tuple[FieldProblem, ...]:
        """Return how a value violates the schema."""
        # Judging a value is much slower than looking it up, and a fleet repeats most of its values.
        key = (type(value), json.dumps(value) if isinstance(value, dict | list) else value)
        violations = self._violations.get(key)
        if violations is None:
            violations = self._check_uncached(value)
            # Long prompts are unique, and caching a copy of each would take much memory.
            if key[0] not in (dict, list) or len(key[1]) <= _LONGEST_KEPT:
                self._violations[key] = violations
        return violations

    def _check_uncached(self, value: Any) -> tuple[FieldProblem, ...]:
        reason = "takes too long; simplify its pattern, since nested repetition such as (a+)+ is slow"
        try:
            if not self._hangs:
                with self._limit_time():
                    return tuple(describe_errors(self._validator.iter_errors(value)))
        except RecursionError:
            reason = "refers to itself endlessly"
        except TimeoutError:
            self._hangs = True
        return (FieldProblem((), f"cannot be checked: this rule ({self._place}) {reason}"),)


class RuleSet:
    """The rules of the settings, prepared once for all definitions. Without rules, this costs nothing."""

    def __init__(self, settings: Settings, limit_time: LimitTime = contextlib.nullcontext) -> None:
        self._checks = [
            _Check(rule, severity, settings, limit_time)
            for rule in settings.rules
            if (severity := severity_on(rule, settings.today)) is not None
        ]
        self._settings = settings

    def find_violations(self, key: str, document: Mapping[str, Any]) -> Iterator[FieldProblem]:
        """Yield where the definition with a key breaks a rule; `document` is its content, all layers merged."""
        # Without an id it is no assistant of this environment. Its overlays in others may declare what is required.
        is_assistant = "id" in document or not self._settings.environments
        for check in self._checks if is_assistant or self._settings.environment is None else ():
            rule = check.rule
            if rule.concerns(key) and not any(entry.concerns(key) for entry in rule.exceptions):
                yield from check.find_problems(document, required=rule.required and is_assistant)


def list_schema_parts(settings: Settings, *, whole: bool) -> list[Schema]:
    """Return the rules that count for all assistants today as parts of a definition's schema, for `allOf`.

    Without `whole` a file need not declare what a rule requires: other files may.
    """
    parts: list[Schema] = []
    for rule in settings.rules:
        asks = rule.schema is not None or (whole and rule.required)
        counts = "*" in rule.assistants and not rule.exceptions and severity_on(rule, settings.today) is not None
        required, at = whole and rule.required, f"#/allOf/{len(parts)}"
        if asks and counts and (part := place_schema(rule.path, rule.schema, required=required, at=at)) is not None:
            parts.append({"description": rule.reason, **part})
    return parts


def explain_dead_rule(rule: Rule, settings: Settings) -> str:
    """Return a sentence about a rule for a field that no definition can declare, empty for any other rule."""
    is_extra = any(covers(path, rule.path) for path in settings.extra_fields)
    if is_extra or "*" in rule.path[:2] or is_known(rule.path):
        return ""
    return f"the rule {rule.id} names {write_path(rule.path)}, which no definition can declare: correct it"


def severity_on(rule: Rule, today: datetime.date) -> Severity | None:
    """Return the severity of a violation on a day, or None if the rule does not apply yet."""
    if rule.starts is None or rule.starts <= today:
        return rule.severity
    # A warning a month earlier leaves time to fix what will be forbidden.
    return "warning" if rule.starts <= today + datetime.timedelta(days=NOTICE_DAYS) else None


def _make_validator(schema: Any) -> Any:
    if schema is None:
        return None
    import jsonschema.validators

    # A schema holds no reference to another document: the settings refuse those.
    draft = jsonschema.Draft202012Validator
    extend: Any = jsonschema.validators.extend  # which has no types
    validator = extend(draft, {"multipleOf": _find_remainder})
    return validator(schema, format_checker=draft.FORMAT_CHECKER)


def _find_remainder(validator: Any, step: float, value: Any, _schema: Any) -> Iterator[Exception]:
    """Yield an error for a number that is not a multiple in decimal; as floats, 0.3 would not be one of 0.1."""
    from fractions import Fraction

    import jsonschema

    if validator.is_type(value, "number") and Fraction(str(value)) % Fraction(str(step)):
        yield jsonschema.ValidationError(f"{value} is not a multiple of {step}")
