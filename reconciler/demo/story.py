"""The story, as data: scene after scene, from a first check to an edit outside git and what becomes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.demo.actions import Action, Command, EditFile, EditLive, Fields, NewFile, StartSandbox
from reconciler.demo.stage import FOLDER, open_stage
from reconciler.demo.teller import Teller


@dataclass(frozen=True)
class Scene:
    """A heading, what is about to happen, and what happens."""

    title: str
    text: str
    actions: tuple[Action, ...]


INTRODUCTION = """
    A university keeps its voice and chat assistants as YAML files in git: four files in the folder assistants/.
    What follows are the real commands. They talk to a sandbox on this machine, and work in a temporary folder
    that is removed at the end.
"""

# What the dashboard still holds: a number, a long text, and a field that nobody had set.
EARLIER: Mapping[str, Fields] = {
    "asst_enrollment": {"model": {"temperature": 0.7}},
    "asst_financial_aid": {
        "voicemailMessage": (
            "Hello, this is the financial aid office of Northfield University. For your privacy we leave no details "
            "in a message. Please call us back at 555-0104, Monday to Friday from 10 to 4."
        )
    },
    "asst_after_hours": {"maxDurationSeconds": None},
}

STORY = (
    Scene(
        "Are the definitions right?",
        "This needs no network and no password. Pull requests run it first.",
        (Command("reconciler validate"),),
    ),
    Scene(
        "An API to talk to",
        """
        The sandbox stands in for the real API. It holds the four assistants as they were some weeks ago, before the
        definitions were edited.
        """,
        (StartSandbox(EARLIER),),
    ),
    Scene(
        "What would change?",
        "A plan reads every assistant and compares it with its definition. It never writes.",
        (
            Command(
                "reconciler plan --detailed-exitcode",
                exit_code=2,
                remark="Exit code 2: there are differences. (Without --detailed-exitcode: 0.)",
            ),
        ),
    ),
    Scene(
        "Apply it",
        """
        Each assistant that differs gets one PATCH with what differs, and is read again to see that it worked.
        Without --yes you are asked first. One line of settings makes every apply record in git what it applied; --base
        none says that this is the first time.
        """,
        (
            NewFile(Path("reconciler.yaml"), "record: true"),
            Command("git add reconciler.yaml"),
            Command('git commit --quiet --message "Record what is applied"'),
            Command("reconciler apply --yes --base none"),
        ),
    ),
    Scene(
        "And now?",
        "A second plan must find nothing to do.",
        (Command("reconciler plan --detailed-exitcode", remark="Exit code 0: no differences."),),
    ),
    Scene(
        "Somebody edits an assistant in the dashboard",
        "This is what the dashboard sends when somebody presses Save there. Git does not know about it.",
        (EditLive("asst_enrollment", {"firstMessage": "Hi, this is Enrollment. How can I help you today?"}),),
    ),
    Scene(
        "Was anything edited outside git?",
        """
        Run this every night, and no edit stays unseen. It never writes. The record says that git has not moved here,
        so it was somebody in the dashboard.
        """,
        (
            Command(
                "reconciler drift --detailed-exitcode",
                exit_code=2,
                remark=(
                    "Exit code 2: there is drift. An apply leaves it as it is; "
                    "apply --on-drift revert puts git's value back."
                ),
            ),
        ),
    ),
    Scene(
        "Keep the edit: pull it into git",
        "The new greeting is better. A pull writes it into the file, and no other line changes; comments stay.",
        (
            Command("reconciler pull"),
            Command("git diff"),
            Command('git commit --quiet --all --message "Keep the shorter greeting"'),
            Command("reconciler plan --detailed-exitcode", remark="Exit code 0: what is live is in git now."),
        ),
    ),
    Scene(
        "An edit conflicts with a change in git",
        """
        Somebody edits another assistant in the dashboard. A colleague does not know of it, and commits a change of the
        same field.
        """,
        (
            EditLive("asst_campus_visits", {"endCallMessage": "See you on campus! Wear comfortable shoes."}),
            EditFile(
                Path(FOLDER, "admissions", "campus-visits.yaml"),
                before="endCallMessage: See you on campus!",
                after="endCallMessage: See you at the open day!",
            ),
            Command('git commit --quiet --all --message "Invite to the open day"'),
            Command("reconciler plan"),
            Command(
                "reconciler apply --yes",
                exit_code=1,
                remark="Exit code 1: nothing was sent, and no edit was overwritten. The message says what to do.",
            ),
        ),
    ),
    Scene(
        "Somebody decides",
        "They have agreed on git's version. What an apply may overwrite is always stated on the command line.",
        (
            Command("reconciler apply --yes --force-conflicts"),
            Command("reconciler plan --detailed-exitcode", remark="Exit code 0: git and live agree again."),
        ),
    ),
    Scene(
        "A new assistant",
        """
        A definition that says `id: new` is of an assistant that does not exist yet. An apply with --create makes it,
        once. Its id goes into the record, so no later apply makes another.
        """,
        (
            NewFile(
                Path(FOLDER, "admissions", "open-day.yaml"),
                """
                id: new
                name: Open Day
                firstMessage: Hi! What would you like to know about the open day?
                """,
            ),
            Command(f"git add {FOLDER}"),
            Command('git commit --quiet --message "An assistant for the open day"'),
            Command("reconciler apply --yes --create"),
            Command("reconciler history", remark="Newest first: what was applied, when, and from which commit."),
        ),
    ),
    Scene(
        "What a mistake looks like",
        "Somebody adds a definition in a hurry.",
        (
            NewFile(
                Path(FOLDER, "admissions", "transfer.yaml"),
                """
                id: asst_transfer
                name: Transfer Students
                firstMesage: Hi! Ready to transfer?
                metadata:
                  recordCalls: yes
                """,
            ),
            Command(
                "reconciler validate",
                exit_code=1,
                remark="Exit code 1. Until this is corrected, apply sends nothing at all.",
            ),
        ),
    ),
)

WHAT_NEXT = """
    Three environment variables point the same commands at a real API:

      export RECONCILER_API_URL=https://agents.example.edu/api
      export RECONCILER_EMAIL=you@example.edu
      export RECONCILER_PASSWORD=...

    Then, in a folder of your own:

      reconciler whoami             do the URL and the credentials work?
      reconciler import asst_123    write the definition of a live assistant
      reconciler plan               see what an apply would do

    docs/quickstart.md in the project's repository goes through all of it by hand, docs/adopt.md through a first
    day with sixty live assistants. Nothing of this demo is left running.
"""


def tell_story(teller: Teller, story: Sequence[Scene] = STORY) -> None:
    """Tell the story. Raises DemoError where a step does not end as it should, and Interrupted at a signal.

    Whatever happens, nothing is left: no process, no file.
    """
    teller.say(INTRODUCTION)
    with open_stage(teller) as stage:
        for number, scene in enumerate(story, start=1):
            with stage.waiting():
                teller.pause()
            teller.heading(f"{number}. {scene.title}")
            teller.say(scene.text)
            for action in scene.actions:
                action.play(stage)
    teller.heading("With your own assistants")
    teller.say(WHAT_NEXT)
