"""The examples of docs/configuration.md about lints, freezes, enforced fields and rules do what stands below them."""

import re
from pathlib import Path

from commands import run

DOCUMENT = Path(__file__).parent.parent / "docs" / "configuration.md"


def section(title: str) -> tuple[str, str]:
    """The settings of a section, and what its command said."""
    part = DOCUMENT.read_text("utf-8").split(f"\n## {title}\n")[1].partition("\n## ")[0]
    (settings,) = re.findall(r"^```yaml\n(.*?)^```$", part, re.MULTILINE | re.DOTALL)
    (console,) = re.findall(r"^```console\n\$ .*?\n(.*?)^```$", part, re.MULTILINE | re.DOTALL)
    return settings, console


def write(root: Path, settings: str, **texts: str) -> None:
    (root / "reconciler.yaml").write_text(settings, "utf-8")
    for key, text in texts.items():
        file = root / "assistants" / f"{key.replace('__', '/')}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")


def test_lints(tmp_path: Path) -> None:
    settings, said = section("lints")
    desk = "id: asst_1\nfirstMessage: Welcome to **North**.\n"
    write(tmp_path, settings, desk=desk, old__desk='id: asst_2\nfirstMessage: "Hello\\n"\n')
    done = run("validate", cwd=tmp_path)
    assert (done.code, done.stdout) == (1, said)
    write(tmp_path, "{}")
    lenient, strict = run("validate", cwd=tmp_path), run("validate", "--strict", cwd=tmp_path)
    assert (lenient.code, strict.code) == (0, 1)
    for done in (lenient, strict):
        assert re.findall(r"warning: .* \[([a-z-]+)\]$", done.stdout, re.MULTILINE) == [
            "spoken-markdown",
            "trailing-newline",
        ]
