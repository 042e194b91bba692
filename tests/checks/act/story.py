"""Tells the life of an assistant with the workflows, run by act, and stops at the first surprise.

    python tests/checks/act/story.py [FOLDER]

A team's repository at a small GitHub of our own, its assistants in a sandbox, packages from the package index. With
FOLDER, every comment, issue, pull request and summary is written there, for people to read.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), *(str(HERE.parents[1] / name) for name in ("workflows", "support"))]

from act_runner import COMMIT, OURS, ActRunner  # noqa: E402 - found by the line above
from commands import run as run_command  # noqa: E402
from hub import REPOSITORY  # noqa: E402
from places import RECORD, Place, place_at  # noqa: E402
from workflow_runs import WorkflowRun  # noqa: E402

NEW = {
    "id": "new",
    "name": "Open day",
    "firstMessage": "Hello!\nHow can I help?\nI know our campus.",
    "model": {"provider": "openai", "model": "gpt-4o"},
    "voice": {"provider": "openai", "voiceId": "alloy"},
}
FILE = "assistants/open-day.yaml"


class Reader:
    """Writes what people get to see into a folder, as it was after each step; without a folder it only names steps."""

    def __init__(self, folder: Path | None, place: Place) -> None:
        self._folder, self._place = folder, place
        self._seen: dict[str, str] = {}
        self._number = 0

    def step(self, name: str, run: WorkflowRun | None = None) -> None:
        """A step is over."""
        self._number += 1
        print(f"{self._number:2} {name}", run.results if run else "", flush=True)
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        for what, text in self._texts(run):
            if self._seen.get(what) != text:
                (self._folder / f"{self._number:02} {name}, {what}.md").write_text(text, "utf-8")
                self._seen[what] = text

    def _texts(self, run: WorkflowRun | None) -> Iterator[tuple[str, str]]:
        hub = self._place.hub
        for kind, entries in (("comment", hub.comments), ("issue", hub.issues), ("pull request", hub.pulls)):
            for one in entries:
                title = f"{one['title']} ({one['state']})\n\n" if "title" in one else ""
                yield f"{kind} {one['on'] if 'on' in one else one['number']}-{one['id']}", f"{title}{one['body']}"
        for name, job in (run.jobs if run else {}).items():
            yield f"summary of {name}", job.summary
            yield f"log of {name}", job.log


@contextmanager
def team(folder: Path) -> Iterator[Place]:
    """A team's repository as `reconciler init` leaves it, with two assistants that are live and in git."""
    with place_at(folder) as place:
        runner = place.runner
        place.runner = ActRunner(
            runner.hub, folder / "act", runner.variables, runner.secrets, runner.protected, runner.machine
        )
        done = run_command("init", "--ci", "github", "--from", f"{OURS}@{COMMIT}", cwd=place.root)
        assert done.code == 0, done.stderr
        place.commit("Set up reconciler")
        place.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
        yield place


def check(run: WorkflowRun, **wanted: str) -> WorkflowRun:
    """Stop where a run did not end as it should: a job that is not named must not have failed."""
    for name in run.results.keys() | wanted.keys():
        result = run.results[name]
        assert wanted.get(name, result) == result, f"{run.results}\n{run.log}"
        assert result != "failure" or name in wanted, f"{run.results}\n{run.log}"
    return run


