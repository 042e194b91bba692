"""What `reconciler.yaml` can set, as values. Reading and checking the file is an adapter's work."""

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from reconciler.assistant.paths import FieldPath
from reconciler.assistant.problem import Problem
from reconciler.core.limits import MaxChanges
from reconciler.errors import SettingsError

FILE_NAME: Final = "reconciler.yaml"

OnDrift = Literal["keep", "revert", "fail"]


class InvalidSettings(SettingsError):  # noqa: N818 - a list of problems
    """`reconciler.yaml` cannot be used; `problems` are all of them, each with its place."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclasses.dataclass(frozen=True, slots=True)
class IgnoreRule:
    """Differences to accept: a path (`*` for one key) in assistants whose key matches one of the globs.

    A `*` in a glob matches `/` too, so `("*",)` means every assistant. `expires` is the last day of the rule,
    in UTC; `line` is where the rule stands in the file.
    """

    path: FieldPath
    reason: str
    assistants: tuple[str, ...] = ("*",)
    expires: datetime.date | None = None
    line: int = 1


@dataclasses.dataclass(frozen=True, slots=True)
class Environment:
    """One environment: its API, the folder of its overlays beside the definitions', and its own settings.

    `overlay_place` are the line and column at which that folder is named.
    """

    api_url: str | None = None
    overlay: str | None = None
    overlay_place: tuple[int, int] = (1, 1)
    org_id: str | None = None
    on_drift: OnDrift | None = None
    max_changes: MaxChanges | None = None
    record: bool | None = None
    ignore: tuple[IgnoreRule, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one project; `file` is relative to the repository's root, None without a file.

    `environment` is the one that was chosen; its settings are in the others' place then, and `overlay` is
    its folder, named at `overlay_place`. `record` says whether `apply` records what it applied, None that
    the file does not say.
    """

    file: str | None = None
    api_url: str | None = None
    always_send: tuple[str, ...] = ()
    sensitive: tuple[FieldPath, ...] = ()
    extra_fields: tuple[FieldPath, ...] = ()
    org_id: str | None = None
    on_drift: OnDrift | None = None
    max_changes: MaxChanges | None = None
    record: bool | None = None
    ignore: tuple[IgnoreRule, ...] = ()
    environments: Mapping[str, Environment] = dataclasses.field(default_factory=dict)
    environment: str | None = None
    overlay: str | None = None
    overlay_place: tuple[int, int] = (1, 1)

    def chosen(self, name: str) -> "Settings":
        """Return the settings as they are in an environment. Raises KeyError for one that is not there.

        The project's own URL is no environment's: a staging definition must not reach production for lack
        of a line.
        """
        environment = self.environments[name]
        return dataclasses.replace(
            self,
            api_url=environment.api_url,
            org_id=environment.org_id or self.org_id,
            on_drift=environment.on_drift or self.on_drift,
            max_changes=environment.max_changes or self.max_changes,
            # An environment's `false` is an answer, so `or` would lose it.
            record=self.record if environment.record is None else environment.record,
            ignore=(*self.ignore, *environment.ignore),
            environment=name,
            overlay=environment.overlay,
            overlay_place=environment.overlay_place,
        )

    def may_show(self, path: FieldPath) -> bool:
        """Tell whether the value at a path may be shown.

        It may not where a `sensitive` path is that one, lies above it, or lies below it, inside the value.
        """
        return not any(
            all(part in ("*", key) for part, key in zip(pattern, path, strict=False)) for pattern in self.sensitive
        )
