"""Prompts of every shape, imported, edited in the dashboard and pulled: always in sync, always blocks, small diffs."""

import difflib
import os
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import yaml
from desks import check_success, commit_settings
from servers import running_sandbox
from stories import Story

# More by hand: PROMPTS=800 .venv/bin/pytest tests/field_reports/test_prompts.py
PROMPTS = int(os.environ.get("PROMPTS", "40"))
PARTS = [
    "# Rules for {{name}}",
    "Be kind.  ",  # Markdown's hard break
    "Be short.\\",
    "- one: two # three",
    "  - nested: 'quoted' \"twice\"",
    "\t- a tab before",
    "a tab\tinside, and one behind\t",
    "| day | open |\n|---|:-:|\n| Mo | 9 to 5 |",
    "```yaml\nid: x\n  key: |\n    deep\n```",
    "    indented code",
    "مرحبًا بكم في مكتب القبول، كيف أساعدك؟",
    "שלום וברוכים הבאים 123",
    "ようこそ 😀 👩‍👩‍👧 🇩🇪",
    "---",
    "...",
    "%TAG !",
    "> quoted",
    "key: value",
    "*emphasis* & **strong** ![img](x)",
    "a very long line " * 12,
    "1800",
    "yes",
    "",
    "",
    "   ",
    "\t",
]


def prompt(random: Random) -> str:
    """A prompt of several lines, with blanks and blank lines wherever they may stand."""
    lines = "\n".join(random.choice(PARTS) for _ in range(random.randrange(2, 14)))
    text = random.choice(["", "", "", "\n", "  ", "\t", "\n\n  ", " \n"]) + lines + f"\nRule: {random.random()}"
    return text + random.choice(["", "\n", "\n", "\n\n", "\n   ", " \n", "\nlast \t"])


def edit_line(random: Random, text: str) -> str:
    """A prompt with one of its lines written anew."""
    lines = text.split("\n")
    at = random.choice([index for index, line in enumerate(lines) if line.strip()])
    lines[at] = random.choice([lines[at] + " More.", lines[at].rstrip() + "  ", "Wholly new: #1", "\t" + lines[at]])
    return "\n".join(lines)


def list_texts(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """Every text of a file, as it is written there."""
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.MappingNode):
        for _, value in node.value:
            yield from list_texts(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from list_texts(item)


def has_only_blocks(file: Path) -> bool:
    root = yaml.compose(file.read_text("utf-8"), yaml.CSafeLoader)
    assert root is not None
    return all(node.style == "|" for node in list_texts(root) if "\n" in node.value)


def build_live(text: str, name: str) -> dict[str, Any]:
    messages = [{"role": "system", "content": text}, {"role": "assistant", "content": "Hi\nthere"}]
    return {"name": name, "firstMessage": text, "model": {"provider": "openai", "model": "x", "messages": messages}}


def test_prompts_are_blocks_and_one_edited_line_is_at_most_three(tmp_path: Path) -> None:
    random = Random(12)
    prompts = {f"asst_{number}": prompt(random) for number in range(PROMPTS)}
    seed = {name: build_live(text, name) for name, text in prompts.items()}
    with running_sandbox(seed, listing=True) as sandbox:
        repo = Story(tmp_path / "work", sandbox)
        commit_settings(repo, extra_fields=["/model/messages"])
        check_success(repo.run("import", "--all"))
        repo.commit("Import")
        check_success(repo.run("plan", "--detailed-exitcode", "--base", "none"))
        files = {name: repo.root / "assistants" / f"{name.replace('_', '-')}.yaml" for name in prompts}
        before = {name: file.read_text("utf-8") for name, file in files.items()}
        assert [name for name, file in files.items() if not has_only_blocks(file)] == []
        for name, text in prompts.items():
            model = {**seed[name]["model"], "messages": build_live(edit_line(random, text), name)["model"]["messages"]}
            sandbox.edit(name, model=model)
        check_success(repo.run("pull"))
        assert [name for name, file in files.items() if not has_only_blocks(file)] == []
        for name, file in files.items():
            changes = [
                line
                for line in difflib.ndiff(before[name].split("\n"), file.read_text("utf-8").split("\n"))
                if line[0] in "+-"
            ]
            assert len(changes) <= 6, "".join(changes)  # three lines, each as it was and as it is
        check_success(repo.run("plan", "--detailed-exitcode", "--base", "none"))
