"""The sandbox's settings. Imports cheaply."""

import dataclasses
from pathlib import Path
from typing import Literal

from reconciler.sandbox.fault_rules import Rule

BASE_PATH = "/api"

Nested = Literal["merge", "replace"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One sandbox: where it listens, what it keeps, and how it answers the reference's open questions.

    `port` 0 takes a free one; `store` None keeps everything in memory; `nested` says what PATCH does to an
    object inside an assistant; `strict` wants `model` and `voice` in every PATCH; `listing` offers `GET
    /assistants`; `fault_seed` decides which requests a rule with a percentage hits.
    """

    host: str = "127.0.0.1"
    port: int = 3000
    store: Path | None = None
    seed: Path | None = None
    nested: Nested = "merge"
    strict: bool = False
    listing: bool = False
    latency_ms: int = 0
    faults: tuple[Rule, ...] = ()
    fault_seed: int = 0
