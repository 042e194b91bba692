"""The JSON Schema (draft-07) of `reconciler.yaml`, made from the table of settings, for editors to check with.

Where the table judges step by step, the schema has a pattern; a test keeps the two alike. Some things no schema can
tell, such as a date that does not exist.
"""

from reconciler.assistant.json_schema import DIALECT, Schema
from reconciler.files.settings_table import SETTINGS, Setting


def settings_schema() -> Schema:
    """Return the schema of `reconciler.yaml`."""
    return {"$schema": DIALECT, "title": "Settings of reconciler", **_schema_of(SETTINGS)}


def _schema_of(setting: Setting) -> Schema:
    schema: Schema = {"description": setting.description, **setting.schema}
    if setting.keys:
        required = [key for key, below in setting.keys.items() if below.is_required]
        schema |= {"type": "object", "properties": {key: _schema_of(below) for key, below in setting.keys.items()}}
        schema |= {"required": required} if required else {}
        schema["additionalProperties"] = False
    elif setting.items and setting.names:
        schema |= {"type": "object", "propertyNames": _schema_of(setting.names)}
        schema["additionalProperties"] = _schema_of(setting.items)
    elif setting.items:
        schema |= {"type": "array", "items": _schema_of(setting.items)}
    if setting.examples:
        schema["examples"] = [*setting.examples]
    return schema
