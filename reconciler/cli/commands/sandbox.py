"""`reconciler sandbox`: runs the local sandbox API until it is stopped."""

import functools
import importlib
import os
import secrets
from pathlib import Path

import click

from reconciler.cli.help import declare_command, group_options
from reconciler.cli.installation import missing_library_error
from reconciler.cli.streams import eprint
from reconciler.report.differences.values import escape
from reconciler.report.wording import count_noun
from reconciler.sandbox.fault_rules import parse_rule
from reconciler.sandbox.settings import Settings

sandbox_options = group_options(
    "settings",
    Settings,
    click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Address; loopback only."),
    click.option(
        "--port",
        type=click.IntRange(0, 65535),
        default=3000,
        show_default=True,
        metavar="N",
        help="Port to listen on; 0 picks a free one.",
    ),
    click.option(
        "--store",
        type=click.Path(dir_okay=False, path_type=Path),
        help="SQLite file for the assistants. Without it, they are lost when the sandbox stops.",
    ),
    click.option(
        "--seed",
        type=click.Path(path_type=Path),
        metavar="FOLDER",
        help="Folder of definitions to start from. Assistants already in the store are kept.",
    ),
    click.option(
        "--nested",
        type=click.Choice(["merge", "replace"]),
        default="merge",
        show_default=True,
        help="What PATCH does to an object inside an assistant (model, voice, transcriber, metadata).",
    ),
    click.option("--strict", is_flag=True, help="Refuse a PATCH without both model and voice."),
    click.option("--listing", is_flag=True, help="Offer GET /assistants, which the API's reference does not list."),
    click.option(
        "--latency",
        "latency_ms",
        type=click.IntRange(0, 60_000),
        metavar="MS",
        default=0,
        help="Delay for every API request, in milliseconds.",
    ),
    click.option(
        "--fault",
        "faults",
        metavar="RULE",
        multiple=True,
        type=parse_rule,  # with the options, so that a mistake is reported before the server's libraries are loaded
        help="Make requests fail, as in '2nd PATCH /assistants/*: 503'. Repeatable; docs/sandbox.md has the rules.",
    ),
    click.option(
        "--fault-seed",
        type=click.IntRange(0),
        metavar="N",
        default=lambda: secrets.randbelow(1_000_000),
        help="Seed for rules such as 10%. Without it, a new seed is chosen and shown each time.",
    ),
)


@declare_command(
    "sandbox",
    ("reconciler sandbox --seed assistants", "Start with the assistants from your definitions"),
    ("reconciler sandbox --fault '2nd PATCH /assistants/*: 503'", "Simulate a write that fails once"),
)
@sandbox_options
@click.option("-v", "--verbose", is_flag=True, help="Show each API request and the faults that hit it on stderr.")
def command(settings: Settings, verbose: bool) -> None:
    """Run a local API for trying things out: a simulation of the real one, on this machine only.

    It prints its URL and runs until you stop it with Ctrl-C. It starts empty unless you pass --seed or --store. Its
    OpenAPI document is at URL/openapi.json. Every assistant has two ids, the provider's (asst_1) and the local
    database's (local_asst_1), and both work.

    \b
    Accounts, all with the password "sandbox":
      admin@sandbox.test      ADMIN
      editor@sandbox.test     EDITOR
      viewer@sandbox.test     VIEWER, read-only
      disabled@sandbox.test   cannot log in

    It also accepts the account in RECONCILER_EMAIL and RECONCILER_PASSWORD and the token in
    RECONCILER_AUTH_TOKEN, as an ADMIN, so that you set them once for the sandbox and for the other commands.

    \b
    To try it, in a second terminal:
      export RECONCILER_API_URL=http://127.0.0.1:3000/api
      export RECONCILER_EMAIL=admin@sandbox.test RECONCILER_PASSWORD=sandbox
      reconciler plan

    \b
    Use --fault to simulate failures. Put each rule in quotes:
      --fault '2nd PATCH /assistants/*: 503'          a write that fails once
      --fault 'PATCH *: 500 after=provider'           one of two stores is written
      --fault '10% * *: reset'                        an unreliable connection
      --fault 'first 3 GET *: 429 retry-after=2'      a busy server
      --fault 'limit 5 per second'                    a strict server
      --fault 'PATCH *: lag=2s'                       reads that lag behind
      --fault 'edit name=Ada after GET /assistants/*' somebody else edits
    """  # noqa: D301 - click wants the character that \b stands for
    # Imported only here: the server's libraries take time to load, and --help must work without them.
    try:
        server = importlib.import_module("reconciler.sandbox.server")
    except ModuleNotFoundError as error:
        raise missing_library_error("the sandbox", error.name) from error
    tallies = server.serve(settings, os.environ, functools.partial(_announce, settings), eprint if verbose else None)
    for tally in tallies:
        requests = f"{tally.hit_count} of {tally.request_count} requests"
        eprint(f"Fault {tally.number} hit {requests}: {escape(tally.rule.text)}")


def _announce(settings: Settings, url: str, assistants: int) -> None:
    click.echo(f"Sandbox API on {url} ({count_noun(assistants, 'assistant')})")
    if any(rule.when == "share" for rule in settings.faults):
        eprint(f"Random faults: --fault-seed {settings.fault_seed} repeats them.")
