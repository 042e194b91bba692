"""Which entries of the record are what its commit declares: the record says so, and it is true after every story."""

import dataclasses
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from projects import outcomes
from stories import REF, Story, entries, story

from reconciler.core.base import Entries
from reconciler.core.canonical import exact_text
from reconciler.files.definitions import load
from reconciler.files.settings import load_settings
from reconciler.git.record import Record, applied_ref, read_entries, read_record
from reconciler.git.repository import Repository, open_repository
from reconciler.usecases.project.changed import find_changed
from reconciler.usecases.project.project import Project

OLD, NEW = {"firstMessage": "old"}, {"firstMessage": "new"}
FOLDER = "assistants"
PEOPLE = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
SETTINGS = "environments:\n  test: {{overlay: {overlay}, api_url: '{url}'}}\nignore: [{ignore}]\n"


@pytest.fixture
def tale(tmp_path: Path) -> Iterator[Story]:
    """Three recorded definitions with comments: their entries are no copies of their files."""
    with story(tmp_path / "repository", dict.fromkeys("abc", OLD)) as tale:
        for name in "abc":
            tale.write(name, f"# {name}\nid: asst_{name}\nfirstMessage: old\n")
        tale.commit()
        tale.apply_and_record()
        yield tale


def repository_of(tale: Story) -> Repository:
    repository = open_repository(tale.root)
    assert repository is not None
    return repository


def write_settings(tale: Story, text: str) -> None:
    (tale.root / "reconciler.yaml").write_text(text, "utf-8")


def record_of(tale: Story, environment: str | None = None) -> Record:
    record = read_record(repository_of(tale), applied_ref(environment))
    assert record is not None
    return record


def read_unsettled(tale: Story) -> set[str] | None:
    """The keys that the newest record says are not settled; None where it does not say."""
    found = record_of(tale).outdated.get(FOLDER)
    return {Path(file).stem for file in found} if found is not None else None


def edit(tale: Story, *names: str, value: str = "new") -> None:
    for name in names:
        tale.write(name, f"# {name}\nid: asst_{name}\nfirstMessage: {value}\n")
    tale.commit()


class TestTheFact:
    def test_everything_is_settled_where_all_is_applied(self, tale: Story) -> None:
        assert read_unsettled(tale) == set()
        edit(tale, "a")
        tale.apply_and_record()
        assert read_unsettled(tale) == set()

    def test_what_failed_is_not_settled(self, tale: Story) -> None:
        edit(tale, "a", "b")
        tale.sandbox.rehearse("every PATCH /assistants/asst_b: 400")
        assert outcomes(tale.apply_and_record()) == {"a": "applied", "b": "failed", "c": "unchanged"}
        assert read_unsettled(tale) == {"b"}

    def test_an_ignored_value_is_not_settled(self, tale: Story) -> None:
        write_settings(tale, "ignore:\n  - path: firstMessage\n    reason: Edited in the dashboard\n")
        edit(tale, "a")
        tale.apply_and_record()
        assert read_unsettled(tale) == {"a"}

    def test_a_run_of_what_has_changed_keeps_what_is_known_of_the_others(self, tale: Story) -> None:
        edit(tale, "a", "b")
        tale.sandbox.rehearse("every PATCH /assistants/asst_b: 400")
        tale.apply_and_record("--changed")
        assert read_unsettled(tale) == {"b"}
        tale.sandbox.rehearse()
        edit(tale, "c")
        tale.apply_and_record("--changed")
        assert read_unsettled(tale) == set()

    def test_a_run_of_some_files_does_not_know_what_a_new_commit_means_to_the_others(self, tale: Story) -> None:
        edit(tale, "a", "b")
        tale.apply_and_record("assistants/a.yaml")
        assert read_unsettled(tale) is None
        assert entries(tale.plan("--changed")).keys() == {"b"}
        tale.apply_and_record("assistants/b.yaml")
        assert read_unsettled(tale) is None
        tale.apply_and_record()
        assert read_unsettled(tale) is None  # as before: there is nothing to record
        edit(tale, "c")
        tale.apply_and_record()
        assert read_unsettled(tale) == set()

    def test_a_run_of_some_files_of_the_same_commit_adds_what_it_settles(self, tale: Story) -> None:
        edit(tale, "a", "b")
        tale.sandbox.rehearse("every PATCH /assistants/asst_a: 400", "every PATCH /assistants/asst_b: 400")
        tale.apply_and_record()
        assert read_unsettled(tale) == {"a", "b"}
        tale.sandbox.rehearse()
        tale.apply_and_record("assistants/b.yaml")
        assert read_unsettled(tale) == {"a"}

    def test_another_folder_keeps_its_own_as_long_as_the_commit_is_the_same(self, tale: Story) -> None:
        other = tale.root / "more" / FOLDER
        other.mkdir(parents=True)
        (other / "d.yaml").write_text("# d\nid: asst_d\nfirstMessage: old\n", "utf-8")
        tale.sandbox.put({"id": "asst_d", **OLD})
        tale.commit()
        tale.apply_and_record()
        tale.apply_and_record("--directory", "more/assistants")
        assert record_of(tale).outdated == {FOLDER: frozenset(), f"more/{FOLDER}": frozenset()}
        edit(tale, "a")
        tale.apply_and_record()
        assert record_of(tale).outdated == {FOLDER: frozenset()}


