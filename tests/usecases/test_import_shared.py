"""Import where files of defaults say something already, and with long texts in files of their own."""

from pathlib import Path

from projects import MODEL
from stories import story
from two_environments import two_environments

LIVE = {
    "name": "Desk",
    "firstMessage": "Hello",
    "voice": {"provider": "azure", "voiceId": "own"},
    "endCallPhrases": ["b", "a"],
    "model": MODEL,
}
DEFAULTS = """\
voice: {provider: azure, voiceId: x}
endCallPhrases: [a, b]
model: {provider: openai, model: gpt-4o}
voicemailMessage: Away
transcriber: {provider: deepgram}
"""
PROMPT = "# Who you are\n\n- Be kind. \n- Be short.\n"


def test_what_the_defaults_say_is_left_out_and_what_live_lacks_is_null_or_named(tmp_path: Path) -> None:
    with story(tmp_path / "work", {"a": LIVE}) as repo:
        (repo.root / "assistants" / "_defaults.yaml").write_text(DEFAULTS, "utf-8")
        result = repo.run("import", "asst_a")
        text = (repo.root / "assistants" / "desk.yaml").read_text("utf-8")
        (change,) = repo.plan("--base", "none")["assistants"][0]["changes"]
    assert result.code == 0, result.stderr
    assert text == (
        "id: asst_a\nname: Desk\nfirstMessage: Hello\nmodel:\n  temperature: 0.7\nvoice:\n  voiceId: own\n"
        "voicemailMessage: null\n"
    )
    assert (
        "assistants/desk.yaml: differs from the defaults, but was not written: transcriber.provider; live has no "
        "value, and a definition cannot express that: assistants/_defaults.yaml gives it one; to release it, move "
        "it from there into the definitions that need it"
    ) in result.stderr
    assert change["path"] == "/transcriber/provider"


def test_defaults_with_a_mistake_stop_an_import(tmp_path: Path) -> None:
    with story(tmp_path / "work", {"a": LIVE}) as repo:
        (repo.root / "assistants" / "_defaults.yaml").write_text("maxDurationSeconds: long\n", "utf-8")
        result = repo.run("import", "asst_a")
        files = sorted(file.name for file in (repo.root / "assistants").iterdir())
    assert (result.code, files) == (1, ["_defaults.yaml"])
    assert "assistants/_defaults.yaml:1:21: maxDurationSeconds must be a whole number" in result.stderr


def test_in_an_environment_the_shared_definition_leans_on_no_defaults_of_the_environment(tmp_path: Path) -> None:
    with two_environments(tmp_path / "work", {"a": LIVE}) as environments:
        (environments.root / "assistants" / "_defaults.yaml").write_text("voice: {provider: azure}\n", "utf-8")
        overlays = environments.root / "environments" / "staging"
        (overlays / "_defaults.yaml").write_text("firstMessage: Hello\nendCallMessage: Bye\n", "utf-8")
        result = environments.run("staging", "import", "asst_a")
        shared = (environments.root / "assistants" / "desk.yaml").read_text("utf-8")
        overlay = (overlays / "desk.yaml").read_text("utf-8")
        environments.repo.commit()
        planned = environments.report("staging", "plan", "--base", "none")["summary"]
    assert result.code == 0, result.stderr
    assert "firstMessage: Hello\n" in shared
    assert "provider: azure" not in shared
    assert overlay == "id: asst_a\nendCallMessage: null\n"
    assert planned["in_sync"] == 1


def test_long_texts_get_files_of_their_own_that_give_them_back(tmp_path: Path) -> None:
    messages = [{"role": "system", "content": PROMPT}, {"role": "user", "content": "Hi\nthere"}]
    live = {
        **LIVE,
        "model": {**MODEL, "messages": messages},
        "metadata": {"a/b": "x" * 201, "A:B": "y" * 201, "c": "1\r\n2\r\n3"},
    }
    with story(tmp_path / "work", {"a": live}) as repo:
        repo.project.configure(extra_fields=["/model/messages"])
        result = repo.run("import", "asst_a", "--text-files")
        folder = repo.root / "assistants" / "desk"
        texts = {file.name: file.read_text("utf-8") for file in folder.iterdir()}
        text = (repo.root / "assistants" / "desk.yaml").read_text("utf-8")
        planned = repo.plan("--base", "none")["summary"]
        repo.sandbox.edit("asst_a", metadata={"a/b": "z" * 201})
        again = repo.run("import", "asst_a", "--text-files", "--force")
        renewed = (folder / "metadata.a-b.md").read_text("utf-8")
    assert result.code == 0, result.stderr
    assert texts == {
        "model.messages.0.content.md": f"{PROMPT}\n",
        "metadata.A-B.md": "y" * 201 + "\n",
        "metadata.a-b-2.md": "x" * 201 + "\n",
    }
    assert "$file: desk/model.messages.0.content.md\n" in text
    assert planned["in_sync"] == 1
    assert "assistants/desk/metadata.a-b-2.md: a text file of asst_a\n" in result.stdout
    assert (again.code, renewed) == (0, "z" * 201 + "\n"), again.stderr
