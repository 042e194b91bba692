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
from reconciler.git.repository import Repository
from reconciler.usecases.project.changed import find_changed
from reconciler.usecases.project.project import Project

OLD, NEW = {"firstMessage": "old"}, {"firstMessage": "new"}
FOLDER = "assistants"
SETTINGS = "environments:\n  test: {{overlay: {overlay}, api_url: '{url}'}}\nignore: [{ignore}]\n"


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Story]:
    """Three recorded definitions with comments: their entries are no copies of their files."""
    with story(tmp_path / "repository", dict.fromkeys("abc", OLD)) as repo:
        for name in "abc":
            repo.write(name, f"# {name}\nid: asst_{name}\nfirstMessage: old\n")
        repo.commit()
        repo.apply_and_record()
        yield repo


def write_settings(repo: Story, text: str) -> None:
    (repo.root / "reconciler.yaml").write_text(text, "utf-8")


def record_of(repo: Story, environment: str | None = None) -> Record:
    return read_record(Repository(repo.root), applied_ref(environment))


def read_unsettled(repo: Story) -> set[str] | None:
    """The keys that the newest record says are not settled; None where it does not say."""
    found = record_of(repo).outdated.get(FOLDER)
    return {Path(file).stem for file in found} if found is not None else None


def edit(repo: Story, *names: str, value: str = "new") -> None:
    for name in names:
        repo.write(name, f"# {name}\nid: asst_{name}\nfirstMessage: {value}\n")
    repo.commit()


class TestTheFact:
    def test_everything_is_settled_where_all_is_applied(self, repo: Story) -> None:
        assert read_unsettled(repo) == set()
        edit(repo, "a")
        repo.apply_and_record()
        assert read_unsettled(repo) == set()

    def test_what_failed_is_not_settled(self, repo: Story) -> None:
        edit(repo, "a", "b")
        repo.sandbox.rehearse("every PATCH /assistants/asst_b: 400")
        assert outcomes(repo.apply_and_record()) == {"a": "applied", "b": "failed", "c": "unchanged"}
        assert read_unsettled(repo) == {"b"}

    def test_an_ignored_value_is_not_settled(self, repo: Story) -> None:
        write_settings(repo, "ignore:\n  - path: firstMessage\n    reason: Edited in the dashboard\n")
        edit(repo, "a")
        repo.apply_and_record()
        assert read_unsettled(repo) == {"a"}

    def test_a_run_of_what_has_changed_keeps_what_is_known_of_the_others(self, repo: Story) -> None:
        edit(repo, "a", "b")
        repo.sandbox.rehearse("every PATCH /assistants/asst_b: 400")
        repo.apply_and_record("--changed")
        assert read_unsettled(repo) == {"b"}
        repo.sandbox.rehearse()
        edit(repo, "c")
        repo.apply_and_record("--changed")
        assert read_unsettled(repo) == set()

    def test_a_run_of_some_files_does_not_know_what_a_new_commit_means_to_the_others(self, repo: Story) -> None:
        edit(repo, "a", "b")
        repo.apply_and_record("assistants/a.yaml")
        assert read_unsettled(repo) is None
        assert entries(repo.plan("--changed")).keys() == {"b"}
        repo.apply_and_record("assistants/b.yaml")
        assert read_unsettled(repo) is None
        repo.apply_and_record()
        assert read_unsettled(repo) is None  # as before: there is nothing to record
        edit(repo, "c")
        repo.apply_and_record()
        assert read_unsettled(repo) == set()

    def test_a_run_of_some_files_of_the_same_commit_adds_what_it_settles(self, repo: Story) -> None:
        edit(repo, "a", "b")
        repo.sandbox.rehearse("every PATCH /assistants/asst_a: 400", "every PATCH /assistants/asst_b: 400")
        repo.apply_and_record()
        assert read_unsettled(repo) == {"a", "b"}
        repo.sandbox.rehearse()
        repo.apply_and_record("assistants/b.yaml")
        assert read_unsettled(repo) == {"a"}

    def test_another_folder_keeps_its_own_as_long_as_the_commit_is_the_same(self, repo: Story) -> None:
        other = repo.root / "more" / FOLDER
        other.mkdir(parents=True)
        (other / "d.yaml").write_text("# d\nid: asst_d\nfirstMessage: old\n", "utf-8")
        repo.sandbox.put({"id": "asst_d", **OLD})
        repo.commit()
        repo.apply_and_record()
        repo.apply_and_record("--directory", "more/assistants")
        assert record_of(repo).outdated == {FOLDER: frozenset(), f"more/{FOLDER}": frozenset()}
        edit(repo, "a")
        repo.apply_and_record()
        assert record_of(repo).outdated == {FOLDER: frozenset()}


def test_a_damaged_fact_is_an_error(repo: Story) -> None:
    message = repo.message.replace('Reconciler-Unsettled: {"assistants": []}', 'Reconciler-Unsettled: ["assistants"]')
    assert message != repo.message
    commit = repo.make_commit(f"{REF}^{{tree}}", "HEAD", message=message)
    repo.git("update-ref", REF, commit)
    result = repo.run("plan")
    assert result.code == 1
    assert "has a trailer that cannot be read" in result.stderr