def test_a_damaged_fact_is_an_error(tale: Story) -> None:
    message = tale.message.replace('Reconciler-Unsettled: {"assistants": []}', 'Reconciler-Unsettled: ["assistants"]')
    assert message != tale.message
    made = tale.git(*PEOPLE, "commit-tree", f"{REF}^{{tree}}", "-p", "HEAD", "-F", "-", stdin=message)
    tale.git("update-ref", REF, made)
    result = tale.run("plan")
    assert result.code == 1
    assert "has a trailer that cannot be read" in result.stderr


def test_with_other_overlays_of_an_environment_what_differs_is_looked_at(tmp_path: Path) -> None:
    """The overlays were all there before: the one file that the branch changes is `reconciler.yaml`."""
    with story(tmp_path / "repository", {"a": OLD, "b": OLD}) as tale:
        write_settings(tale, SETTINGS.format(overlay="one", ignore="", url=tale.url))
        tale.write("a", "firstMessage: old\n")
        tale.write("b", "firstMessage: old\n")
        for overlay, message in (("one", "old"), ("two", "new")):
            (tale.root / overlay).mkdir()
            (tale.root / overlay / "a.yaml").write_text(f"id: asst_a\nfirstMessage: {message}\n", "utf-8")
            (tale.root / overlay / "b.yaml").write_text("id: asst_b\n", "utf-8")
        tale.commit()
        assert tale.apply("--environment", "test", "--record", "--base", "none")["summary"]["unchanged"] == 2
        write_settings(tale, SETTINGS.format(overlay="two", ignore="", url=tale.url))
        tale.commit()
        assert entries(tale.plan("--environment", "test", "--changed")).keys() == {"a"}
        assert outcomes(tale.apply("--environment", "test", "--changed", "--record")) == {"a": "applied"}


# --- what the record says is what one finds who reads everything


def check_record(tale: Story, environment: str | None) -> None:
    """Compare what the record says with what its entries and its commit say."""
    repository, record = repository_of(tale), record_of(tale, environment)
    folder = tale.root / FOLDER
    settings = load_settings(folder, root=tale.root)
    settings = settings.choose(environment) if environment is not None else settings
    head = record.applied
    project = Project(folder=folder, root=tale.root, settings=settings, repository=repository, head=head, record=record)
    found = load(folder, (), root=tale.root, settings=settings, find_id=project.find_created_id).definitions
    unknown = dataclasses.replace(record, outdated={})

    def say(of: Entries) -> dict[str, tuple[str, str]]:
        return {file: (entry.id, exact_text(entry.declared)) for file, entry in of.by_file.items()}

    read = read_entries(record, project.snapshot(head, found))
    assert say(read) == say(read_entries(unknown, project.snapshot(head)))
    if FOLDER in record.outdated:
        other = dataclasses.replace(project, record=unknown)
        changed, changed_unknown = (find_changed(each, repository, head, head) for each in (project, other))
        assert changed_unknown.outdated <= changed.outdated


