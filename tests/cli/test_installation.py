"""What adds the sandbox to an installation, however that was made: by pip, pipx or uv, from an index or git."""

from pathlib import Path

import pytest

from reconciler.cli.installation import make_install_command

GIT = {"url": "https://git.example/reconciler", "vcs_info": {"vcs": "git", "commit_id": "4f1c0de"}}
WHEEL = {"url": "file:///downloads/assistant_reconciler-0.1.0-py3-none-any.whl", "archive_info": {}}
CLONE = {"url": "file:///home/ada/reconciler", "dir_info": {"editable": True}}
PYTHON = "/venv/bin/python"


@pytest.mark.parametrize(
    ("receipt", "installer", "origin", "command"),
    [
        ("", "pip", {}, f"{PYTHON} -m pip install 'assistant-reconciler[sandbox]'"),
        ("", "uv", {}, f"uv pip install --python {PYTHON} 'assistant-reconciler[sandbox]'"),
        ("pipx_metadata.json", "pip", {}, "pipx install --force 'assistant-reconciler[sandbox]'"),
        ("uv-receipt.toml", "uv", {}, "uv tool install --force 'assistant-reconciler[sandbox]'"),
        (
            "",
            "pip",
            GIT,
            f"{PYTHON} -m pip install 'assistant-reconciler[sandbox] @ git+https://git.example/reconciler@4f1c0de'",
        ),
        (
            "uv-receipt.toml",
            "uv",
            WHEEL,
            f"uv tool install --force 'assistant-reconciler[sandbox] @ {WHEEL['url']}'",
        ),
        ("", "pip", CLONE, f"{PYTHON} -m pip install --editable '/home/ada/reconciler[sandbox]'"),
        ("", "", {}, f"{PYTHON} -m pip install 'assistant-reconciler[sandbox]'"),
    ],
)
def test_the_command_fits_the_installation(
    tmp_path: Path, receipt: str, installer: str, origin: dict[str, object], command: str
) -> None:
    if receipt:
        (tmp_path / receipt).touch()
    assert make_install_command(origin, installer, python=PYTHON, prefix=tmp_path) == command


def test_a_python_in_a_folder_with_blanks_can_be_copied(tmp_path: Path) -> None:
    command = make_install_command({}, "pip", python="/My Tools/bin/python", prefix=tmp_path)
    assert command.startswith("'/My Tools/bin/python' -m pip install ")
