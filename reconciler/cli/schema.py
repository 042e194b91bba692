"""`reconciler schema`."""

import json

import click

from reconciler.cli.options import folder_option
from reconciler.core.schema import definition_schema
from reconciler.reconcile.choices import DefinitionOptions
from reconciler.reconcile.inputs import read_settings


@click.command("schema")
@folder_option
def command(definitions: DefinitionOptions) -> int:
    """Print the JSON Schema (draft-07) of a definition file.

    Editors check and complete definitions with it. Fields that reconciler.yaml lists under extra_fields are
    in it.

    \b
      reconciler schema > definition.schema.json
    and as the first line of a definition:
      # yaml-language-server: $schema=../definition.schema.json
    """  # noqa: D301 - click's mark for a paragraph that is not rewrapped
    settings = read_settings(definitions)
    click.echo(json.dumps(definition_schema(settings.extra_fields), indent=2, ensure_ascii=True))
    return 0
