"""The two stores, in SQLite: each assistant as the provider holds it, and its copy in the local database.

They are written one after the other and never in one transaction: in the real system they are two machines.
Knows ids and JSON text, and no rule about what an assistant may hold.
"""

import json
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from reconciler.sandbox.settings import SandboxError

Assistant = dict[str, Any]

LOCAL_PREFIX = "local_"

# "ARec": tells our files from other programs' databases.
_APPLICATION = 0x41526563

_TABLES = """
CREATE TABLE IF NOT EXISTS provider (id TEXT PRIMARY KEY, assistant TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS database (
    number INTEGER PRIMARY KEY,
    local_id TEXT NOT NULL UNIQUE,
    id TEXT NOT NULL UNIQUE,
    assistant TEXT NOT NULL
);
"""

_WRITE_PROVIDER = "INSERT INTO provider VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET assistant = excluded.assistant"
_WRITE_DATABASE = (
    "INSERT INTO database (id, local_id, assistant) VALUES (?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET assistant = excluded.assistant"
)


def encode(value: Any) -> str:
    """Return a value as compact JSON text; raises ValueError or TypeError for what JSON cannot hold."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A lone surrogate, which JSON can write and UTF-8 cannot, stays the escape that it came in as.
    return text.encode(errors="backslashreplace").decode()


class Store:
    """Both copies of every assistant; usable from several threads.

    `lock` is held by whoever reads, changes and writes, so that no write in between is lost.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Open a file, or a store in memory; raises SandboxError for a file that cannot be one."""
        self.lock = threading.RLock()
        try:
            self._connection = sqlite3.connect(
                path or ":memory:", isolation_level=None, check_same_thread=False, timeout=1
            )
        except sqlite3.Error as error:
            raise _unusable(path, str(error)) from error
        try:
            self._prepare(path)
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self, path: Path | None) -> None:
        try:
            (application,) = self._connection.execute("PRAGMA application_id").fetchone()
            (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            if tables and application != _APPLICATION:
                raise _unusable(path, "it is another program's database")
            # A sandbox need not survive a power cut, and a write must cost next to nothing.
            self._connection.execute("PRAGMA synchronous = OFF")
            self._connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            self._connection.executescript(_TABLES)
        except sqlite3.Error as error:
            raise _unusable(path, str(error)) from error

    def close(self) -> None:
        """Close the store; what was in memory is gone."""
        with self.lock:
            self._connection.close()

    def find(self, any_id: str) -> str | None:
        """Return the provider's id of an assistant in the local database, given either of its ids."""
        with self.lock:
            row = self._connection.execute(
                "SELECT id FROM database WHERE id = :id UNION ALL SELECT id FROM database WHERE local_id = :id LIMIT 1",
                {"id": any_id},
            ).fetchone()
        return row[0] if row else None

    def answer(self, any_id: str) -> str | None:
        """Return the local database's copy as JSON text, given either id: what GET answers."""
        with self.lock:
            row = self._connection.execute(
                "SELECT assistant FROM database WHERE id = :id"
                " UNION ALL SELECT assistant FROM database WHERE local_id = :id LIMIT 1",
                {"id": any_id},
            ).fetchone()
        return row[0] if row else None

    def answers(self) -> list[str]:
        """Return every copy in the local database as JSON text, the oldest first."""
        with self.lock:
            return [row[0] for row in self._connection.execute("SELECT assistant FROM database ORDER BY number")]

    def count(self) -> int:
        """Return how many assistants the local database holds."""
        with self.lock:
            (number,) = self._connection.execute("SELECT count(*) FROM database").fetchone()
        return int(number)

    def database_copy(self, provider_id: str) -> Assistant | None:
        """Return the local database's copy, by the provider's id."""
        return self._read("SELECT assistant FROM database WHERE id = ?", provider_id)

    def provider_copy(self, provider_id: str) -> Assistant | None:
        """Return what the provider holds, by its id."""
        return self._read("SELECT assistant FROM provider WHERE id = ?", provider_id)

    def _read(self, query: str, provider_id: str) -> Assistant | None:
        with self.lock:
            row = self._connection.execute(query, (provider_id,)).fetchone()
        return json.loads(row[0]) if row else None

    def write_provider(self, assistant: Assistant) -> None:
        """Write the provider's copy; the assistant carries the provider's id."""
        with self.lock:
            self._connection.execute(_WRITE_PROVIDER, (assistant["id"], encode(assistant)))

    def write_database(self, assistant: Assistant) -> None:
        """Write the local database's copy; the assistant carries the provider's id."""
        with self.lock:
            self._connection.execute(_WRITE_DATABASE, _database_row(assistant))

    def delete_provider(self, provider_id: str) -> None:
        """Delete the provider's copy."""
        with self.lock:
            self._connection.execute("DELETE FROM provider WHERE id = ?", (provider_id,))

    def delete_database(self, provider_id: str) -> None:
        """Delete the local database's copy."""
        with self.lock:
            self._connection.execute("DELETE FROM database WHERE id = ?", (provider_id,))

    def fill(self, assistants: Iterable[Assistant]) -> None:
        """Add to each store the assistants that it does not hold yet: all or none."""
        several = list(assistants)
        with self.lock, self._connection:
            self._connection.execute("BEGIN")
            self._connection.executemany(
                "INSERT OR IGNORE INTO provider VALUES (?, ?)", [(one["id"], encode(one)) for one in several]
            )
            self._connection.executemany(
                "INSERT OR IGNORE INTO database (id, local_id, assistant) VALUES (?, ?, ?)",
                [_database_row(one) for one in several],
            )


def _database_row(assistant: Assistant) -> tuple[str, str, str]:
    return assistant["id"], LOCAL_PREFIX + assistant["id"], encode(assistant)


def _unusable(path: Path | None, reason: str) -> SandboxError:
    return SandboxError(
        f"{path} cannot be used as the sandbox's store: {reason}",
        hint="name another file with --store; one that does not exist yet is made",
    )
