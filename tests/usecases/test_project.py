"""What a use case works on."""

import dataclasses
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from projects import Project

from reconciler.core.base import BaseDefinitions
from reconciler.core.origin import Base
from reconciler.core.tree import MISSING


def test_only_one_thread_compares_at_a_time(project: Project) -> None:
    """In several at once Python's parser, which deepdiff calls, fails now and then."""
    project.write("a", id="asst_1", name="New")
    inside = threading.Semaphore(1)
    alone: list[bool] = []

    class Alone(BaseDefinitions):
        def find_declared(
            self, ids: Sequence[str], file: str, live: Mapping[str, Any], desired: Mapping[str, Any]
        ) -> Base:
            alone.append(inside.acquire(blocking=False))
            time.sleep(0.005)
            if alone[-1]:
                inside.release()
            return MISSING

    read = dataclasses.replace(project.read(), base=Alone(ref="base", commit="0" * 40))
    (definition,) = read.loaded.definitions
    with ThreadPoolExecutor(8) as pool:
        plans = [*pool.map(lambda _: read.plan_for(definition, {"id": "asst_1", "name": "Old"}), range(16))]
    assert {plan.status for plan in plans} == {"pending"}
    assert alone == [True] * 16
