"""What holds for every test, and the fixtures that tests of several rooms ask for."""

import contextlib
import functools
import os
import signal
import subprocess
import unittest.mock
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from commands import WITHOUT_OUR_CONFIGURATION
from depth import THOROUGH
from leaks import assert_no_secret_in_files, check_output_of
from projects import Project
from servers import Sandbox, running_sandbox
from stories import BOTH, Nested

# No example has a time limit: on a busy machine the first one also pays for its imports. A landing must not fail for an
# example that no run had before, so new ones are only tried in the thorough run.
hypothesis.settings.register_profile("ours", deadline=None, derandomize=not THOROUGH)
hypothesis.settings.load_profile("ours")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Two workers more than there are cores: a third of the time a test waits for a server or for a time-out."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return 2 + (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slowest folder first, so that no worker begins its longest tests when all others have ended."""
    items.sort(key=lambda item: "workflows" not in item.path.parts)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty repository with a folder for definitions."""
    return Project(tmp_path / "repository")


@pytest.fixture(scope="session", autouse=True)
def _isolate_environment() -> Iterator[None]:
    """A git hook that runs the tests, a CI job, a proxy or somebody's colours must not reach what is tested."""
    foreign = ("GIT_", "GITHUB_", "RECONCILER_", "FORCE_COLOR", "NO_COLOR", "COLUMNS")
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(foreign) and not name.lower().endswith("_proxy")
    }
    # A shell starts what runs in its background deaf to Ctrl-C, and so would be all that the tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with unittest.mock.patch.dict(os.environ, {**inherited, **WITHOUT_OUR_CONFIGURATION}, clear=True):
        yield


@pytest.fixture(scope="session", autouse=True)
def _check_processes_for_secrets() -> Iterator[None]:
    with unittest.mock.patch.object(subprocess.Popen, "communicate", check_output_of(subprocess.Popen.communicate)):
        yield


@pytest.fixture(autouse=True)
def _check_files_for_secrets(request: pytest.FixtureRequest) -> Iterator[None]:
    folder = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    yield
    if folder is not None:
        assert_no_secret_in_files(folder)


@pytest.fixture(params=BOTH if THOROUGH else ["in turns"])
def nested(request: pytest.FixtureRequest) -> Nested:
    """What the API does with an object inside another: both in `make check-all`, every day one for each test."""
    if request.param in BOTH:
        chosen: Nested = request.param
        return chosen
    # By the test's own name, so that it is the same one in each run, and half of all rows of a table have the other.
    return BOTH[zlib.crc32(request.node.nodeid.encode()) % len(BOTH)]


@pytest.fixture(scope="session")
def _sandboxes() -> Iterator[Callable[[Nested], Sandbox]]:
    with contextlib.ExitStack() as stack:
        yield functools.cache(lambda nested: stack.enter_context(running_sandbox(nested=nested)))


@pytest.fixture
def shared_sandbox(_sandboxes: Callable[[Nested], Sandbox], nested: Nested) -> Sandbox:
    """A sandbox for many tests: to start one takes longer than a whole run. Each test begins it anew."""
    return _sandboxes(nested)
