"""The two stores, in SQLite: each assistant at the provider, and its copy in the local database."""

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from reconciler.errors import SandboxError
from reconciler.sandbox.jsontext import encode

Assistant = dict[str, Any]
StoreName = Literal["provider", "database"]
STORES: tuple[StoreName, ...] = ("provider", "database")
LOCAL_PREFIX = "local_"
# "ARec", which tells our files from the databases of other programs.
_APPLICATION = 0x41526563
# One row for each copy. They are never written in one transaction, because the real stores are two machines.
_TABLE = """
CREATE TABLE IF NOT EXISTS copies (
    number INTEGER PRIMARY KEY, store TEXT NOT NULL, id TEXT NOT NULL, assistant TEXT NOT NULL, UNIQUE (store, id)
)
"""
# Try the provider's id first, because it may also begin with the prefix of local ids.
_BY_EITHER_ID = (
    "SELECT id, assistant FROM copies WHERE store = 'database' AND id IN (:id, :without_prefix) "
    "ORDER BY id = :id DESC LIMIT 1"
)
_INSERT = "INSERT INTO copies (store, id, assistant) VALUES (:store, :id, :text) ON CONFLICT (store, id) DO "


class Store:
    """Both copies of every assistant. Hold `lock` while you read, change and write one."""

    def __init__(self, path: Path | None = None) -> None:
        """Open a file, or a store in memory. Raises SandboxError if the file is not a store."""
        self.lock = threading.RLock()
        with contextlib.ExitStack() as cleanup:
            try:
                # Each statement is its own transaction: the second store may fail after the first was written.
                self._connection = sqlite3.connect(
                    path or ":memory:", isolation_level=None, check_same_thread=False, timeout=1
                )
                cleanup.callback(self._connection.close)
                self._prepare(path)
            except sqlite3.Error as error:
                raise _make_store_error(path, str(error)) from error
            cleanup.pop_all()

    def _prepare(self, path: Path | None) -> None:
        [(application,)] = self._run("PRAGMA application_id")
        [(tables,)] = self._run("SELECT count(*) FROM sqlite_schema")
        if tables and application != _APPLICATION:
            raise _make_store_error(path, "it is another program's database")
        # A sandbox does not have to survive a power cut, and writes should be fast.
        self._run("PRAGMA synchronous = OFF")
        self._run(f"PRAGMA application_id = {_APPLICATION}")
        self._run(_TABLE)

    def close(self) -> None:
        """Close the store. A store in memory is lost."""
        with self.lock:
            self._connection.close()

    def read(self, any_id: str) -> tuple[str, str] | None:
        """Return the provider's id and the local database's copy as JSON, which GET answers. Takes either id."""
        rows = self._run(_BY_EITHER_ID, id=any_id, without_prefix=any_id.removeprefix(LOCAL_PREFIX))
        return next(iter(rows), None)

    def read_all(self) -> list[tuple[str, str]]:
        """Return what `read` returns for every assistant in the local database, the oldest first."""
        return self._run("SELECT id, assistant FROM copies WHERE store = 'database' ORDER BY number")

    def find(self, any_id: str) -> str | None:
        """Return the provider's id of an assistant in the local database, given either of its ids."""
        row = self.read(any_id)
        return row[0] if row else None

    def copy(self, store: StoreName, provider_id: str) -> Assistant | None:
        """Return the copy in one of the stores, by the provider's id."""
        rows = self._run("SELECT assistant FROM copies WHERE store = :store AND id = :id", store=store, id=provider_id)
        return json.loads(rows[0][0]) if rows else None

    def write(self, store: StoreName, assistant: Assistant) -> None:
        """Write the copy in one of the stores. The assistant contains the provider's id."""
        self._run(f"{_INSERT} UPDATE SET assistant = excluded.assistant", **_make_row(store, assistant))

    def delete(self, store: StoreName, provider_id: str) -> None:
        """Delete the copy in one of the stores."""
        self._run("DELETE FROM copies WHERE store = :store AND id = :id", store=store, id=provider_id)

    def fill(self, assistants: Iterable[Assistant]) -> None:
        """Add to each store the assistants that it does not have yet: all or none."""
        rows = [_make_row(store, assistant) for assistant in assistants for store in STORES]
        with self.lock, self._connection:
            self._connection.execute("BEGIN")
            self._connection.executemany(f"{_INSERT} NOTHING", rows)

    def _run(self, query: str, **values: str) -> list[Any]:
        with self.lock:
            return self._connection.execute(query, values).fetchall()


def _make_row(store: StoreName, assistant: Assistant) -> dict[str, str]:
    return {"store": store, "id": assistant["id"], "text": encode(assistant)}


def _make_store_error(path: Path | None, reason: str) -> SandboxError:
    hint = "pass another file to --store; it is created if it does not exist"
    return SandboxError(f"{path} cannot be used as the sandbox's store: {reason}", hint=hint)
