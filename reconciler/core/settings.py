"""What `reconciler.yaml` can set, as values. Reading and checking the file is an adapter's work."""

import dataclasses
import datetime
from typing import Literal

from reconciler.core.limits import MaxChanges
from reconciler.core.paths import FieldPath

OnDrift = Literal["keep", "revert", "fail"]


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
class Settings:
    """The settings of one project; `file` is relative to the repository's root, None without a file."""

    file: str | None = None
    api_url: str | None = None
    always_send: tuple[str, ...] = ()
    sensitive: tuple[FieldPath, ...] = ()
    extra_fields: tuple[FieldPath, ...] = ()
    org_id: str | None = None
    on_drift: OnDrift | None = None
    max_changes: MaxChanges | None = None
    ignore: tuple[IgnoreRule, ...] = ()

    def may_show(self, path: FieldPath) -> bool:
        """Tell whether the value at a path may be shown.

        It may not where a `sensitive` path is that one, lies above it, or lies below it, inside the value.
        """
        return not any(
            all(part in ("*", key) for part, key in zip(pattern, path, strict=False)) for pattern in self.sensitive
        )
