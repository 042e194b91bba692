"""The options of every command that talks to the API, as one value."""

import dataclasses
import math
from typing import Any

import click

from reconciler.cli.help import API, group_options, shared_option


class Seconds(click.FloatRange):
    """A range of numbers that rejects `nan`, which every comparison would let through."""

    name = "number of seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number that a text names."""
        number = float(super().convert(value, param, ctx))
        return number if math.isfinite(number) else self.fail(f"{value} is not a number of seconds.", param, ctx)


class Count(click.IntRange):
    """A range of whole numbers; the name is in click's message."""

    name = "whole number"


@dataclasses.dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How to reach the API. Credentials come only from the environment: a process list would show options."""

    api_url: str | None
    concurrency: int
    timeout: float
    retries: int
    allow_insecure_http: bool
    verbose: bool


connection_options = group_options(
    "connection",
    ConnectionOptions,
    shared_option(
        "--api-url",
        section=API,
        envvar="RECONCILER_API_URL",
        metavar="URL",
        help="The API's base URL, up to /api.  [env: RECONCILER_API_URL]",
    ),
    shared_option(
        "--concurrency",
        section=API,
        type=Count(min=1, max=256),
        envvar="RECONCILER_CONCURRENCY",
        default=16,
        show_default=True,
        metavar="N",
        help="Maximum number of concurrent requests.  [env: RECONCILER_CONCURRENCY]",
    ),
    shared_option(
        "--timeout",
        section=API,
        type=Seconds(min=0, min_open=True, max=86_400),
        envvar="RECONCILER_TIMEOUT",
        default=30.0,
        show_default=True,
        metavar="SECONDS",
        help="Time limit for one attempt of a request. Pauses between attempts are added: up to 20 s each, or as "
        "long as the API asks for, at most 5 minutes in total.  [env: RECONCILER_TIMEOUT]",
    ),
    shared_option(
        "--retries",
        section=API,
        type=Count(min=0, max=100),
        envvar="RECONCILER_RETRIES",
        default=4,
        show_default=True,
        metavar="N",
        help="How often to retry a request after a temporary failure.  [env: RECONCILER_RETRIES]",
    ),
    shared_option(
        "--allow-insecure-http",
        section=API,
        is_flag=True,
        help="Allow plain http:// to another machine; the token is sent unencrypted.",
    ),
    shared_option("-v", "--verbose", section=API, is_flag=True, help="Show each request on stderr."),
)