class Editor:
    """Somebody who does something with the files, by chance."""

    def __init__(self, tale: Story, chance: random.Random) -> None:
        self.tale, self.chance = tale, chance
        self.overlay, self.ignore = "one", ""

    def files(self) -> list[Path]:
        return sorted((self.tale.root / FOLDER).rglob("[a-f]*.yaml"))

    def value(self) -> str:
        return self.chance.choice(["old", "new", "other"])

    def change(self) -> None:
        file = self.chance.choice(self.files())
        file.write_text(
            f"{file.read_text('utf-8').partition('firstMessage')[0]}firstMessage: {self.value()}\n", "utf-8"
        )

    def comment(self) -> None:
        file = self.chance.choice(self.files())
        file.write_text(f"# {self.chance.random()}\n{file.read_text('utf-8')}", "utf-8")

    def take_text(self) -> None:
        file = self.chance.choice(self.files())
        text = f"{file.read_text('utf-8').partition('endCallMessage')[0]}endCallMessage: {{$file: bye.txt}}\n"
        file.write_text(text, "utf-8")

    def change_text(self) -> None:
        for file in (self.tale.root / FOLDER).rglob("bye.txt"):
            file.write_text(f"Bye {self.value()}\n", "utf-8")

    def change_defaults(self) -> None:
        folder = self.chance.choice(["", "sub/"])
        file = self.tale.root / FOLDER / f"{folder}_defaults.yaml"
        file.write_text(f"voicemailMessage: {self.value()}\n", "utf-8")

    def move(self) -> None:
        name = self.chance.choice(self.files()).name
        for top in (FOLDER, "one", "two"):
            here, there = self.tale.root / top / name, self.tale.root / top / "sub" / name
            here.rename(there) if here.exists() else there.rename(here)

    def write_settings(self) -> None:
        text = SETTINGS.format(overlay=self.overlay, ignore=self.ignore, url=self.tale.url)
        write_settings(self.tale, text)

    def switch_overlay(self) -> None:
        self.overlay = "two" if self.overlay == "one" else "one"
        self.write_settings()

    def switch_ignore(self) -> None:
        self.ignore = "" if self.ignore else "{path: firstMessage, reason: Edited}"
        self.write_settings()

    def fail(self) -> None:
        self.tale.sandbox.rehearse(f"every PATCH /assistants/asst_{self.chance.choice('abcd')}: 400")

    def recover(self) -> None:
        self.tale.sandbox.rehearse()

    def edit_live(self) -> None:
        self.tale.sandbox.edit(f"asst_{self.chance.choice('abcd')}", firstMessage=self.value())

    def act(self) -> None:
        own: list[Callable[[], None]] = [self.change, self.comment, self.take_text, self.change_text, self.move]
        shared = [
            self.change_defaults,
            self.switch_overlay,
            self.switch_ignore,
            self.fail,
            self.recover,
            self.edit_live,
        ]
        self.chance.choice([*own, *shared])()


@pytest.mark.parametrize("environment", [None, "test"])
@pytest.mark.parametrize("seed", range(2))
def test_the_record_says_what_reading_everything_says(tmp_path: Path, seed: int, environment: str | None) -> None:
    chance = random.Random(seed)
    with story(tmp_path / "repository", dict.fromkeys("abcd", OLD)) as tale:
        for name in "abcd":
            tale.write(name, f"# {name}\nid: asst_{name}\nfirstMessage: old\n")
            for overlay in ("one", "two"):
                (tale.root / overlay / "sub").mkdir(parents=True, exist_ok=True)
                text = f"id: asst_{name}\nname: In {overlay}\n"
                (tale.root / overlay / f"{name}.yaml").write_text(text, "utf-8")
        for folder in ("", "sub/"):
            (tale.root / FOLDER / folder).mkdir(exist_ok=True)
            (tale.root / FOLDER / folder / "bye.txt").write_text("Bye\n", "utf-8")
        editor = Editor(tale, chance)
        editor.write_settings()
        chosen = ["--environment", environment] if environment is not None else []
        tale.commit()
        tale.apply(*chosen, "--record", "--base", "none")
        check_record(tale, environment)
        for _ in range(6):
            for _ in range(chance.randint(1, 2)):
                editor.act()
            if chance.random() < 0.8:
                tale.commit(allow_empty=True)
            which = [[], ["--changed"], [str(chance.choice(editor.files()))]]
            tale.run("apply", "--yes", *chosen, "--record", *chance.choice(which), "--retries", "0")
            check_record(tale, environment)
