"""Finds out how this command was installed, so that messages can show how to install what is missing."""

import contextlib
import importlib.metadata
import importlib.util
import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler.errors import UsageError

DISTRIBUTION = "assistant-reconciler"
_NEEDED_BY_THE_SANDBOX = ("jsonschema", "starlette", "uvicorn")


def make_install_command(origin: Mapping[str, Any], installer: str, *, python: str, prefix: Path) -> str:
    """Return the command that installs the extra `sandbox` from the same origin: an index may have another package.

    `origin` is the content of `direct_url.json` (PEP 610), empty for an index. `prefix` is the environment's folder.
    """
    direct, version_control = "", origin.get("vcs_info", {})
    # As part of a requirement (PEP 440, "Direct references").
    if version_control:
        direct = f" @ {version_control['vcs']}+{origin['url']}@{version_control['commit_id']}"
    elif "url" in origin:
        direct = f" @ {origin['url']}"
    requirement = shlex.quote(f"{DISTRIBUTION}[sandbox]{direct}")
    # Keep a developer's installation editable.
    if origin.get("dir_info", {}).get("editable"):
        requirement = f"--editable {shlex.quote(origin['url'].removeprefix('file://') + '[sandbox]')}"
    # Each of these tools puts its own file into the environments that it creates.
    if (prefix / "pipx_metadata.json").exists():
        return f"pipx install --force {requirement}"
    if (prefix / "uv-receipt.toml").exists():
        return f"uv tool install --force {requirement}"
    if installer == "uv":
        return f"uv pip install --python {shlex.quote(python)} {requirement}"
    return f"{shlex.quote(python)} -m pip install {requirement}"


def check_sandbox(feature: str) -> None:
    """Raise UsageError if one of the sandbox's libraries is not installed. `feature` is what needs them."""
    # Look the libraries up without importing them: otherwise, a user of the demo would wait for the import twice.
    for name in _NEEDED_BY_THE_SANDBOX:
        if importlib.util.find_spec(name) is None:
            raise missing_library_error(feature, name)


def missing_library_error(feature: str, name: str | None) -> UsageError:
    """Return the error about a library of the sandbox that is not installed, with the command that installs it."""
    installer, origin = "", "{}"
    # A run from a source folder has no distribution.
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        distribution = importlib.metadata.distribution(DISTRIBUTION)
        installer = (distribution.read_text("INSTALLER") or "").strip()
        origin = distribution.read_text("direct_url.json") or "{}"
    command = make_install_command(json.loads(origin), installer, python=sys.executable, prefix=Path(sys.prefix))
    return UsageError(f"{feature} needs a library that is not installed: {name}", hint=f"install it: {command}")
