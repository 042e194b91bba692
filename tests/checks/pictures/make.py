"""Makes the pictures of the documentation, `docs/pictures/`, from a real run: a week of a university's assistants.

Set CHROMIUM where the browser is not `/usr/bin/chromium`, and PAGES to a folder that keeps the two pages that are
pictured, to look at them in other sizes and colours. It needs no network.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from markdown_it import MarkdownIt
from stories import InstalledStory, Story, story

HERE = Path(__file__).parent
PICTURES = HERE.parents[2] / "docs" / "pictures"
SUBJECTS = ["Biology", "Chemistry", "Dance", "Economics", "French", "Geology", "History", "Italian", "Law", "Music"]
OFFICES = ["Advising", "Admissions", "Housing", "Library", "Parking", "Tutoring"]
LARGEST = 150_000  # bytes; a README should open at once

PROMPT = """You are the enrollment assistant of Northfield University.
Answer questions about applying, deadlines and documents.
Never promise admission, and never guess a deadline.
Ask one question at a time.
If you do not know, offer to connect the caller to a person.
Stay friendly."""


def name_assistant(key: str) -> str:
    """Return the name of the assistant of an office and a subject: `advising/law` is Law Advising."""
    return " ".join(reversed(key.split("/"))).title()


def greet(name: str) -> str:
    """Return how an assistant greets."""
    return f"Hello, this is {name}. How can I help?"


def make_live(name: str, **fields: object) -> dict[str, object]:
    """Return one assistant as it is live when the week begins."""
    return {
        "name": name,
        "firstMessage": greet(name),
        "endCallMessage": "Thank you for calling Northfield. Goodbye!",
        "model": {"provider": "openai", "model": "gpt-4o", "temperature": 0.7},
        "voice": {"provider": "openai", "voiceId": "alloy"},
        **fields,
    }


def live_a_week(week: Story, keys: dict[str, str]) -> None:
    """Import, apply, and let git and the dashboard go their ways."""
    (week.root / "reconciler.yaml").write_text("record: true\nextra_fields: [model.messages]\n", "utf-8")
    (week.root / "assistants/_defaults.yaml").write_text("voice:\n  provider: openai\n  voiceId: alloy\n", "utf-8")
    for identifier, key in keys.items():
        text = f"id: asst_{identifier}\nfirstMessage: {greet(name_assistant(key))}\n"
        week.write(key, text + "endCallMessage: Thank you for calling Northfield. Goodbye!\n")
    prompt = "".join(f"        {line}\n" for line in PROMPT.splitlines())
    asked = f"model:\n  temperature: 0.7\n  messages:\n    - role: system\n      content: |-\n{prompt}"
    enrollment = week.write("enrollment", f"id: asst_enrollment\n{asked}")
    visits = week.write("campus-visits", "id: asst_visits\nfirstMessage: Welcome to Northfield! Shall I book a tour?\n")
    week.commit("The assistants as they are live")
    week.run("apply", "--yes", "--base", "none")

    # In git: a prompt, one voice for all, a greeting, and texts that are valid and hardly meant.
    enrollment.write_text(
        enrollment.read_text("utf-8")
        .replace("Ask one question at a time.", "Ask one short question at a time, and wait for the answer.")
        .replace("Stay friendly.", "Stay calm and friendly.")
        .replace("0.7", "0.4"),
        "utf-8",
    )
    defaults = week.root / "assistants/_defaults.yaml"
    defaults.write_text(defaults.read_text("utf-8").replace("alloy", "verse"), "utf-8")
    visits.write_text(visits.read_text("utf-8").replace("Shall I book a tour?", "May I book a tour for you?"), "utf-8")
    for key in list(keys.values())[:9]:
        file = week.root / f"assistants/{key}.yaml"
        file.write_text(file.read_text("utf-8").replace(". Goodbye!", ". **Goodbye!**"), "utf-8")
    week.commit("Calmer answers, one voice for all")

    # In the dashboard: two edits, one of a field that git has changed, too, and one assistant is deleted.
    first, second, gone = list(keys)[20:23]
    week.sandbox.edit(f"asst_{first}", firstMessage="Hello! The office is closed today. Please call again on Monday.")
    week.sandbox.edit(f"asst_{second}", endCallMessage="Thank you, and enjoy the open day!")
    week.sandbox.edit("asst_visits", firstMessage="Welcome to Northfield! The open day is full.")
    with week.sandbox.client() as client:
        client.delete(f"/assistants/asst_{gone}").raise_for_status()


def picture(browser: str, page: Path, picture: Path, width: int, height: int) -> None:
    """Take a picture of a page's beginning."""
    with tempfile.TemporaryDirectory() as profile:
        quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"]
        size = [f"--window-size={width},{height}", f"--user-data-dir={profile}", f"--screenshot={picture}"]
        subprocess.run([browser, "--headless", *quiet, *size, page.as_uri()], check=True, capture_output=True)
    if picture.stat().st_size > LARGEST:
        sys.exit(f"{picture} has more than {LARGEST} bytes")
    print(f"{picture.relative_to(PICTURES.parents[1])}: {picture.stat().st_size:,} bytes")


def main(folder: Path, browser: str) -> None:
    """Make the pages in a folder, and the pictures of them."""
    names = {f"{a}-{b}".lower(): f"{a.lower()}/{b.lower()}" for a in OFFICES for b in SUBJECTS}
    live = {identifier: make_live(name_assistant(key)) for identifier, key in names.items()}
    model = {"provider": "openai", "model": "gpt-4o", "temperature": 0.7}
    prompted = {**model, "messages": [{"role": "system", "content": PROMPT}]}
    live["enrollment"] = make_live("Enrollment", model=prompted)
    live["visits"] = make_live("Campus Visits", firstMessage="Welcome to Northfield! Shall I book a tour?")
    with tempfile.TemporaryDirectory() as place, story(Path(place) / "northfield", live, kind=InstalledStory) as week:
        live_a_week(week, names)
        reports = [word for suffix in ("md", "html", "json") for word in ("--report", folder / f"plan.{suffix}")]
        week.run("plan", *reports)
    comment = MarkdownIt("gfm-like", {"linkify": False, "html": True}).render((folder / "plan.md").read_text("utf-8"))
    # One section is open, as after a click, so that the picture shows what is in it.
    comment = re.sub(r"<details>(\s*<summary><b>Enrollment)", r"<details open>\1", comment)
    style = (HERE / "comment.css").read_text("utf-8")
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Comment</title><style>{style}</style>"
        f'<article><header><b>northfield-pipeline</b> commented</header><div class="text">{comment}</div></article>'
    )
    (folder / "comment.html").write_text(page, "utf-8")
    PICTURES.mkdir(exist_ok=True)
    picture(browser, folder / "comment.html", PICTURES / "comment.png", 900, 1130)
    picture(browser, folder / "plan.html", PICTURES / "report.png", 1100, 760)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        pages = Path(os.environ.get("PAGES", temporary)).resolve()
        pages.mkdir(parents=True, exist_ok=True)
        main(pages, os.environ.get("CHROMIUM", "/usr/bin/chromium"))
