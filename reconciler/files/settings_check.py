"""Checks what `reconciler.yaml` holds against the table of settings; says what is wrong in words. Reads no file."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from reconciler.assistant import fields
from reconciler.assistant.invisible import describe_unseen
from reconciler.assistant.paths import FieldPath
from reconciler.assistant.plain_words import closest
from reconciler.assistant.problem import MAX_PROBLEMS, About, FieldProblem
from reconciler.assistant.rule_schemas import find_schema_problems
from reconciler.core.settings import EnforceRule, Environment, IgnoreRule, Rule, Settings
from reconciler.files.setting import Setting
from reconciler.files.settings_table import SETTINGS
from reconciler.yamltext.write_values import write_inline

# Types as they are written: no other reader of the file takes "yes" for true, or "5" for 5.
_SCALARS: Final[Mapping[str, tuple[type, str]]] = {
    "string": (str, "text; put it in quotes"),
    "boolean": (bool, "true or false, without quotes"),
}


def check_settings(content: Mapping[str, Any]) -> tuple[dict[str, Any] | None, list[FieldProblem]]:
    """Return the settings as plain groups and lists, and everything that is wrong, with which there are none.

    Each value is as the table reads it; what is not there has no key.
    """
    check = _Check()
    checked = check.read(SETTINGS, content, ())
    return (None, check.problems[:MAX_PROBLEMS]) if check.problems else (checked, [])


def find_misspelt(settings: Settings) -> Iterator[FieldProblem]:
    """Yield where a path begins almost like a field of an assistant."""
    # It would match nothing: the value that was to be hidden would be shown.
    # Undocumented fields may have any name, so only what is almost a documented one can be a slip.
    extra_fields = settings.see_all_environments().extra_fields
    known = {"*", *fields.TOP_LEVEL, *fields.READ_ONLY, *(path[0] for path in extra_fields)}
    paths: dict[FieldPath, FieldPath] = {}
    for place, environment in _list_parts(settings):
        paths |= {(*place, "sensitive", str(at)): path for at, path in enumerate(environment.sensitive)}
        for name in ("ignore", "enforce", "rules"):
            entries: Sequence[IgnoreRule | EnforceRule | Rule] = getattr(environment, name)
            paths |= {(*place, name, str(at), "path"): rule.path for at, rule in enumerate(entries)}
    for place, path in paths.items():
        near = None if path[0] in known else closest(path[0], fields.TOP_LEVEL, cutoff=0.8)
        if near:
            yield FieldProblem(place, f"unknown field {path[0]}; did you mean {near}?")


def find_reversed(settings: Settings) -> Iterator[FieldProblem]:
    """Yield the freezes that end before they begin."""
    for place, environment in _list_parts(settings):
        for at, freeze in enumerate(environment.frozen):
            if freeze.starts is not None and freeze.expires is not None and freeze.expires < freeze.starts:
                message = f"expires is before from ({freeze.starts}): nothing would ever be frozen"
                yield FieldProblem((*place, "frozen", str(at), "expires"), message)


def find_wrong_rules(settings: Settings) -> Iterator[FieldProblem]:
    """Yield the rules that cannot be checked, would check nothing, or have the id of another one."""
    shared = {rule.id for rule in settings.rules}
    for place, environment in _list_parts(settings):
        known = shared if place else set()
        for at, rule in enumerate(environment.rules):
            path = (*place, "rules", str(at))
            if rule.id in known:
                yield FieldProblem((*path, "id"), f"another rule has the id {rule.id}, too; rename one of them")
            known = known | {rule.id}
            if rule.schema is None and not rule.required:
                yield FieldProblem(path, "this rule asks for nothing; add a schema, or `required: true`")
            elif rule.schema is not None:
                for problem in find_schema_problems(rule.schema):
                    yield dataclasses.replace(problem, path=(*path, "schema", *problem.path))


def _list_parts(settings: Settings) -> Iterator[tuple[FieldPath, Environment]]:
    """Yield the settings themselves and each environment, with the path at which they stand."""
    yield (), settings
    yield from ((("environments", name), environment) for name, environment in settings.environments.items())


class _Check:
    """One walk over the settings, which collects what is wrong, each problem at its path."""

    def __init__(self) -> None:
        self.problems: list[FieldProblem] = []

    def read(self, setting: Setting, written: Any, path: FieldPath) -> Any:
        """Return a value as the table reads it."""
        value = {setting.shorthand: written} if setting.shorthand and isinstance(written, str) else written
        # Before the type: a setting without a value is a line that is not finished, whatever it may hold.
        if value is None:
            self._add(path, f"{_name(path)} cannot be empty; remove the line to leave it unset", written)
        elif wanted := _find_wrong_type(setting, value):
            self._add(path, f"{_name(path)} must be {wanted}", written)
        elif setting.keys:
            return self._read_keys(setting.keys, value, path)
        elif setting.items and setting.names:
            for name in value:
                self._read_one(setting.names, name, (*path, name), "key")
            return {name: self.read(setting.items, below, (*path, name)) for name, below in value.items()}
        elif setting.items:
            if len(value) < setting.schema.get("minItems", 0):
                message = f"{_name(path)} cannot be an empty list; remove the line to mean every assistant"
                self._add(path, message, written)
            return [self.read(setting.items, item, (*path, str(index))) for index, item in enumerate(value)]
        else:
            return self._read_one(setting, value, path)
        return None

    def _read_keys(self, keys: Mapping[str, Setting], group: Mapping[str, Any], path: FieldPath) -> dict[str, Any]:
        for key in (key for key, setting in keys.items() if setting.is_required and key not in group):
            self._add(path, f'this entry has no "{key}"; add it')
        for key in (key for key in group if key not in keys):
            near = closest(key, keys)
            guess = f"did you mean {near}?" if near else f"allowed here: {', '.join(keys)}"
            self._add((*path, key), f"unknown setting {key}; {guess}", key, "key")
        return {key: self.read(keys[key], group[key], (*path, key)) for key in keys if key in group}

    def _read_one(self, setting: Setting, value: Any, path: FieldPath, about: About = "value") -> Any:
        try:
            return value if setting.read is None else setting.read(value)
        except ValueError as error:
            self._add(path, f"{_name(path)} {error}", value, about)

    def _add(self, path: FieldPath, message: str, written: Any = "", about: About = "value") -> None:
        # What nobody sees in a text is most likely what is wrong with it.
        unseen = describe_unseen(written) if isinstance(written, str) else ""
        self.problems.append(FieldProblem(path, message + (unseen and f"; {unseen}"), about=about))


def _find_wrong_type(setting: Setting, value: Any) -> str:
    """Return what a value must be, in words, where it is something else; its `read` judges a limit alone."""
    if setting.keys or setting.names:
        group = "a group of keys and values"
        if setting.shorthand:
            group = f"one of {', '.join(setting.keys[setting.shorthand].schema['enum'])}, or {group}"
        return "" if isinstance(value, dict) else group
    if setting.items:
        return "" if isinstance(value, list) else f"a list, like {write_inline(setting.examples[0])}"
    if setting.read is None and "enum" in setting.schema:
        return "" if value in setting.schema["enum"] else f"one of {', '.join(setting.schema['enum'])}"
    kind = setting.schema["type"]
    type_, words = _SCALARS[kind] if isinstance(kind, str) else (object, "")
    return "" if isinstance(value, type_) else words


def _name(path: FieldPath) -> str:
    return f"{path[-2]}, entry {int(path[-1]) + 1}," if path[-1].isdigit() else path[-1]
