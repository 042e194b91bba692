"""`reconciler sandbox`: runs the local sandbox API until it is stopped."""

import functools
import importlib
import os
import secrets
from pathlib import Path
from typing import Literal

import click

from reconciler.cli.help import Command
from reconciler.cli.installation import lacks_library
from reconciler.cli.streams import tell
from reconciler.report.differences.values import escape
from reconciler.sandbox.fault_rules import parse_rule
from reconciler.sandbox.settings import Settings


@click.command(
    "sandbox",
    cls=Command,
    examples=[
        ("reconciler sandbox --seed assistants", "Start with the assistants that your definitions describe"),
        ("reconciler sandbox --fault '2nd PATCH /assistants/*: 503'", "Rehearse a write that fails once"),
    ],
)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Listen here; loopback only.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=3000,
    show_default=True,
    metavar="N",
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--store",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File that keeps the assistants (SQLite). Without it they are gone when the sandbox stops.",
)
@click.option(
    "--seed",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Folder of definitions to start from. What the store already holds is left as it is.",
)
@click.option(
    "--nested",
    type=click.Choice(["merge", "replace"]),
    default="merge",
    show_default=True,
    help="What PATCH does to an object inside an assistant (model, voice, transcriber, metadata).",
)
@click.option("--strict", is_flag=True, help="Refuse a PATCH without both model and voice.")
@click.option("--listing", is_flag=True, help="Offer GET /assistants, which the API's reference does not list.")
@click.option(
    "--latency",
    type=click.IntRange(0, 60_000),
    metavar="MS",
    default=0,
    help="Milliseconds that every API request waits.",
)
@click.option(
    "--fault",
    "faults",
    metavar="RULE",
    multiple=True,
    help="Make requests fail, as in '2nd PATCH /assistants/*: 503'. Repeatable; docs/sandbox.md has the rules.",
)
@click.option(
    "--fault-seed",
    type=click.IntRange(0),
    metavar="N",
    help="Decides which requests a share such as 10% hits. Without it another number each time, which is shown.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show each API request, and the faults that hit it, on stderr.")
def command(
    *,
    host: str,
    port: int,
    store: Path | None,
    seed: Path | None,
    nested: Literal["merge", "replace"],
    strict: bool,
    listing: bool,
    latency: int,
    faults: tuple[str, ...],
    fault_seed: int | None,
    verbose: bool,
) -> None:
    """Run a local API to try things on: a stand-in for the real one, on this machine only.

    It prints its URL and runs until it is stopped (Ctrl-C). It starts empty unless --seed or --store gives it
    assistants. Its OpenAPI document is at URL/openapi.json. Every assistant has two ids, the provider's
    (asst_1) and the local database's (local_asst_1), and both work.

    \b
    Accounts, all with the password "sandbox":
      admin@sandbox.test      ADMIN
      editor@sandbox.test     EDITOR
      viewer@sandbox.test     VIEWER, may read only
      disabled@sandbox.test   cannot log in

    The account in RECONCILER_EMAIL and RECONCILER_PASSWORD and the token in RECONCILER_AUTH_TOKEN are
    accepted too, as an ADMIN, so that one setting serves the sandbox and the commands that talk to it.

    \b
    Try it, in a second terminal:
      export RECONCILER_API_URL=http://127.0.0.1:3000/api
      export RECONCILER_EMAIL=admin@sandbox.test RECONCILER_PASSWORD=sandbox
      reconciler plan

    \b
    With faults it rehearses what goes wrong. Each rule in quotes:
      --fault '2nd PATCH /assistants/*: 503'          one passing failure
      --fault 'PATCH *: 500 after=provider'           one of two stores is written
      --fault '10% * *: reset'                        a bad line
      --fault 'first 3 GET *: 429 retry-after=2'      a busy server
      --fault 'limit 5 per second'                    a strict one
      --fault 'PATCH *: lag=2s'                       reads that lag behind
      --fault 'edit name=Ada after GET /assistants/*' somebody else edits
    """  # noqa: D301 - click wants the character that \b stands for
    # A rule that cannot be read is refused before the server's libraries are loaded.
    settings = Settings(
        host=host,
        port=port,
        store=store,
        seed=seed,
        nested=nested,
        strict=strict,
        listing=listing,
        latency_ms=latency,
        faults=tuple(map(parse_rule, faults)),
        fault_seed=secrets.randbelow(1_000_000) if fault_seed is None else fault_seed,
    )
    # By its name and only here: the server's libraries cost start-up time, and need not be installed for --help.
    try:
        server = importlib.import_module("reconciler.sandbox.server")
    except ModuleNotFoundError as error:
        raise lacks_library("the sandbox", error.name) from error
    tallies = server.serve(settings, os.environ, functools.partial(_announce, settings), tell if verbose else None)
    for tally in tallies:
        tell(f"Fault {tally.number} hit {tally.hit} of {tally.seen} requests: {escape(tally.rule.text)}")


def _announce(settings: Settings, url: str, assistants: int) -> None:
    noun = "assistant" if assistants == 1 else "assistants"
    click.echo(f"Sandbox API on {url} ({assistants} {noun})")
    if any(rule.when == "share" for rule in settings.faults):
        tell(f"Faults at random: --fault-seed {settings.fault_seed} chooses the same requests again.")