def test_with_other_overlays_of_an_environment_what_differs_is_looked_at(tmp_path: Path) -> None:
    """The overlays were all there before: the one file that the branch changes is `reconciler.yaml`."""
    with story(tmp_path / "repository", {"a": OLD, "b": OLD}) as repo:
        write_settings(repo, SETTINGS.format(overlay="one", ignore="", url=repo.url))
        repo.write("a", "firstMessage: old\n")
        repo.write("b", "firstMessage: old\n")
        for overlay, message in (("one", "old"), ("two", "new")):
            (repo.root / overlay).mkdir()
            (repo.root / overlay / "a.yaml").write_text(f"id: asst_a\nfirstMessage: {message}\n", "utf-8")
            (repo.root / overlay / "b.yaml").write_text("id: asst_b\n", "utf-8")
        repo.commit()
        assert repo.apply("--environment", "test", "--record", "--base", "none")["summary"]["unchanged"] == 2
        write_settings(repo, SETTINGS.format(overlay="two", ignore="", url=repo.url))
        repo.commit()
        assert entries(repo.plan("--environment", "test", "--changed")).keys() == {"a"}
        assert outcomes(repo.apply("--environment", "test", "--changed", "--record")) == {"a": "applied"}


# --- what the record says is what one finds who reads everything


def check_record(repo: Story, environment: str | None) -> None:
    """Compare what the record says with what its entries and its commit say."""
    repository, record = Repository(repo.root), record_of(repo, environment)
    folder = repo.root / FOLDER
    settings = load_settings(folder, root=repo.root)
    settings = settings.choose(environment) if environment is not None else settings
    head = record.applied
    project = Project(folder=folder, root=repo.root, settings=settings, repository=repository, head=head, record=record)
    found = load(folder, (), root=repo.root, settings=settings, find_id=project.find_created_id).definitions
    unknown = dataclasses.replace(record, outdated={})

    def say(of: Entries) -> dict[str, tuple[str, str]]:
        return {file: (entry.id, exact_text(entry.declared)) for file, entry in of.by_file.items()}

    read = read_entries(record, project.snapshot(head, found))
    assert say(read) == say(read_entries(unknown, project.snapshot(head)))
    if FOLDER in record.outdated:
        other = dataclasses.replace(project, record=unknown)
        changed, changed_unknown = (find_changed(each, head) for each in (project, other))
        assert changed_unknown.outdated <= changed.outdated


class Editor:
    """Somebody who does something with the files, by chance."""

    def __init__(self, repo: Story, chance: random.Random) -> None:
        self.repo, self.chance = repo, chance
        self.overlay, self.ignore = "one", ""

    def files(self) -> list[Path]:
        return sorted((self.repo.root / FOLDER).rglob("[a-f]*.yaml"))

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
        for file in (self.repo.root / FOLDER).rglob("bye.txt"):
            file.write_text(f"Bye {self.value()}\n", "utf-8")

    def change_defaults(self) -> None:
        folder = self.chance.choice(["", "sub/"])
        file = self.repo.root / FOLDER / f"{folder}_defaults.yaml"
        file.write_text(f"voicemailMessage: {self.value()}\n", "utf-8")

    def move(self) -> None:
        name = self.chance.choice(self.files()).name
        for top in (FOLDER, "one", "two"):
            outer, inner = self.repo.root / top / name, self.repo.root / top / "sub" / name
            outer.rename(inner) if outer.exists() else inner.rename(outer)

    def write_settings(self) -> None:
        text = SETTINGS.format(overlay=self.overlay, ignore=self.ignore, url=self.repo.url)
        write_settings(self.repo, text)

    def switch_overlay(self) -> None:
        self.overlay = "two" if self.overlay == "one" else "one"
        self.write_settings()

    def switch_ignore(self) -> None:
        self.ignore = "" if self.ignore else "{path: firstMessage, reason: Edited}"
        self.write_settings()

    def fail(self) -> None:
        self.repo.sandbox.rehearse(f"every PATCH /assistants/asst_{self.chance.choice('abcd')}: 400")

    def recover(self) -> None:
        self.repo.sandbox.rehearse()

    def edit_live(self) -> None:
        self.repo.sandbox.edit(f"asst_{self.chance.choice('abcd')}", firstMessage=self.value())

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
    with story(tmp_path / "repository", dict.fromkeys("abcd", OLD)) as repo:
        for name in "abcd":
            repo.write(name, f"# {name}\nid: asst_{name}\nfirstMessage: old\n")
            for overlay in ("one", "two"):
                (repo.root / overlay / "sub").mkdir(parents=True, exist_ok=True)
                text = f"id: asst_{name}\nname: In {overlay}\n"
                (repo.root / overlay / f"{name}.yaml").write_text(text, "utf-8")
        for folder in ("", "sub/"):
            (repo.root / FOLDER / folder).mkdir(exist_ok=True)
            (repo.root / FOLDER / folder / "bye.txt").write_text("Bye\n", "utf-8")
        editor = Editor(repo, chance)
        editor.write_settings()
        chosen = ["--environment", environment] if environment is not None else []
        repo.commit()
        repo.apply(*chosen, "--record", "--base", "none")
        check_record(repo, environment)
        for _ in range(6):
            for _ in range(chance.randint(1, 2)):
                editor.act()
            if chance.random() < 0.8:
                repo.commit(allow_empty=True)
            which = [[], ["--changed"], [str(chance.choice(editor.files()))]]
            repo.run("apply", "--yes", *chosen, "--record", *chance.choice(which), "--retries", "0")
            check_record(repo, environment)
