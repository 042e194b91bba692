"""The JSON Schema (draft-07) of `reconciler.yaml`, for editors, made from the table of settings."""

from reconciler.assistant.json_schema import DIALECT, END, Schema
from reconciler.files.setting import Setting
from reconciler.files.settings_table import SETTINGS


def settings_schema() -> Schema:
    """Return the JSON Schema (draft-07) of `reconciler.yaml`, for editors to check with."""
    # Where the table judges step by step, the schema has a pattern; a test keeps the two alike. Some things no schema
    # can tell, such as a date that does not exist.
    return {"$schema": DIALECT, "title": "Settings of reconciler", **_schema_of(SETTINGS)}


def _schema_of(setting: Setting) -> Schema:
    schema: Schema = {"description": setting.description, **setting.schema}
    if setting.keys:
        required = [key for key, below in setting.keys.items() if below.is_required]
        schema |= {"type": "object", "properties": {key: _schema_of(below) for key, below in setting.keys.items()}}
        schema |= {"required": required} if required else {}
        schema["additionalProperties"] = False
        if setting.shorthand:
            # A pattern judges texts alone, so that one schema does for both ways to write it.
            allowed = setting.keys[setting.shorthand].schema["enum"]
            schema |= {"type": ["string", "object"], "pattern": f"^(?:{'|'.join(allowed)}){END}"}
            schema["patternErrorMessage"] = f"This must be one of {', '.join(allowed)}."
    elif setting.items and setting.names:
        schema |= {"type": "object", "propertyNames": _schema_of(setting.names)}
        schema["additionalProperties"] = _schema_of(setting.items)
    elif setting.items:
        schema |= {"type": "array", "items": _schema_of(setting.items)}
    if setting.examples:
        schema["examples"] = [*setting.examples]
    return schema
