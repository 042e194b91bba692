"""The two stores on disk and in memory."""

import sqlite3
import threading
from pathlib import Path

import pytest

from reconciler.errors import SandboxError
from reconciler.sandbox.seed import complete_assistant
from reconciler.sandbox.store import Store


def test_a_file_keeps_both_copies_until_the_next_start(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.db"
    store = Store(file)
    provider, database = complete_assistant("a", {"name": "provider"}), complete_assistant("a", {"name": "database"})
    store.write("provider", provider)
    store.write("database", database)
    store.close()
    again = Store(file)
    assert (again.copy("provider", "a"), again.copy("database", "a"), len(again.read_all())) == (provider, database, 1)
    again.close()


def test_the_two_stores_are_two(tmp_path: Path) -> None:
    store = Store()
    store.write("provider", complete_assistant("a", {}))
    assert (store.find("a"), store.read("a"), store.copy("database", "a"), len(store.read_all())) == (
        None,
        None,
        None,
        0,
    )
    assert store.copy("provider", "a") is not None
    store.write("database", complete_assistant("a", {}))
    store.delete("provider", "a")
    assert store.copy("provider", "a") is None
    assert store.find("local_a") == "a"
    store.delete("database", "a")
    assert store.find("local_a") is None
    store.close()


def test_a_providers_id_goes_before_a_local_one() -> None:
    store = Store()
    store.fill([complete_assistant("x", {"name": "one"}), complete_assistant("local_x", {"name": "two"})])
    assert store.find("local_x") == "local_x"
    assert '"two"' in (store.read("local_x") or ("", ""))[1]
    assert store.find("local_local_x") == "local_x"
    store.close()


def test_fill_leaves_alone_what_is_there() -> None:
    store = Store()
    store.fill([complete_assistant("a", {"name": "first"})])
    store.fill([complete_assistant("a", {"name": "second"}), complete_assistant("b", {"name": "new"})])
    assert [(store.copy("database", key) or {})["name"] for key in "ab"] == ["first", "new"]
    assert [(store.copy("provider", key) or {})["name"] for key in "ab"] == ["first", "new"]
    store.close()


def test_fill_writes_all_or_nothing() -> None:
    store = Store()
    with pytest.raises(ValueError, match="JSON"):
        store.fill([complete_assistant("a", {}), complete_assistant("b", {"metadata": {"n": float("nan")}})])
    assert (len(store.read_all()), store.copy("provider", "a")) == (0, None)
    store.close()


def test_threads_may_share_it() -> None:
    store = Store()
    store.fill([complete_assistant("a", {"n": 0})])

    def count_up() -> None:
        for _ in range(50):
            with store.lock:
                copy = store.copy("database", "a") or {}
                store.write("database", {**copy, "n": copy["n"] + 1})

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (store.copy("database", "a") or {})["n"] == 200
    store.close()


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("These are my notes, and they are longer than nothing.\n" * 50)
    before = file.read_bytes()
    with pytest.raises(SandboxError, match=r"notes\.txt cannot be used as the sandbox's store: file is not a database"):
        Store(file)
    assert file.read_bytes() == before


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "browser.db"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE history (url TEXT)")
    connection.close()
    before = file.read_bytes()
    with pytest.raises(SandboxError, match="it is another program's database") as error_info:
        Store(file)
    assert "--store" in error_info.value.hint
    assert file.read_bytes() == before


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="unable to open database file"):
        Store(tmp_path / "missing" / "sandbox.db")
