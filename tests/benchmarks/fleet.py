"""A fleet of assistants made up for measuring: the YAML files, and what the API says of the same assistants.

Every definition declares every field, in about 1.4 KB, the way people write them: block texts, comments, lists.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FOLDER = "assistants"
LIVE = "live.jsonl"
GREETING = (
    "Hello, and thank you for calling the admissions office of campus {n}.",
    "I can help you with your application, with deadlines and with the papers we still need.",
    "",
    "What would you like to know today? You can also ask for somebody from our staff.",
)
# What a fleet may share, as it stands in each definition.
_SHARED = (
    "transcriber:\n  provider: deepgram\n  model: nova-2\n",
    "endCallPhrases:\n  - goodbye\n  - that is all, thank you\n  - have a nice day\n",
    "maxDurationSeconds: 1800\n",
)
_RULES = """\
rules:
  - {id: goodbye, assistants: [those], path: /endCallMessage, required: true, reason: callers must hear that it is over}
  - {id: models, assistants: [those], path: /model/model, schema: {enum: [gpt-4o, gpt-4.1]}, reason: approved by IT}
  - {id: calm, assistants: [those], path: /model/temperature, schema: {maximum: 0.8}, reason: agreed with the dean}
  - {id: short, assistants: [those], path: /firstMessage, schema: {maxLength: 600}, reason: nobody listens for longer}
  - {id: owner, assistants: [those], path: /metadata/owner, required: true, schema: {pattern: "@"}, reason: who answers}
"""
_TEMPLATE = """\
# The line that answers for campus {n}.
id: asst_{n:06d}
name: Campus {n} admissions line

firstMessage: |-
{greeting}
firstMessageMode: assistant-speaks-first

model:
  provider: openai
  model: gpt-4o
  temperature: 0.6  # steady, since deadlines have to be right
  maxTokens: 1024
voice:
  provider: 11labs
  voiceId: voice-{n}
transcriber:
  provider: deepgram
  model: nova-2

voicemailMessage: >-
  You have reached the admissions office of campus {n}. Nobody can take your call at the moment.
  Please leave your name and your number after the tone, and we will call you back on the next working day.
endCallMessage: "Thank you for calling campus {n}. Goodbye!"
endCallPhrases:
  - goodbye
  - that is all, thank you
  - have a nice day

# For the people who run the line; the API stores it as it is.
metadata:
  team: admissions
  owner: campus-{n}@university.example
  crm:
    queue: queue-{n}
    priority: 3
    languages: [en, es, zh]
  reviewed: true
  notes: Asked for by the dean in the autumn. The greeting was read and approved by the legal office, who want
    to see it again before each application season.

maxDurationSeconds: 1800
"""


def write_fleet(folder: Path, size: int, *, differing: Sequence[int] = ()) -> None:
    """Write `size` definitions below `folder` and, in a file of JSON lines, the assistants as the API has them.

    The assistants whose number is in `differing` have another temperature live; all others are in sync.
    """
    for first in range(0, size, 100):
        (folder / FOLDER / f"group-{first // 100:03d}").mkdir(parents=True)
    with (folder / LIVE).open("w", encoding="utf-8") as live:
        for number in range(size):
            path = folder / FOLDER / f"group-{number // 100:03d}" / f"campus-{number}.yaml"
            path.write_text(definition(number), encoding="utf-8")
            live.write(json.dumps(assistant(number, temperature=0.7 if number in differing else 0.6)) + "\n")


def share_values(folder: Path) -> None:
    """Rewrite a fleet's definitions so that they share three values, and have a text in a file of its own each."""
    (folder / FOLDER / "_defaults.yaml").write_text("".join(_SHARED), encoding="utf-8")
    for path in sorted((folder / FOLDER).rglob("campus-*.yaml")):
        number = int(path.stem.partition("-")[2])
        text = definition(number)
        for shared in _SHARED:
            text = text.replace(shared, "")
        block = text[text.index("firstMessage:") : text.index("firstMessageMode:")]
        path.write_text(text.replace(block, f"firstMessage:\n  $file: {path.stem}.md\n"), encoding="utf-8")
        path.with_suffix(".md").write_text("\n".join([*GREETING, ""]).format(n=number), encoding="utf-8")


def write_rules(folder: Path, those: str = "*") -> None:
    """Give a fleet five rules of a team, for the assistants whose key matches a glob."""
    text = _RULES.replace("[those]", f'["{those}"]')
    (folder / "reconciler.yaml").write_text(text, encoding="utf-8")


def definition(number: int) -> str:
    """Return the YAML of one definition."""
    greeting = "\n".join("  " + line if line else "" for line in GREETING)
    return _TEMPLATE.replace("{greeting}", greeting).format(n=number)


def assistant(number: int, *, temperature: float) -> dict[str, Any]:
    """Return the live assistant of that definition, with the fields that only the API sets, and one nobody knows."""
    return {
        "id": f"asst_{number:06d}",
        "orgId": "org_benchmark",
        "createdAt": "2026-01-02T12:00:00.000Z",
        "updatedAt": "2026-01-02T12:00:00.000Z",
        "name": f"Campus {number} admissions line",
        "firstMessage": "\n".join(GREETING).format(n=number),
        "firstMessageMode": "assistant-speaks-first",
        "model": {"provider": "openai", "model": "gpt-4o", "temperature": temperature, "maxTokens": 1024, "tools": []},
        "voice": {"provider": "11labs", "voiceId": f"voice-{number}"},
        "transcriber": {"provider": "deepgram", "model": "nova-2"},
        "voicemailMessage": f"You have reached the admissions office of campus {number}. Nobody can take your call at "
        "the moment. Please leave your name and your number after the tone, and we will call you back on the next "
        "working day.",
        "endCallMessage": f"Thank you for calling campus {number}. Goodbye!",
        "endCallPhrases": ["goodbye", "that is all, thank you", "have a nice day"],
        "metadata": {
            "team": "admissions",
            "owner": f"campus-{number}@university.example",
            "crm": {"queue": f"queue-{number}", "priority": 3, "languages": ["en", "es", "zh"]},
            "reviewed": True,
            "notes": "Asked for by the dean in the autumn. The greeting was read and approved by the legal office, who "
            "want to see it again before each application season.",
        },
        "maxDurationSeconds": 1800,
    }
