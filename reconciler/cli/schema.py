"""`reconciler schema`."""

import json

import click

from reconciler.assistant.json_schema import definition_schema, overlay_schema
from reconciler.cli.help import Command
from reconciler.cli.options import folder_option
from reconciler.errors import UsageError
from reconciler.files.settings_schema import settings_schema
from reconciler.usecases.choices import DefinitionOptions
from reconciler.usecases.reading import read_settings


@click.command(
    "schema",
    cls=Command,
    examples=[
        ("reconciler schema > schema/definition.schema.json", "Keep the schema where your editor finds it"),
    ],
)
@click.option("--overlay", is_flag=True, help="The schema of an environment's overlays instead.")
@click.option("--settings", "of_settings", is_flag=True, help="The schema of reconciler.yaml instead.")
@folder_option
def command(definitions: DefinitionOptions, overlay: bool, of_settings: bool) -> int:
    """Print the JSON Schema (draft-07) of a definition file.

    Editors check and complete definitions with it. Fields that reconciler.yaml lists under extra_fields are
    in it, and where it has environments a definition needs no id, since their overlays give it.

    \b
      reconciler schema > schema/definition.schema.json
    and as the first line of a definition:
      # yaml-language-server: $schema=../schema/definition.schema.json
    """  # noqa: D301 - click's mark for a paragraph that is not rewrapped
    if overlay and of_settings:
        raise UsageError("--overlay and --settings are two schemas", hint="give one of them, and run this twice")
    click.echo(json.dumps(_schema(definitions, overlay, of_settings), indent=2, ensure_ascii=True))
    return 0


def _schema(definitions: DefinitionOptions, overlay: bool, of_settings: bool) -> dict[str, object]:
    """Return the schema that was asked for. That of the settings helps to mend settings that cannot be used."""
    if of_settings:
        return settings_schema()
    settings = read_settings(definitions)
    if overlay:
        return overlay_schema(settings.extra_fields)
    return definition_schema(settings.extra_fields, needs_id=not settings.environments)
