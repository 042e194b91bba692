"""Notifies a chat with one JSON POST to a secret URL. A failure is only a warning, which does not show the URL."""

import contextlib
import json
import string
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from reconciler.api.results import NoAnswer
from reconciler.api.transport import Connection
from reconciler.core.base_url import check_base_url
from reconciler.errors import ReconcilerError
from reconciler.hosts.host_client import open_wire

VARIABLE = "RECONCILER_WEBHOOK_URL"
_TIMEOUT = 10.0  # seconds


def post_webhook(variables: Mapping[str, str], text: str) -> str:
    """Send a text to the webhook, if there is one. Return a warning if that fails, else ""."""
    # Slack, Mattermost, Teams and Google Chat all accept `{"text": ...}`.
    address = variables.get(VARIABLE, "").strip()
    if not address:
        return ""
    try:
        # Plain http:// is allowed only for this machine: anybody who reads the URL can write into the chat.
        base = check_base_url(address.partition("?")[0], allow_insecure_http=False)
    except ReconcilerError:
        return f"warning: nothing was sent to the webhook: {VARIABLE} is not an https:// URL"
    try:
        wire = open_wire(base)
    except ReconcilerError as error:
        return f"warning: nothing was sent to the webhook: {error.message}"
    parts = urlsplit(address)
    query = f"?{parts.query}" if parts.query else ""
    # A variable may have any bytes.
    place = quote((parts.path or "/") + query, safe=string.punctuation, errors="surrogateescape")
    content = json.dumps({"text": text}).encode()
    with contextlib.closing(Connection(wire, _TIMEOUT)) as connection:
        result = connection.exchange("POST", place, {}, content)
    if isinstance(result, NoAnswer):
        # Only the kind of failure, because its text may contain the URL.
        return f"warning: the webhook could not be reached ({result.kind})"
    return "" if result.ok else f"warning: the webhook answered {result.status}"
