"""The API and the credentials of a run: from options, then environment variables, then settings."""

from collections.abc import Mapping

from reconciler.api.secret import Credentials, Secret
from reconciler.core.base_url import check_base_url
from reconciler.core.settings import Settings
from reconciler.errors import UsageError
from reconciler.usecases.project.environments import name_environments


def choose_url(option: str | None, settings: Settings, *, by_variable: bool) -> str:
    """Return the API's base URL; `by_variable` says that RECONCILER_API_URL gave it.

    Raises UsageError for none, and SettingsError for one that cannot be used.
    """
    given = check_base_url(option, allow_insecure_http=True).text if option else None
    ours = settings.api_url
    # If the chosen environment has another one, neither overrides the other (docs/reference.md, "Environments").
    if settings.environment and ours and given and by_variable and given != ours:
        raise UsageError(
            f"RECONCILER_API_URL is {given}, but the environment {settings.environment} has {ours}",
            hint="unset RECONCILER_API_URL, or correct api_url in reconciler.yaml: neither overrides the other",
        )
    url = given or ours
    if not url:
        place = f", under the environment {settings.environment}" if settings.environment else ""
        hint = f"set RECONCILER_API_URL, pass --api-url, or write api_url into reconciler.yaml{place}"
        if settings.environments and not settings.environment:
            hint = name_environments(settings)
        raise UsageError("no API URL is configured", hint=hint)
    return url


def credentials_of(variables: Mapping[str, str]) -> Credentials:
    """Return the credentials of the environment's variables. Raises UsageError without any."""
    token, password = variables.get("RECONCILER_AUTH_TOKEN"), variables.get("RECONCILER_PASSWORD")
    email = variables.get("RECONCILER_EMAIL", "").strip()
    # Refused here: every request would get a 401, and a host may lock out such a client.
    if not token and not (password and email):
        hint = "set RECONCILER_AUTH_TOKEN, or RECONCILER_EMAIL and RECONCILER_PASSWORD"
        # Pipelines often set both, and a secret that does not exist is empty.
        half = "RECONCILER_PASSWORD is not set" if email else "RECONCILER_EMAIL is not set" if password else ""
        raise UsageError(": ".join(filter(None, ("there are no credentials for the API", half))), hint=hint)
    return Credentials(
        token=Secret(token, name="RECONCILER_AUTH_TOKEN", cookie=True) if token else None,
        email=email or None,
        password=Secret(password, name="RECONCILER_PASSWORD") if password else None,
    )
