"""What a use case works on."""

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from projects import Project

from reconciler.core.definition import Definition
from reconciler.core.tree import MISSING, Missing


def test_only_one_thread_compares_at_a_time(project: Project) -> None:
    """In several at once Python's parser, which deepdiff calls, fails now and then."""
    project.write("a", id="asst_1", name="New")
    inside = threading.Semaphore(1)
    alone: list[bool] = []

    def base_of(definition: Definition, live: Mapping[str, Any]) -> Missing:
        alone.append(inside.acquire(blocking=False))
        time.sleep(0.005)
        if alone[-1]:
            inside.release()
        return MISSING

    scope = project.scope(base_of=base_of)
    (definition,) = scope.loaded.definitions
    with ThreadPoolExecutor(8) as pool:
        plans = [*pool.map(lambda _: scope.plan_for(definition, {"id": "asst_1", "name": "Old"}), range(16))]
    assert {plan.status for plan in plans} == {"pending"}
    assert alone == [True] * 16
