"""What is wrong inside a definition, by field path: a problem before anybody has looked up its line."""

import dataclasses
from typing import Literal

from reconciler.assistant.paths import FieldPath
from reconciler.assistant.problem import Severity

About = Literal["key", "value", "file"]


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One finding at a path; `about` says whether it concerns the key, its value, or the whole file.

    `message` may quote what somebody wrote; `discreet` says the same without it, for values that must not be
    shown. Where it is empty, `message` quotes nothing.
    """

    path: FieldPath
    message: str
    discreet: str = ""
    about: About = "value"
    severity: Severity = "error"
