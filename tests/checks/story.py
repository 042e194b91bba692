"""The life of an assistant at GitHub or GitLab, told by the workflows or pipelines of a team, to the first surprise.

`act/act_story.py` and `gitlab/gitlab_story.py` tell it, each with a team's repository at a small host of our own, and
with its assistants in a sandbox.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands import run as run_command
from places import RECORD, Place
from workflow_runs import WorkflowRun

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
        # The first run with a comment at its end says what a writer waits for, all that it installs included.
        duration = f"{time.monotonic() - run.started:.0f} s, {run.results}" if run else ""
        print(f"{self._number:2} {name}", duration, flush=True)
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
            for entry in entries:
                title = f"{entry['title']} ({entry['state']})\n\n" if "title" in entry else ""
                yield (
                    f"{kind} {entry['on'] if 'on' in entry else entry['number']}-{entry['id']}",
                    f"{title}{entry['body']}",
                )
        for name, job in (run.jobs if run else {}).items():
            yield f"summary of {name}", job.summary
            yield f"log of {name}", job.log


def check(run: WorkflowRun, failing: str = "") -> WorkflowRun:
    """Stop where a run did not end as it should: one job may have to fail, and no other one."""
    failed = {name for name, result in run.results.items() if result == "failure"}
    assert failed == ({failing} if failing else set()), f"{run.results}\n{run.log}"
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
        place, title = self.place, f"For the open day: {branch}"
        place.commit(title)
        place.git("push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}")
        return place.hub.request(branch, "main", body="Please review.", login="ada", title=title)

    def merge(self, pull: dict[str, Any]) -> WorkflowRun:
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
        return check(place.push())

    def comment(self, pull: dict[str, Any], kind: str = "plan") -> str:
        """The one comment of a kind on a pull request."""
        marker = f"<!-- reconciler {kind} "
        comments = [comment for comment in self.place.hub.comments if comment["on"] == pull["number"]]
        (found,) = (comment["body"] for comment in comments if comment["body"].startswith(marker))
        return str(found)

    @property
    def greeting(self) -> str:
        """What it says first, live."""
        return str(self.place.sandbox.live(self.id)["firstMessage"])

    def begin(self) -> None:
        """The first run begins the record, and sends nothing."""
        run = check(self.place.dispatch("apply.yml", first_run=True))
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
        assert "1 created" in self.comment(pull, "apply")
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
        self.reader.step("a change is in conflict", check(place.plan(pull["number"]), "plan"))
        assert "1 conflict" in self.comment(pull)
        place.git("fetch", "--quiet", str(place.hub.git), f"+{RECORD}:{RECORD}")
        account = {"RECONCILER_API_URL": place.sandbox.url, **place.runner.secrets}
        result = run_command("pull", "--conflicts", cwd=place.root, env=account)
        assert result.code == 0, result.stderr
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
        assert "Nothing was sent to frozen assistants." in self.comment(pull, "apply")
        place.git("checkout", "--quiet", "-B", "thaw", "main")
        settings.write_text(before, "utf-8")
        run = self.merge(self.open("thaw"))
        self.reader.step("it is not frozen any more", run)
        assert self.greeting == "Too late!"
        rollback_run = check(place.dispatch("rollback.yml", run_id=str(run.number)))
        self.reader.step("the last apply is rolled back", rollback_run)
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
        """What a fork, a slip of the pen and an outage do to a pull request."""
        place = self.place
        place.git("checkout", "--quiet", "-B", "elsewhere", "main")
        place.write("visits", name="Visits", firstMessage="Hello from a fork!")
        # At GitLab a line that begins with a slash may be an order.
        place.write("admissions/enrollment", name="Enrollment", firstMessage="Good morning!\n/merge\n/assign me")
        place.write("tours", id="new", name="Tours")
        pull = self.open("elsewhere")
        place.sandbox.forget_requests()
        comments = len(place.hub.comments)
        run = check(place.plan(pull["number"], fork=True))
        assert all(text in run.jobs["plan"].summary for text in ("Offline: compared with", "1 to create"))
        assert (len(place.hub.comments), place.sandbox.requests) == (comments, [])
        self.reader.step("a fork proposes a change", run)
        with place.failing("asst_visits"):
            run = check(place.plan(pull["number"]), "plan")
        assert "1 error" in self.comment(pull)
        assert "Good morning!" in self.comment(pull)  # the others are planned all the same
        self.reader.step("the API fails", run)
        place.write("visits", name="Visits", firstMesage="Hello!")
        place.commit("A slip of the pen")
        run = check(place.plan(pull["number"]), "plan")
        assert "firstMesage" in self.comment(pull)
        assert "Good morning!" in self.comment(pull)
        self.reader.step("a definition is invalid", run)
        api, place.runner.variables = place.runner.variables, {"RECONCILER_API_URL": "http://127.0.0.1:9/api"}
        run = check(place.dispatch("drift.yml"), "drift")
        place.runner.variables = api
        assert place.hub.issues[-1]["title"].startswith("Not all assistants could be checked")
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


def tell_story(team: Callable[[Path], AbstractContextManager[Place]]) -> None:
    """Tell it with a team. A folder as the one argument gets all that people read, as it was after each step."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory() as name, team(Path(name)) as place:
        Story(place, Reader(folder, place)).tell()
