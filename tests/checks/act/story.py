"""Tells the life of an assistant with the workflows, run by act, and stops at the first surprise.

    python tests/checks/act/story.py [FOLDER]

A team's repository at a small GitHub of our own, its assistants in a sandbox, packages from the package index. With
FOLDER, every comment, issue, pull request and summary is written there, for people to read.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), *(str(HERE.parents[1] / name) for name in ("workflows", "support"))]

from act_runner import COMMIT, OURS, ActRunner  # noqa: E402 - found by the line above
from commands import run as run_command  # noqa: E402
from places import RECORD, Place, place_at  # noqa: E402
from workflow_runs import WorkflowRun  # noqa: E402


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


def comment_on(place: Place, number: int) -> str:
    """The one comment that the plan keeps on a pull request."""
    (found,) = (one for one in place.hub.comments if one["on"] == number and "reconciler plan" in one["body"])
    text: str = found["body"]
    return text


def greeting(place: Place) -> str:
    """What Visits says first, live."""
    text: str = place.sandbox.live("asst_visits")["firstMessage"]
    return text


def propose(place: Place, branch: str, greets: str) -> None:
    """Begin a branch on which Visits greets otherwise."""
    place.git("checkout", "--quiet", "-B", branch, "main")
    place.write("visits", name="Visits", firstMessage=greets)
    place.commit(f"Greet otherwise ({branch})")


def merge(place: Place, branch: str, **wanted: str) -> WorkflowRun:
    """Merge a branch into the default branch and push that, which applies it."""
    place.git("checkout", "--quiet", "main")
    place.git("merge", "--quiet", "--no-ff", "-m", f"Merge {branch}", branch)
    return check(place.push(), **wanted)


def begin(place: Place, reader: Reader) -> None:
    """The first run begins the record, and sends nothing."""
    run = check(place.dispatch("apply.yml", first_run=True))
    assert place.sandbox.patches == []
    assert place.at_hub(RECORD)
    reader.step("the first run", run)


def change(place: Place, reader: Reader) -> None:
    """A change is proposed, merged, and live."""
    propose(place, "greeting", "Hi!\nHow can I help?\nI know our campus.")
    run = check(place.plan(7))
    assert "Welcome!" in comment_on(place, 7)
    reader.step("a change is proposed", run)
    run = merge(place, "greeting")
    assert (
        greeting(place)
        == place.definition("visits", RECORD)["firstMessage"]
        == "Hi!\nHow can I help?\nI know our campus."
    )
    reader.step("it is merged", run)


def accept(place: Place, reader: Reader) -> None:
    """An edit in the dashboard becomes an issue and a pull request; merging that settles both, and sends nothing."""
    edited = "Hi there!\nHow can I help?\nI know our campus."
    place.sandbox.edit("asst_visits", firstMessage=edited)
    reader.step("it is edited live", check(place.dispatch("drift.yml")))
    (issue,), (pull,) = place.hub.issues, place.hub.pulls
    assert "{+ there+}" in issue["body"]
    assert pull["state"] == "open"
    assert place.definition("visits", f"refs/heads/{pull['head']['ref']}")["firstMessage"] == edited
    sent = place.sandbox.patches
    place.git("branch", "--force", "accepted", "FETCH_HEAD")
    run = merge(place, "accepted")
    assert place.sandbox.patches == sent
    reader.step("the edit is accepted", run)
    reader.step("nothing differs any more", check(place.dispatch("drift.yml")))
    assert (issue["state"], pull["state"]) == ("closed", "closed")


def settle_conflict(place: Place, reader: Reader) -> None:
    """Git and the dashboard change one text; it is red, until the pull request holds both edits."""
    place.sandbox.edit("asst_visits", firstMessage="Hi there!\nHow can I help?\nI know the whole campus.")
    propose(place, "friendlier", "Welcome!\nHow can I help?\nI know our campus.")
    run = check(place.plan(8), plan="failure", comment="success")
    assert run.jobs["plan"].failed == "Stop at conflicts"
    assert "conflict" in comment_on(place, 8)
    reader.step("a change is in conflict", run)
    place.git("fetch", "--quiet", str(place.hub.git), f"+{RECORD}:{RECORD}")
    account = {"RECONCILER_API_URL": place.sandbox.url, **place.runner.secrets}
    done = run_command("pull", "--conflicts", cwd=place.root, env=account)
    assert done.code == 0, done.stderr
    place.commit("Take both edits")
    reader.step("it holds both edits", check(place.plan(8)))
    run = merge(place, "friendlier")
    assert greeting(place) == "Welcome!\nHow can I help?\nI know the whole campus."
    reader.step("both edits are merged", run)


def freeze(place: Place, reader: Reader) -> None:
    """Nothing is sent to a frozen assistant; the change goes when the freeze ends."""
    settings = place.root / "reconciler.yaml"
    before, before_it = settings.read_text("utf-8"), greeting(place)
    propose(place, "late", "Too late!")
    settings.write_text(f"{before}frozen:\n  - {{assistants: [visits], reason: enrolment week}}\n", "utf-8")
    place.commit("Freeze it for the enrolment week")
    run = check(place.plan(9))
    assert "enrolment week" in comment_on(place, 9)
    reader.step("it is frozen", run)
    run = merge(place, "late")
    assert greeting(place) == before_it
    reader.step("nothing is sent", run)
    settings.write_text(before, "utf-8")
    place.commit("The enrolment week is over")
    run = check(place.push())
    assert greeting(place) == "Too late!"
    reader.step("it is not frozen any more", run)
    undone = place.dispatch("rollback.yml", run_id=str(run.number))
    check(undone)
    assert greeting(place) == before_it
    reader.step("the last apply is rolled back", undone)


def refuse(place: Place, reader: Reader) -> None:
    """What GitHub's rules, a slip of the pen and an outage do to a pull request."""
    propose(place, "elsewhere", "Hello from a fork!")
    place.sandbox.forget_requests()
    comments = len(place.hub.comments)
    run = check(place.plan(10, fork=True), comment="skipped")
    assert "Made without the API" in run.jobs["plan"].summary
    assert (place.sandbox.requests, len(place.hub.comments)) == ([], comments)
    reader.step("a fork proposes a change", run)
    with place.failing("asst_visits"):
        run = check(place.plan(11), plan="failure", comment="success")
    assert "1 error" in comment_on(place, 11)
    reader.step("the API fails", run)
    place.write("visits", name="Visits", firstMesage="Hello!")
    place.commit("A slip of the pen")
    run = check(place.plan(11), plan="failure", comment="success")
    assert run.jobs["plan"].failed == "Validate all definitions"
    assert "firstMesage" in comment_on(place, 11)
    reader.step("a definition is invalid", run)
    api, place.runner.variables = place.runner.variables, {"RECONCILER_API_URL": "http://127.0.0.1:9/api"}
    run = check(place.dispatch("drift.yml"), drift="failure", issue="success", accept="skipped")
    assert place.hub.issues[-1]["title"].startswith("Not all assistants could be looked at")
    place.runner.variables = api
    reader.step("nobody answers at night", run)


CHAPTERS = (begin, change, accept, settle_conflict, freeze, refuse)


def main() -> None:
    """Tell the story."""
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory() as name, team(Path(name)) as place:
        reader = Reader(given, place)
        for chapter in CHAPTERS:
            chapter(place, reader)


if __name__ == "__main__":
    main()
