"""The accounts that may log in to the sandbox, and their tokens, which are kept in memory only."""

import dataclasses
import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Literal

COOKIE = "auth-token"
PASSWORD = "sandbox"  # noqa: S105 - it protects nothing, and the help shows it
_READ_WRITE = {"agents": ["read", "create", "update", "delete"]}


@dataclasses.dataclass(frozen=True, slots=True)
class Account:
    """One account. A VIEWER cannot write, and a disabled account cannot log in."""

    email: str
    name: str
    role: Literal["ADMIN", "EDITOR", "VIEWER"]
    permissions: Mapping[str, list[str]] | None = None
    disabled: bool = False
    password: str = dataclasses.field(default=PASSWORD, repr=False)

    def to_user(self) -> dict[str, Any]:
        """Return the account as the API shows it, without the password."""
        fields = {name: getattr(self, name) for name in ("email", "name", "role", "disabled", "permissions")}
        return {"id": f"user_{self.email}", **fields}


ADMIN = Account("admin@sandbox.test", "Ada Admin", "ADMIN", _READ_WRITE)
FIXED = (
    ADMIN,
    Account("editor@sandbox.test", "Ed Editor", "EDITOR", _READ_WRITE),
    Account("viewer@sandbox.test", "Vi Viewer", "VIEWER", {"agents": ["read"]}),
    Account("disabled@sandbox.test", "Di Disabled", "EDITOR", _READ_WRITE, disabled=True),
)


class Sessions:
    """The accounts, and the tokens of those that have logged in."""

    def __init__(self, accounts: Iterable[Account] = FIXED, tokens: Mapping[str, Account] | None = None) -> None:
        self._accounts = {account.email: account for account in accounts}
        self._tokens = dict(tokens or {})

    def find_account(self, email: str, password: str) -> Account | None:
        """Return the account with these credentials, or None."""
        account = self._accounts.get(email)
        return account if account is not None and account.password == password else None

    def log_in(self, account: Account) -> str:
        """Return a new token for an account."""
        token = secrets.token_urlsafe(32)
        self._tokens[token] = account
        return token

    def find_owner(self, token: str) -> Account | None:
        """Return the account of a token, or None."""
        return self._tokens.get(token)

    def revoke(self, token: str) -> None:
        """Forget a token, if it is known."""
        self._tokens.pop(token, None)


def create_sessions(environment: Mapping[str, str]) -> Sessions:
    """Return the fixed accounts, and the account and the token in the reconciler's variables.

    The account of `RECONCILER_EMAIL` and `RECONCILER_PASSWORD` is an ADMIN, unless it is one of the fixed accounts,
    which do not change. `RECONCILER_AUTH_TOKEN` is a token of this account, or else of the fixed ADMIN.
    """
    # The reconciler logs in with the same variables, so both terminals can have the same settings.
    fixed = {account.email: account for account in FIXED}
    email, password = environment.get("RECONCILER_EMAIL"), environment.get("RECONCILER_PASSWORD")
    login = Account(email, "You", "ADMIN", password=password) if email and password else ADMIN
    account = fixed.setdefault(login.email, login)
    token = environment.get("RECONCILER_AUTH_TOKEN")
    # A disabled account gets no token, since it could not log in either.
    return Sessions(fixed.values(), {token: account} if token and not account.disabled else {})
