"""Live edits of lists: only what was edited changes in the files, and a text file stays with its element."""

from pathlib import Path
from typing import Any

from projects import MODEL
from stories import story

MESSAGES = """\
id: asst_KEY
model:
  messages:
    - role: system # who they are
      content: {$file: KEY.md}
    - {role: user, content: Hi} # first
"""
SYSTEM = {"role": "system", "content": "Be kind.\nBe short.", "createdBy": "Ada"}
USER = {"role": "user", "content": "Hi"}
FIRST = {"role": "user", "content": "Hello"}
NEW = "    - role: user\n      content: Hello\n"
PHRASES = "id: asst_KEY\nendCallPhrases:\n  - bye # one\n  - {$file: KEY.md}\n  - ciao # three\n"
SLOTS = "id: asst_KEY\nmetadata:\n  slots:\n    - {room: A, count: 1}\n    - {room: B, count: 2}\n"
# By assistant: the definition, what live holds after the edits, and what becomes of definition and text.
EDITS: dict[str, tuple[str, dict[str, Any], tuple[str, str], str]] = {
    "inserted": (
        MESSAGES,
        {"model": {**MODEL, "messages": [FIRST, SYSTEM, USER]}},
        ("    - role: system", NEW + "    - role: system"),
        "Be kind.\nBe short.\n",
    ),
    "moved": (
        MESSAGES.replace(" # who they are", ""),
        {"model": {**MODEL, "messages": [USER, SYSTEM]}},
        (
            "    - role: system\n      content: {$file: moved.md}\n    - {role: user, content: Hi} # first\n",
            "    - {role: user, content: Hi} # first\n    - role: system\n      content: {$file: moved.md}\n",
        ),
        "Be kind.\nBe short.\n",
    ),
    "edited": (
        MESSAGES,
        {"model": {**MODEL, "messages": [SYSTEM, FIRST]}},
        ("content: Hi}", "content: Hello}"),
        "Be kind.\nBe short.\n",
    ),
    "grown": (
        MESSAGES,
        {"model": {**MODEL, "messages": [{**SYSTEM, "content": "Be quick."}, USER, FIRST]}},
        (
            "grown.md}\n    - {role: user, content: Hi} # first\n",
            ("grown.md}\n      createdBy: Ada\n    - {role: user, content: Hi} # first\n" + NEW),
        ),
        "Be quick.\n",
    ),
    "phrase": (PHRASES, {"endCallPhrases": ["ciao", "See you.", "bye"]}, ("", ""), "See you.\n"),
    "phrases": (PHRASES, {"endCallPhrases": ["Be kind.\nBe short.", "ciao"]}, ("  - bye # one\n", ""), ""),
    "removed": (
        "id: asst_KEY\nmetadata:\n  rooms:\n    - {at: 1}\n    - {at: 2}\n    - {at: 2, name: B}\n",
        {"metadata": {"rooms": [{"at": 2}, {"at": 2, "name": "B"}]}},
        ("    - {at: 1}\n", ""),
        "",
    ),
    "ignored": (
        SLOTS,
        {"metadata": {"slots": [{"room": "A", "count": 7}, {"room": "B", "count": 8}, {"room": "C", "count": 9}]}},
        ("count: 2}\n", "count: 2}\n    - room: C\n      count: 9\n"),
        "",
    ),
    "lacking": (
        SLOTS,
        {"metadata": {"slots": [{"room": "A", "count": 7}, {"count": 8}, {"room": "C", "count": 9}]}},
        ("{room: B, count: 2}\n", "{count: 2}\n    - room: C\n      count: 9\n"),
        "",
    ),
}


def test_only_the_elements_that_were_edited_change_and_a_text_file_stays_with_its_element(tmp_path: Path) -> None:
    live: dict[str, dict[str, Any]] = {
        "inserted": {"model": {**MODEL, "messages": [SYSTEM, USER]}},
        "moved": {"model": {**MODEL, "messages": [SYSTEM, USER]}},
        "edited": {"model": {**MODEL, "messages": [SYSTEM, USER]}},
        "grown": {"model": {**MODEL, "messages": [SYSTEM, USER]}},
        "phrase": {"endCallPhrases": ["bye", "Be kind.\nBe short.", "ciao"]},
        "phrases": {"endCallPhrases": ["bye", "Be kind.\nBe short.", "ciao"]},
        "removed": {"metadata": {"rooms": [{"at": 1}, {"at": 2}, {"at": 2, "name": "B"}]}},
        "ignored": {"metadata": {"slots": [{"room": "A", "count": 1}, {"room": "B", "count": 2}]}},
        "lacking": {"metadata": {"slots": [{"room": "A", "count": 1}, {"room": "B", "count": 2}]}},
    }
    with story(tmp_path / "work", live) as repo:
        repo.project.configure(
            extra_fields=["/model/messages"],
            ignore=[{"path": "metadata.slots.*.count", "reason": "counted by the CRM"}],
        )
        folder = repo.root / "assistants"
        for key, (text, *_) in EDITS.items():
            repo.write(key, text.replace("KEY", key))
            (folder / f"{key}.md").write_text("Be kind.\nBe short.\n", "utf-8")
        repo.commit()
        repo.apply_and_record()
        for key, (_, edit, *_) in EDITS.items():
            repo.sandbox.edit(f"asst_{key}", **edit)
        result = repo.run("pull")
        statuses = repo.plan()["summary"]
    assert (result.code, result.stderr) == (0, "")
    for key, (text, _, (old, new), content) in EDITS.items():
        assert (folder / f"{key}.yaml").read_text("utf-8") == text.replace("KEY", key).replace(old, new, 1), key
        assert (folder / f"{key}.md").read_text("utf-8") == (content or "Be kind.\nBe short.\n"), key
    assert statuses["in_sync"] == len(EDITS)