@dataclass
class Story:
    """What happens to the assistant for the open day, chapter by chapter."""

    place: Place
    reader: Reader
    id: str = ""

    def propose(self, branch: str, **fields: Any) -> dict[str, Any]:
        """Open a pull request that makes the definition say so."""
        self.place.git("checkout", "--quiet", "-B", branch, "main")
        self.place.write("open-day", **{**NEW, "id": self.id or "new", **fields})
        return self.open(branch)

    def open(self, branch: str) -> dict[str, Any]:
        """Open a pull request with what is in the working tree."""
        place, repo = self.place, {"repo": {"full_name": REPOSITORY}}
        commit = place.commit(f"For the open day: {branch}")
        place.git("push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}")
        pull = place.hub.new("Please review.", login="ada", title=f"For the open day: {branch}", merged_at=None)
        pull |= {"head": {"ref": branch, "sha": commit, **repo}, "base": {"ref": "main", **repo}}
        place.hub.pulls.append(pull)
        return pull

    def merge(self, pull: dict[str, Any], **wanted: str) -> WorkflowRun:
        """Merge a pull request, which applies the default branch; its branch goes."""
        place, branch = self.place, f"refs/heads/{pull['head']['ref']}"
        place.git("checkout", "--quiet", "main")
        place.git("fetch", "--quiet", str(place.hub.git), branch)
        theirs = place.git("rev-parse", "FETCH_HEAD")
        place.git("merge", "--quiet", "--no-ff", "-m", f"Merge pull request #{pull['number']}", theirs)
        place.git("push", "--quiet", str(place.hub.git), f":{branch}")
        pull |= {
            "state": "closed",
            "merged_at": "2026-11-28T04:17:00Z",
            "commits": [theirs, place.git("rev-parse", "HEAD")],
        }
        return check(place.push(), **wanted)

    def comment(self, pull: dict[str, Any], kind: str = "plan") -> str:
        """The one comment of a kind on a pull request."""
        marker = f"<!-- reconciler {kind} "
        there = [one for one in self.place.hub.comments if one["on"] == pull["number"]]
        (found,) = (one["body"] for one in there if one["body"].startswith(marker))
        return str(found)

    @property
    def greeting(self) -> str:
        """What it says first, live."""
        return str(self.place.sandbox.live(self.id)["firstMessage"])

    def begin(self) -> None:
        """The first run begins the record, and sends nothing."""
        run = check(self.place.dispatch("apply.yml", first_run=True), apply="success", record="success")
        assert self.place.sandbox.patches == []
        assert self.place.at_hub(RECORD)
        self.reader.step("the first run", run)

    def create(self) -> None:
        """A pull request brings a new assistant; its id comes back by another one."""
        place, pull = self.place, self.propose("begin")
        self.reader.step("a new assistant is proposed", check(place.plan(pull["number"])))
        assert "to create" in self.comment(pull)
        self.reader.step("it is merged and created", self.merge(pull))
        self.id = place.definition("open-day", RECORD)["id"]
        assert place.sandbox.live(self.id)["name"] == "Open day"
        assert "is live" in self.comment(pull, "apply")
        ids = place.hub.pulls[-1]
        assert ids["title"].startswith("Ids of new assistants")
        self.reader.step("its id is in git", self.merge(ids))
        assert place.definition("open-day", "refs/heads/main")["id"] == self.id
        assert [path for method, path, _ in place.sandbox.requests if method == "POST"].count("/assistants") == 1

    def change(self) -> None:
        """A change is proposed, merged, and live."""
        greeting = "Hi!\nHow can I help?\nI know our campus."
        pull = self.propose("greeting", firstMessage=greeting)
        self.reader.step("a change is proposed", check(self.place.plan(pull["number"])))
        assert "Hello!" in self.comment(pull)
        self.reader.step("it is merged", self.merge(pull))
        assert self.greeting == self.place.definition("open-day", RECORD)["firstMessage"] == greeting

    def accept(self) -> None:
        """An edit in the dashboard becomes an issue and a pull request; to merge that settles both."""
        place, edited = self.place, "Hi there!\nHow can I help?\nI know our campus."
        place.sandbox.edit(self.id, firstMessage=edited)
        self.reader.step("it is edited live", check(place.dispatch("drift.yml")))
        issue, pull = place.hub.issues[-1], place.hub.pulls[-1]
        assert "{+ there+}" in issue["body"]
        assert pull["title"].startswith("Accept live edits")
        sent = place.sandbox.patches
        self.reader.step("the edit is accepted", self.merge(pull))
        assert place.definition("open-day", "refs/heads/main")["firstMessage"] == edited
        self.reader.step("nothing differs any more", check(place.dispatch("drift.yml")))
        assert (issue["state"], place.sandbox.patches) == ("closed", sent)

    def settle_conflict(self) -> None:
        """Git and the dashboard change one text; it is red, until the pull request holds both edits."""
        place = self.place
        place.sandbox.edit(self.id, firstMessage="Hi there!\nHow can I help?\nI know the whole campus.")
        pull = self.propose("friendlier", firstMessage="Welcome!\nHow can I help?\nI know our campus.")
        run = check(place.plan(pull["number"]), plan="failure", comment="success")
        assert run.jobs["plan"].failed == "Stop at conflicts"
        self.reader.step("a change is in conflict", run)
        assert "1 conflict" in self.comment(pull)
        place.git("fetch", "--quiet", str(place.hub.git), f"+{RECORD}:{RECORD}")
        account = {"RECONCILER_API_URL": place.sandbox.url, **place.runner.secrets}
        done = run_command("pull", "--conflicts", cwd=place.root, env=account)
        assert done.code == 0, done.stderr
        place.commit("Take both edits")
        place.git("push", "--quiet", "origin", "HEAD:refs/heads/friendlier")
        self.reader.step("it holds both edits", check(place.plan(pull["number"])))
        self.reader.step("both edits are merged", self.merge(pull))
        assert self.greeting == "Welcome!\nHow can I help?\nI know the whole campus."

    def freeze(self) -> None:
        """Nothing is sent to a frozen assistant; the change goes when the freeze ends, and a rollback takes it back."""
        place, settings, greeting = self.place, self.place.root / "reconciler.yaml", self.greeting
        before = settings.read_text("utf-8")
        place.git("checkout", "--quiet", "-B", "late", "main")
        place.write("open-day", **{**NEW, "id": self.id, "firstMessage": "Too late!"})
        settings.write_text(f"{before}frozen:\n  - {{assistants: [open-day], reason: enrolment week}}\n", "utf-8")
        pull = self.open("late")
        self.reader.step("it is frozen", check(place.plan(pull["number"])))
        assert "enrolment week" in self.comment(pull)
        self.reader.step("nothing is sent", self.merge(pull))
        assert self.greeting == greeting
        place.git("checkout", "--quiet", "-B", "thaw", "main")
        settings.write_text(before, "utf-8")
        run = self.merge(self.open("thaw"))
        self.reader.step("it is not frozen any more", run)
        assert self.greeting == "Too late!"
        undone = check(place.dispatch("rollback.yml", run_id=str(run.number)))
        self.reader.step("the last apply is rolled back", undone)
        assert self.greeting == greeting
        self.reader.step("git agrees", self.merge(self.propose("undo", firstMessage=greeting)))

    def retire(self) -> None:
        """It is deleted by its name, and a pull request removes its file."""
        place = self.place
        self.reader.step("it is retired", check(place.dispatch("retire.yml", assistants=FILE, name="Open day")))
        assert [path for method, path, _ in place.sandbox.requests if method == "DELETE"] == [f"/assistants/{self.id}"]
        pull = place.hub.pulls[-1]
        assert pull["title"].startswith("Remove the files")
        self.reader.step("its file is gone", self.merge(pull))
        assert not (place.root / FILE).exists()
        self.reader.step("nothing is left", check(place.dispatch("drift.yml")))

    def refuse(self) -> None:
        """What GitHub's rules, a slip of the pen and an outage do to a pull request."""
        place = self.place
        place.git("checkout", "--quiet", "-B", "elsewhere", "main")
        place.write("visits", name="Visits", firstMessage="Hello from a fork!")
        place.write("admissions/enrollment", name="Enrollment", firstMessage="Good morning!")
        pull = self.open("elsewhere")
        place.sandbox.forget_requests()
        run = check(place.plan(pull["number"], fork=True), plan="success", comment="skipped")
        assert "Made without the API" in run.jobs["plan"].summary
        assert place.sandbox.requests == []
        self.reader.step("a fork proposes a change", run)
        with place.failing("asst_visits"):
            run = check(place.plan(pull["number"]), plan="failure", comment="success")
        assert "1 error" in self.comment(pull)
        assert "Good morning!" in self.comment(pull)  # the others are planned all the same
        self.reader.step("the API fails", run)
        place.write("visits", name="Visits", firstMesage="Hello!")
        place.commit("A slip of the pen")
        run = check(place.plan(pull["number"]), plan="failure", comment="success")
        assert run.jobs["plan"].failed == "Validate all definitions"
        assert "firstMesage" in self.comment(pull)
        assert "Good morning!" in self.comment(pull)
        self.reader.step("a definition is invalid", run)
        api, place.runner.variables = place.runner.variables, {"RECONCILER_API_URL": "http://127.0.0.1:9/api"}
        run = check(place.dispatch("drift.yml"), drift="failure", issue="success", accept="skipped")
        place.runner.variables = api
        assert place.hub.issues[-1]["title"].startswith("Not all assistants could be looked at")
        self.reader.step("nobody answers at night", run)

    def tell(self) -> None:
        """Tell it all."""
        self.begin()
        self.create()
        self.change()
        self.accept()
        self.settle_conflict()
        self.freeze()
        self.retire()
        self.refuse()


def main() -> None:
    """Tell the story."""
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory() as name, team(Path(name)) as place:
        Story(place, Reader(given, place)).tell()


if __name__ == "__main__":
    main()
