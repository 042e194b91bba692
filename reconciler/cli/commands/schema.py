"""`reconciler schema`."""

import json

import click

from reconciler.assistant.json_schema import Of, make_assistant_schema
from reconciler.cli.help import declare_command
from reconciler.cli.options import folder_option
from reconciler.core.definition import DEFAULTS
from reconciler.core.rules import list_schema_parts
from reconciler.errors import UsageError
from reconciler.files.settings_table import settings_schema
from reconciler.usecases.project.choices import Choices
from reconciler.usecases.project.environments import read_settings


@declare_command("schema", ("reconciler schema > schema/definition.schema.json", "Save the schema for your editor"))
@click.option("--overlay", is_flag=True, help="Print the schema of an environment's overlays.")
@click.option("--defaults", "of_defaults", is_flag=True, help="Print the schema of _defaults.yaml.")
@click.option("--settings", "of_settings", is_flag=True, help="Print the schema of reconciler.yaml.")
@folder_option
def command(choices: Choices, overlay: bool, of_defaults: bool, of_settings: bool) -> int:
    """Print the JSON Schema (draft-07) of a definition file.

    Editors use it to check and complete definitions. It includes the fields that reconciler.yaml lists under
    extra_fields, and the rules that apply to all assistants. If there are environments, a definition needs no id,
    since their overlays have it. Save the schema as in the example below, and begin each definition with this line:

    \b
      # yaml-language-server: $schema=../schema/definition.schema.json
    """  # noqa: D301 - click's mark for a paragraph that is not rewrapped
    if overlay + of_defaults + of_settings > 1:
        hint = "use one at a time"
        raise UsageError("--overlay, --defaults and --settings cannot be combined", hint=hint)
    schema = settings_schema() if of_settings else _schema(choices, overlay, of_defaults)
    click.echo(json.dumps(schema, indent=2, ensure_ascii=True))
    return 0


def _schema(choices: Choices, overlay: bool, of_defaults: bool) -> dict[str, object]:
    # One schema for all environments: an editor does not know which of them the user works for.
    settings = read_settings(choices).include_all_environments()
    # If there are overlays or defaults, another file may declare what a rule requires.
    is_shared = bool(settings.environments) or any(choices.directory.rglob(DEFAULTS))
    rules = list_schema_parts(settings, whole=not (overlay or of_defaults or is_shared))
    kind: Of = "overlay" if overlay else "defaults" if of_defaults else "definition"
    needs_id = kind == "definition" and not settings.environments
    schema = make_assistant_schema(kind, settings.extra_fields, needs_id=needs_id)
    return schema | ({"allOf": rules} if rules else {})
