"""Fills the stores from a folder of definitions. A seed may contain anything that the API could answer."""

import contextlib
import datetime
import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from reconciler.errors import SandboxError
from reconciler.sandbox.jsontext import encode
from reconciler.sandbox.store import LOCAL_PREFIX, Assistant

_MODEL = {"provider": "openai", "model": "gpt-4o"}
_VOICE = {"provider": "openai", "voiceId": "alloy"}
_DEFAULTS = "_defaults.yaml"


def now(after: object = None) -> str:
    """Return the time in UTC as the API writes it, later than the given time if that is one."""
    moment = datetime.datetime.now(datetime.UTC)
    # updatedAt must move on, also for two writes in one microsecond or after a future time in a seed.
    with contextlib.suppress(ValueError, TypeError):  # a seed may contain anything here
        moment = max(moment, datetime.datetime.fromisoformat(str(after)) + datetime.timedelta(microseconds=1))
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def complete_assistant(assistant_id: str, fields: Mapping[str, Any]) -> Assistant:
    """Return an assistant as it is stored: the API's own fields, then the given ones."""
    moment = now()
    managed = {"id": assistant_id, "orgId": "org_sandbox", "createdAt": moment, "updatedAt": moment}
    return {**managed, **fields, "id": assistant_id}


def merge_objects(base: Any, overlay: Any) -> Any:
    """Return objects merged key by key, at every depth. Lists are replaced, and null is kept."""
    if not isinstance(base, dict) or not isinstance(overlay, dict):
        return overlay
    return {**base, **{key: merge_objects(base.get(key), value) for key, value in overlay.items()}}


def read_seed(folder: Path) -> list[Assistant]:
    """Return an assistant for every `*.yaml` and `*.yml` below a folder, in the order of their paths.

    Each has the values of `_defaults.yaml` in its folder and above, and the texts of `$file`. Files that begin with a
    dot or say `id: new` are skipped. Without an `id`, the path decides it; an `id` that begins with `local_` becomes
    the id of the local database. Raises SandboxError for a folder without definitions, and for a file that is none.
    """
    hint = "pass a folder of definitions to --seed"
    if not folder.is_dir():
        raise SandboxError(f"The seed {folder} is not a folder", hint=hint)
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.suffix in {".yaml", ".yml"})
    visible = (path for path in paths if not any(part.startswith(".") for part in path.parts))
    files = sorted(path for path in visible if (folder / path).is_file())
    defaults = {file.parent: _read_mapping(folder / file) for file in files if file.name == _DEFAULTS}
    definitions = {file: _read_mapping(folder / file) for file in files if file.name != _DEFAULTS}
    if not definitions:
        raise SandboxError(f"The seed folder {folder} contains no *.yaml or *.yml file", hint=hint)
    assistants = []
    for file, fields in definitions.items():
        if fields.get("id") != "new":
            layers = [*(defaults[parent] for parent in reversed(file.parents) if parent in defaults), fields]
            assistants.append(_make_assistant(folder / file, file, functools.reduce(merge_objects, layers)))
    return assistants


def _make_assistant(file: Path, key: Path, fields: dict[str, Any]) -> Assistant:
    seed_id = fields.get("id")
    if seed_id is None:
        digest = hashlib.sha256(key.with_suffix("").as_posix().encode()).hexdigest()
        seed_id = f"asst_{digest[:12]}"
    if not isinstance(seed_id, str) or not seed_id.removeprefix(LOCAL_PREFIX):
        raise _make_file_error(file, "its id is not a text")
    # Fields that the definition does not have get a value, as in the real API.
    name = file.stem.replace("-", " ").replace("_", " ").capitalize()
    fields = {"name": name, "model": _MODEL, "voice": _VOICE, **fields}
    if isinstance(fields["model"], dict):
        fields["model"] = {**_MODEL, **fields["model"]}
    return complete_assistant(seed_id.removeprefix(LOCAL_PREFIX), fields)


def _read_mapping(file: Path) -> dict[str, Any]:
    """Return a file's mapping. Raises SandboxError if it is not YAML, not a mapping, or not expressible as JSON."""
    try:
        fields = yaml.load(file.read_text(encoding="utf-8-sig"), Loader=yaml.CSafeLoader)
        # Dates, NaN and anchors that contain themselves are valid YAML, but the API could not answer them.
        encode(fields)
        fields = _read_texts(fields, file.parent)
    except (OSError, UnicodeError, yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        raise _make_file_error(file, " ".join(str(error).split())) from error
    if not isinstance(fields, dict) or not all(isinstance(key, str) for key in fields):
        raise _make_file_error(file, "it is not a mapping of field names to values")
    return fields


def _read_texts(value: Any, folder: Path) -> Any:
    if isinstance(value, list):
        return [_read_texts(item, folder) for item in value]
    if not isinstance(value, dict):
        return value
    if [*value] == ["$file"] and isinstance(value["$file"], str):
        return (folder / value["$file"]).read_bytes().decode("utf-8-sig").replace("\r\n", "\n").removesuffix("\n")
    return {key: _read_texts(item, folder) for key, item in value.items()}


def _make_file_error(file: Path, reason: str) -> SandboxError:
    hint = "correct the file (`reconciler validate` shows every place), or pass another folder to --seed"
    return SandboxError(f"The seed file {file} cannot be used: {reason}", hint=hint)
