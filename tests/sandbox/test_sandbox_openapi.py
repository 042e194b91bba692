"""The sandbox against its own OpenAPI document: schemathesis makes the requests and judges the answers."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from commands import environment
from depth import THOROUGH
from servers import running_sandbox

# A body that the document allows may be a 400: a part of a model is enough only where there is one to merge with.
SETTINGS = """
[auth.openapi.CookieAuth]
api_key = "{token}"

[checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "401", "403", "404"]
"""
SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))
SEED: dict[str, dict[str, Any]] = {"asst_1": {"name": "One", "model": {"provider": "openai", "model": "gpt-4o"}}}


# Every day one run has what each of the two has: most of its time is the start of the tool.
OPTIONS: dict[str, dict[str, Any]] = {
    "merge": {"listing": True},
    "strict": {"listing": not THOROUGH, "nested": "replace", "strict": True},
}


@pytest.mark.parametrize("options", list(OPTIONS.values()) if THOROUGH else [OPTIONS["strict"]], ids=str)
def test_no_server_error_and_answers_as_the_document_has_them(options: dict[str, Any], tmp_path: Path) -> None:
    with running_sandbox(SEED, **options) as sandbox, sandbox.client() as client:
        token = client.headers["cookie"].partition("=")[2]
        (tmp_path / "schemathesis.toml").write_text(SETTINGS.format(token=token), encoding="utf-8")
        document = f"{sandbox.url}/openapi.json"
        operations = sum(len(path.keys() - {"parameters"}) for path in client.get(document).json()["paths"].values())
        sandbox.forget_requests()
        result = subprocess.run(
            [SCHEMATHESIS, "run", document, "--checks", "all", "--max-examples", "4", "--seed", "1", "--no-color"],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert result.returncode == 0, result.stdout
        assert f"Tested: {operations}\n" in result.stdout
        assert sandbox.calls.keys() >= {"GET", "POST", "PATCH", "DELETE"}
        assert len(sandbox.requests) > 100
        assert json.loads(client.get("/auth/me").text)["user"]["role"] == "ADMIN"  # the token was good to the end
