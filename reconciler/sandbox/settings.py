"""The sandbox's settings. Imports nothing that takes long to load."""

import dataclasses
from pathlib import Path
from typing import Literal

from reconciler.sandbox.fault_rules import Rule

BASE_PATH = "/api"
Nested = Literal["merge", "replace"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One sandbox: where it listens and stores assistants, and how it reads unclear parts of the reference."""

    host: str = "127.0.0.1"
    port: int = 3000  # 0 takes a free one
    store: Path | None = None  # None: in memory only
    seed: Path | None = None
    nested: Nested = "merge"  # what PATCH does to an object inside an assistant
    strict: bool = False  # every PATCH needs `model` and `voice`
    listing: bool = False  # there is `GET /assistants`
    latency_ms: int = 0
    faults: tuple[Rule, ...] = ()
    fault_seed: int = 0  # for rules with a percentage
