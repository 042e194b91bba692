"""Creates the files that a project lacks: the folder, settings, editors' settings, a pipeline. Replaces none."""

import importlib.resources
import json
import os
import posixpath
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from reconciler.assistant.json_schema import make_assistant_schema
from reconciler.core.settings import FILE_NAME
from reconciler.files.settings_table import settings_schema
from reconciler.files.write import rewrite

Ci = Literal["github", "gitlab"]
_GITHUB = ".github/workflows/assistants.yml"
# Where the packaged files of a CI go.
_PLACES: dict[Ci, str] = {"github": ".github/workflows", "gitlab": "ci"}


def list_files(directory: str, *, api_url: str | None, ci: Ci | None, package: str | None) -> dict[str, str]:
    """Return the texts of a new project's files; `package` is `OWNER/REPOSITORY@COMMIT`, for a pipeline to find it."""
    url = f"api_url: {json.dumps(api_url)}" if api_url else "# api_url: https://agents.example.edu/api"
    project, name = posixpath.split(directory)
    files = {
        # Git keeps no empty folder, and a name with a dot is no definition.
        f"{name}/.gitkeep": "",
        FILE_NAME: _read_starter("reconciler.yaml").format(api_url=url),
        ".gitattributes": _read_starter("gitattributes").format(directory=name),
        **dict(_list_editor_files(name)),
    }
    # A project in a folder of a larger repository keeps its files together; hosts look for a pipeline in the root only.
    return {posixpath.join(project, file): text for file, text in files.items()} | dict(
        _list_pipeline(ci, directory, package) if ci is not None else ()
    )


def read_next_steps(directory: str, ci: Ci | None, *, package: str | None) -> str:
    """Return what to do next, as commands; without a `package` its placeholders are to be replaced first."""
    steps = _read_starter("next.txt").replace("{steps}", _read_starter(f"next-{ci or 'by-hand'}.txt"))
    variable = "" if directory == "assistants" else f" RECONCILER_DIRECTORY={shlex.quote(directory)}"
    steps = steps.replace("{directory}", variable)
    return steps.replace("{replace}", "" if package else "replace OWNER/REPOSITORY and COMMIT in the files; ")


def write_new(file: str, text: str) -> bool:
    """Write a file of the project unless it exists, and return whether it was written. Raises ReportError."""
    path = Path(file)
    # A link may lead anywhere, to another person's files too.
    if any(folder.is_symlink() for folder in path.parents):
        return False
    # Earlier versions wrote one file for each job. With both, every job would run twice.
    if file == _GITHUB and any(path.parent.glob("assistants-*.yml")):
        return False
    # A folder that contains definitions needs no placeholder.
    if os.path.lexists(path) or (path.name == ".gitkeep" and path.parent.is_dir() and any(path.parent.iterdir())):
        return False
    # Whole or not at all: a part of it would be left alone the next time, such as settings without `record: true`.
    rewrite(path, "", text)
    if path.suffix == ".sh":
        path.chmod(path.stat().st_mode | 0o111)
    return True


def _read_starter(name: str) -> str:
    return importlib.resources.files("reconciler").joinpath("starter", name).read_text("utf-8")


def _list_editor_files(directory: str) -> Iterator[tuple[str, str]]:
    def list_patterns(folder: str) -> list[str]:
        return [f"{folder}/**/*.yaml", f"{folder}/**/*.yml", "!**/_defaults.yaml"]

    # Each schema, with the files that editors check against it.
    schemas = {
        "definition": (make_assistant_schema("definition", needs_id=True), list_patterns(directory)),
        "overlay": (make_assistant_schema("overlay"), list_patterns("environments")),
        "defaults": (make_assistant_schema("defaults"), "**/_defaults.yaml"),
        "settings": (settings_schema(), FILE_NAME),
    }
    for name, (schema, _) in schemas.items():
        yield f"schema/{name}.schema.json", json.dumps(schema, indent=2, ensure_ascii=True) + "\n"
    matches = {f"./schema/{name}.schema.json": files for name, (_, files) in schemas.items()}
    yield ".vscode/settings.json", json.dumps({"yaml.schemas": matches}, indent=2) + "\n"


def _list_pipeline(ci: Ci, directory: str, package: str | None) -> Iterator[tuple[str, str]]:
    packaged = importlib.resources.files("reconciler").joinpath("starter", ci).iterdir()
    for file in sorted(packaged, key=lambda resource: resource.name):
        path = ".gitlab-ci.yml" if file.name == "gitlab-ci.yml" else f"{_PLACES[ci]}/{file.name}"
        text = file.read_text("utf-8")
        if package is not None:
            repository, _, commit = package.partition("@")
            text = text.replace("@COMMIT", f"@{commit}").replace("=COMMIT", f"={commit}")
            if "://" in repository:
                text = text.replace("https://github.com/OWNER/REPOSITORY", repository)
            text = text.replace("OWNER/REPOSITORY", repository)
        # The packaged files are for the usual name of the definitions' folder.
        if directory != "assistants":
            quoted = json.dumps(directory)
            text = text.replace("      directory: assistants\n", f"      directory: {quoted}\n")
            if path == "ci/assistants.yml":
                variables = f"  variables:\n    RECONCILER_DIRECTORY: {quoted}\n"
                text = text.replace("  variables:\n", variables, 1)
        yield path, text
