"""How this command was installed, so that messages can name the command that adds what is missing."""

import contextlib
import dataclasses
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


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Installation:
    """How this command was installed."""

    python: str
    prefix: Path  # the folder of its environment
    installer: str  # by the package's own metadata
    origin: Mapping[str, Any]  # what PEP 610's `direct_url.json` says; empty for a package index

    def how_to_add(self, extra: str) -> str:
        """Return the command that installs an extra from the same origin; an index may have another package."""
        origin, version_control = "", self.origin.get("vcs_info", {})
        # As part of a requirement (PEP 440, "Direct references").
        if version_control:
            origin = f" @ {version_control['vcs']}+{self.origin['url']}@{version_control['commit_id']}"
        elif "url" in self.origin:
            origin = f" @ {self.origin['url']}"
        requirement = shlex.quote(f"{DISTRIBUTION}[{extra}]{origin}")
        # A developer of the sources goes on to run these, not a copy.
        if self.origin.get("dir_info", {}).get("editable"):
            requirement = f"--editable {shlex.quote(self.origin['url'].removeprefix('file://') + f'[{extra}]')}"
        # Each of these keeps a file of its own in the environments that it makes.
        if (self.prefix / "pipx_metadata.json").exists():
            return f"pipx install --force {requirement}"
        if (self.prefix / "uv-receipt.toml").exists():
            return f"uv tool install --force {requirement}"
        if self.installer == "uv":
            return f"uv pip install --python {shlex.quote(self.python)} {requirement}"
        return f"{shlex.quote(self.python)} -m pip install {requirement}"


def check_sandbox(what: str) -> None:
    """Raise UsageError if one of the sandbox's libraries is not installed; `what` needs it."""
    # Found, not imported: a user of the demo should not wait for a server's libraries twice.
    for name in _NEEDED_BY_THE_SANDBOX:
        if importlib.util.find_spec(name) is None:
            raise lacks_library(what, name)


def lacks_library(what: str, name: str | None) -> UsageError:
    """Return the error of a library of the sandbox that is not installed, with the command that installs it."""
    installer, origin = "", "{}"
    # There is no distribution where this is run from a folder of sources.
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        distribution = importlib.metadata.distribution(DISTRIBUTION)
        installer = (distribution.read_text("INSTALLER") or "").strip()
        origin = distribution.read_text("direct_url.json") or "{}"
    found = Installation(python=sys.executable, prefix=Path(sys.prefix), installer=installer, origin=json.loads(origin))
    hint = f"install it: {found.how_to_add('sandbox')}"
    return UsageError(f"{what} needs a library that is not installed: {name}", hint=hint)
