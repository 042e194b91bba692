"""Builds the wheel and the sdist, and tries them as a user gets them: in a new environment, without the clone.

Wants the folder of the commands `twine` and `cyclonedx-py` as its argument. Leaves the packages in `dist/`, with a list
of all that is installed with them (a software bill of materials). Installing them asks the package index.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Sequence
from email.parser import Parser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DIST = ROOT / "dist"
NOT_OF_THE_PACKAGE = {"tests", "docs", ".github", ".ci", "requirements"}


class PackageError(Exception):
    """A package is not what it should be."""


def check(condition: bool, complaint: str) -> None:
    """Raise NotGood with a complaint where something is not so."""
    if not condition:
        raise PackageError(complaint)


def run(words: Sequence[str | Path], cwd: Path = ROOT, code: int = 0) -> str:
    """Run a command with an environment of its own, and return all that it says; it must end with an exit code."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RECONCILER_", "PYTHON"))}
    answer = subprocess.run(  # stdin is no terminal, so nothing waits
        [*map(str, words)],
        cwd=cwd,
        env={**inherited, "HOME": str(cwd), "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    check(answer.returncode == code, f"`{' '.join(map(str, words))}` ended with {answer.returncode}:\n{answer.stdout}")
    return answer.stdout


def build(folder: Path, *, into: Path, targets: Sequence[str]) -> list[Path]:
    """Build packages from a folder of sources."""
    for target in targets:
        run([sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", into], cwd=folder)
    return sorted(into.iterdir())


def check_contents(wheel: Path, sdist: Path, place: Path) -> None:
    """Compare what the packages hold with the clone, and the wheel with one that is built from the sdist alone."""
    tracked = run(["git", "ls-files", "reconciler", "assistants"]).splitlines()
    with zipfile.ZipFile(wheel) as archive:
        members = set(archive.namelist())
        (metadata_name,) = [name for name in members if name.endswith(".dist-info/METADATA")]
        metadata = Parser().parsestr(archive.read(metadata_name).decode("utf-8"))
    information = metadata_name.removesuffix("METADATA")
    missing = {name.replace("assistants/", "reconciler/demo/assistants/", 1) for name in tracked} - members
    check(not missing, f"the wheel lacks {sorted(missing)}")
    for name in ("entry_points.txt", "licenses/LICENSE"):
        check(information + name in members, f"the wheel lacks {name}")
    check("reconciler/py.typed" in members, "the wheel has no py.typed")
    more = {name for name in members if not name.startswith(("reconciler/", information))}
    check(not more, f"the wheel holds more than the package: {sorted(more)}")
    check(metadata["License-Expression"] == "Apache-2.0", "the metadata name no license")
    check("# reconciler" in str(metadata.get_payload()), "the metadata lack the README")
    with tarfile.open(sdist) as sources:
        names = {name.partition("/")[2] for name in sources.getnames()}
        check(not {*tracked, "README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml"} - names, "the sdist lacks files")
        check(
            not {name.partition("/")[0] for name in names} & NOT_OF_THE_PACKAGE, "the sdist holds more than it should"
        )
        # extractall(filter="data"), on Pythons before 3.11.4, too.
        sources.extraction_filter = getattr(tarfile, "data_filter", None)
        sources.extractall(place / "sources")
    (folder,) = (place / "sources").iterdir()
    (again,) = build(folder, into=place / "again", targets=["wheel"])
    check(again.read_bytes() == wheel.read_bytes(), "a wheel that is built from the sdist is another one")


def check_installed(wheel: Path, place: Path) -> Path:
    """Install the wheel into a new environment, do what somebody does first, and return the environment's Python."""
    environment, home = place / "environment", place / "home"
    venv.create(environment, with_pip=True)
    home.mkdir()
    scripts = environment / ("Scripts" if os.name == "nt" else "bin")
    python, reconciler = scripts / "python", scripts / "reconciler"
    run([python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", wheel], cwd=home)
    run([python, "-m", "pip", "--disable-pip-version-check", "check"], cwd=home)
    version = run([python, "-c", "import reconciler; print(reconciler.__version__)"], cwd=home).strip()
    check(run([reconciler, "--version"], cwd=home) == f"reconciler {version}\n", "--version says something else")
    check(
        run([python, "-m", "reconciler", "--version"], cwd=home) == f"reconciler {version}\n", "-m reconciler differs"
    )
    (home / "assistants").mkdir()
    (home / "assistants" / "desk.yaml").write_text("id: asst_1\nname: Desk\n", "utf-8")
    validated = run([reconciler, "validate", "--report", "r.html", "--report", "r.prom"], cwd=home)
    check("1 definition is valid" in validated, validated)
    check("Desk" in (home / "r.html").read_text("utf-8") or "desk" in (home / "r.html").read_text("utf-8"), "no page")
    # Without the extra the message names a command, and that command helps.
    message = run([reconciler, "demo"], cwd=home, code=1)
    (advice,) = [line.partition("install it: ")[2] for line in message.splitlines() if "install it: " in line]
    run(["sh", "-c", f"{advice} --quiet --disable-pip-version-check"], cwd=home)
    output = run([reconciler, "demo"], cwd=home)
    check("The demo leaves nothing running" in " ".join(output.split()), output)
    return python


def write_bill(cyclonedx: Path, wheel: Path, python: Path) -> Path:
    """Write what an environment holds, the wheel first, beside the wheel; return the file."""
    bill = wheel.with_name(wheel.name.replace("-py3-none-any.whl", ".cdx.json"))
    # What installs packages is no part of the package.
    run([python, "-m", "pip", "uninstall", "--quiet", "--yes", "setuptools", "pip"])
    run([cyclonedx, "environment", "--pyproject", "pyproject.toml", "--output-reproducible", "-o", bill, python])
    content = json.loads(bill.read_text("utf-8"))
    content["metadata"]["component"]["version"] = wheel.name.split("-")[
        1
    ]  # not in pyproject.toml, which is all it reads
    bill.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    names = {component["name"] for component in content["components"]}
    check({"click", "httpx", "pydantic"} <= names, f"the bill of materials lacks packages: {sorted(names)}")
    check(not names & {"pip", "setuptools"}, "the bill of materials lists what installs packages")
    check(
        str(ROOT) not in str(content) and "file:" not in str(content),
        "the bill of materials names a place on this disk",
    )
    return bill


def main(commands: Path) -> None:
    """Build and check; raise NotGood at the first thing that is not as it should be."""
    shutil.rmtree(DIST, ignore_errors=True)
    sdist, wheel = sorted(build(ROOT, into=DIST, targets=["sdist", "wheel"]), key=lambda path: path.suffix)
    with tempfile.TemporaryDirectory() as name:
        check_contents(wheel, sdist, Path(name))
        run([commands / "twine", "check", "--strict", wheel, sdist])
        bill = write_bill(commands / "cyclonedx-py", wheel, check_installed(wheel, Path(name)))
    for path in (wheel, sdist):
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes, complete, and works without the clone")
    print(f"{bill.relative_to(ROOT)}: all that is installed with them")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]).resolve())
    except PackageError as found:
        sys.exit(f"The packages are not good: {found}")
