"""Notifies a chat with one JSON POST to a secret URL. A failure is only a warning, which does not show the URL."""

import json
from collections.abc import Mapping

from reconciler.core.base_url import check_base_url
from reconciler.errors import ReconcilerError
from reconciler.hosts.host_client import open_client

VARIABLE = "RECONCILER_WEBHOOK_URL"
_TIMEOUT = 10.0  # seconds, for each of connecting, sending and waiting


def post_webhook(variables: Mapping[str, str], text: str) -> str:
    """Send a text to the webhook, if there is one. Return a warning if that fails, else ""."""
    # Slack, Mattermost, Teams and Google Chat all accept `{"text": ...}`.
    address = variables.get(VARIABLE, "").strip()
    if not address:
        return ""
    import httpx

    try:
        # Plain http:// is allowed only for this machine: anybody who reads the URL can write into the chat.
        base = check_base_url(address.partition("?")[0], allow_insecure_http=False)
    except ReconcilerError:
        return f"warning: nothing was sent to the webhook: {VARIABLE} is not an https:// URL"
    try:
        client, _ = open_client(base, _TIMEOUT)
        with (
            client,
            client.stream(
                "POST", address, content=json.dumps({"text": text}), headers={"content-type": "application/json"}
            ) as answer,
        ):
            status = answer.status_code
    except ReconcilerError as error:
        return f"warning: nothing was sent to the webhook: {error.message}"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        # Only the kind of error, because its message may contain the URL.
        return f"warning: the webhook could not be reached ({type(error).__name__})"
    return "" if 200 <= status < 300 else f"warning: the webhook answered {status}"
