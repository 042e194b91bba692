"""Definitions for live assistants: in sync at once, safe names, and nothing that exists is lost."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from depth import examples
from hypothesis import HealthCheck, given, settings, strategies as st
from projects import MODEL, Project, open_api, statuses
from saving import save_while_written
from servers import Sandbox, running_sandbox

from reconciler.core.importing import NewDefinition
from reconciler.usecases.import_ import Import, Importer


def import_ids(project: Project, sandbox: Sandbox, *ids: str, force: bool = False) -> list[Import]:
    with open_api(sandbox.url) as api:
        importer = Importer(api, project.folder, project.settings, force)
        return [importer.import_one(assistant_id) for assistant_id in ids]


def file_of(result: Import) -> Path:
    """The file that has the id now."""
    assert result.files, result.error
    return result.files[-1]


def read_declared(result: Import) -> NewDefinition:
    assert result.files
    return result.declared


def read_written_file(result: Import) -> str:
    assert result.error is None, result.error
    return file_of(result).read_text("utf-8")


def test_a_definition_is_readable_and_in_the_api_s_order(project: Project) -> None:
    live = {
        "maxDurationSeconds": 1800,
        "metadata": {"team": "admissions", "code": "012", "yes": "no", "n": None, "empty": {}},
        "voice": {"voiceId": "alloy", "provider": "openai"},
        "name": "Enrollment: Assistant #1",
        "firstMessage": "Hi.\n\nI'm your assistant.\nBye",
        "voicemailMessage": "We are closed today, and open again tomorrow morning; please call us then, or write.",
        "endCallMessage": None,
        "endCallPhrases": ["bye", "yes", "12:30"],
        "model": {**MODEL, "maxTokens": 250},
    }
    with running_sandbox({"asst_1": live}) as sandbox:
        (result,) = import_ids(project, sandbox, "asst_1")
        assert file_of(result) == project.folder / "enrollment-assistant-1.yaml"
        assert read_written_file(result) == (
            "id: asst_1\n"
            'name: "Enrollment: Assistant #1"\n'
            "firstMessage: |-\n"
            "  Hi.\n"
            "\n"
            "  I'm your assistant.\n"
            "  Bye\n"
            "model:\n"
            "  provider: openai\n"
            "  model: gpt-4o\n"
            "  temperature: 0.7\n"
            "  maxTokens: 250\n"
            "voice:\n"
            "  provider: openai\n"
            "  voiceId: alloy\n"
            "voicemailMessage: >-\n"
            "  We are closed today, and open again tomorrow morning; please call us then, or write.\n"
            "endCallPhrases:\n"
            "  - bye\n"
            '  - "yes"\n'
            '  - "12:30"\n'
            "metadata:\n"
            '  code: "012"\n'
            "  team: admissions\n"
            '  "yes": "no"\n'
            "maxDurationSeconds: 1800\n"
        )
        assert statuses(project.plan(sandbox.url)) == {"enrollment-assistant-1": "in_sync"}


odd = st.text(
    st.sampled_from(" \t\n:#-'\"\\{}[]&*!|>%@`,?=~\x00\x1b\x7f\x85\xa0\u2028\u2029\ufeff\u200b\U0001f600éx1")
) | (
    st.sampled_from(
        [
            "yes",
            "No",
            "on",
            "null",
            "~",
            "012",
            "0o14",
            "1_000",
            "1e3",
            "12:30:45",
            "2024-01-01",
            "1.",
            ".5",
            "+1",
            "0x1F",
            "<<",
            "=",
            "- a",
            "a: b",
            " lead",
            "trail ",
            "a #b",
            "#",
            "---",
            "...",
            "{{x}}",
            "%TAG",
            "\ufeff",
            "\n",
            "\r\n",
            *[
                "word " * 40,
                "\n".join(["a line that ends in a space ", "  one that is indented", "", "last"]),
                "x" * 300,
            ],
            "true",
            "False",
            ".inf",
            ".nan",
            "__private",
            "a/b~c",
            "\U0010ffff",
            "a\r\nb",
            "tab\there",
            "?",
            ": ",
            "|",
            ">",
        ]
    )
)
numbers = st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | odd,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd, inner, max_size=3),
    max_leaves=6,
)
live_assistants = st.fixed_dictionaries(
    {},
    optional={
        "name": odd,
        "firstMessage": odd,
        "endCallPhrases": st.lists(odd, max_size=3),
        "metadata": st.dictionaries(odd, values, max_size=4),
        "model": st.fixed_dictionaries(
            {"provider": st.sampled_from(["openai", "groq", 7]), "model": odd},
            optional={
                "temperature": st.floats(-1, 3),
                "messages": values,
                "maxTokens": st.integers() | st.floats(0, 9),
            },
        ),
        "transcriber": st.none() | st.dictionaries(st.sampled_from(["provider", "model", "x"]), values, max_size=3),
        "maxDurationSeconds": st.integers(0, 9999) | st.text(max_size=2),
        "tools": values,
    },
)


@pytest.fixture(scope="module")
def shared() -> Any:
    with running_sandbox() as sandbox:
        yield sandbox


@given(live=live_assistants)
@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow])
def test_any_assistant_is_in_sync_at_once(shared: Sandbox, tmp_path_factory: pytest.TempPathFactory, live: Any) -> None:
    project = Project(tmp_path_factory.mktemp("import") / "repository")
    shared.put({"id": "asst_1", **live})
    (result,) = import_ids(project, shared, "asst_1")
    text = read_written_file(result)
    assert file_of(result).parent == project.folder
    assert project.load_definitions().problems == () or all(
        problem.severity == "warning" for problem in project.load_definitions().problems
    )
    assert list(statuses(project.plan(shared.url)).values()) == ["in_sync"]
    read = yaml.safe_load(text)
    assert read["id"] == "asst_1"
    assert read == {key: value for key, value in read.items() if key == "id" or key in live}
    assert None not in read.values()


def test_what_definitions_cannot_declare_is_listed(project: Project) -> None:
    project.configure(extra_fields=["/model/seed"], sensitive=["/metadata/crm/*/key"])
    live = {
        "name": "A",
        "model": {"provider": "groq", "model": "llama", "messages": [1], "seed": 7},
        "metadata": {"crm": {"a": {"key": "hush", "n": 1}, "b": "hush"}},
        "tools": ["x"],
        "voice": {"provider": "azure", "voiceId": 5},
        "empty": None,
        "maxDurationSeconds": 1.5,
    }
    with running_sandbox({"asst_1": live}) as sandbox:
        (result,) = import_ids(project, sandbox, "asst_1")
        text = read_written_file(result)
        assert statuses(project.plan(sandbox.url)) == {"a": "in_sync"}
    assert read_declared(result).undocumented == (("model", "messages"), ("tools",))
    assert read_declared(result).rejected == (("maxDurationSeconds",), ("model", "provider"), ("voice", "voiceId"))
    assert read_declared(result).hidden == (("metadata", "crm", "a", "key"), ("metadata", "crm", "b"))
    assert "hush" not in text
    assert yaml.safe_load(text) == {
        "id": "asst_1",
        "name": "A",
        "model": {"model": "llama", "seed": 7},
        "voice": {"provider": "azure"},
        "metadata": {"crm": {"a": {"n": 1}}},
    }


def test_a_whole_object_that_is_sensitive_is_left_out(project: Project) -> None:
    project.configure(sensitive=["/metadata"])
    with running_sandbox({"asst_1": {"name": "A", "metadata": {"a": "hush"}}}) as sandbox:
        (result,) = import_ids(project, sandbox, "asst_1")
        assert read_written_file(result) == "id: asst_1\nname: A\n"
    assert read_declared(result).hidden == (("metadata",),)


def test_numbers_that_no_yaml_keeps_are_left_out(project: Project) -> None:
    live = {"name": "A", "metadata": {"big": 10**30, "list": [1, {"x": -(2**63) - 1}], "fits": 2**63 - 1, "f": 1e300}}
    with running_sandbox({"asst_1": live}) as sandbox:
        (result,) = import_ids(project, sandbox, "asst_1")
        assert yaml.safe_load(read_written_file(result))["metadata"] == {"fits": 2**63 - 1, "f": 1e300}
        assert statuses(project.plan(sandbox.url)) == {"a": "in_sync"}
    assert read_declared(result).rejected == (("metadata", "big"), ("metadata", "list"))


def test_what_is_nested_too_deeply_for_a_definition_is_told_and_not_written(project: Project) -> None:
    deep: Any = 1
    for _ in range(62):
        deep = {"x": deep}
    seed: dict[str, Any] = {"asst_1": {"name": "A", "metadata": {"x": deep}}, "asst_2": {"name": "B"}}
    with running_sandbox(seed) as sandbox:
        bad, good = import_ids(project, sandbox, "asst_1", "asst_2")
    assert bad.error
    assert "asst_1 cannot be written as a definition" in str(bad.error)
    assert good.error is None
    assert [file.name for file in project.folder.iterdir()] == ["b.yaml"]


HOSTILE = [
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    ".hidden",
    "a\x00b",
    "CON",
    "con.txt",
    "C:\\x\\y",
    "x" * 500,
    "日本語",
    "",
    "   ",
    "Größe & Maße",
    "aux",
    "-rf",
    "~root",
    "a/b/c",
    "\n",
]


def test_hostile_and_equal_names_give_safe_and_distinct_files(project: Project) -> None:
    names: list[Any] = [*HOSTILE, "Same", "same", "SAME!", "Same 2", None]
    seed: dict[str, Any] = {f"asst_{number}": {"name": name} for number, name in enumerate(names)}
    with running_sandbox(seed) as sandbox:
        result = import_ids(project, sandbox, *seed)
        files = [file_of(one) for one in result]
        assert None not in files
        assert len({str(file).lower() for file in files}) == len(names)
        for file in files:
            assert file
            assert file.parent == project.folder
            assert not file.name.startswith((".", "-"))
            assert len(file.name) <= 70
        by_name = dict(zip(names, [file.name if file else "" for file in files], strict=True))
        assert by_name["CON"] == "assistant-con.yaml"
        assert by_name["Größe & Maße"] == "grosse-masse.yaml"
        assert by_name["日本語"] == "日本語.yaml"
        assert [by_name[name] for name in ("Same", "same", "SAME!", "Same 2")] == [
            "same.yaml",
            "same-2.yaml",
            "same-3.yaml",
            "same-2-2.yaml",
        ]
        assert by_name[None] == f"asst-{len(names) - 1}.yaml"
        assert set(statuses(project.plan(sandbox.url)).values()) == {"in_sync"}


def test_an_id_that_a_definition_has_is_refused_whatever_the_file(project: Project) -> None:
    file = project.write("mine", id="asst_1", name="Mine")
    project.write("broken", "id: asst_2\nname: 7\n")
    with running_sandbox({"asst_1": {"name": "Mine"}, "asst_2": {"name": "B"}}) as sandbox:
        one, other, local = import_ids(project, sandbox, "asst_1", "asst_2", "local_asst_1")
        assert [entry[:2] for entry in sandbox.requests if entry[0] == "GET"] == [("GET", "/assistants/local_asst_1")]
    assert (one.existing, one.files) == ("assistants/mine.yaml", ())
    assert other.existing == "assistants/broken.yaml"
    assert local.existing == "assistants/mine.yaml"
    assert yaml.safe_load(file.read_text()) == {"id": "asst_1", "name": "Mine"}


def test_force_writes_the_own_file_anew_wherever_it_is(project: Project) -> None:
    mine = project.write("sub/mine", id="asst_1", name="Old")
    broken = project.write("broken", "id: asst_2\nname: 7\n")
    with running_sandbox({"asst_1": {"name": "Mine"}, "asst_2": {"name": "B"}}) as sandbox:
        result = import_ids(project, sandbox, "local_asst_1", "asst_1", "asst_2", force=True)
    assert [file_of(one) if one.files else None for one in result] == [mine, None, broken]
    assert result[1].existing == str(mine)
    assert mine.read_text() == "id: local_asst_1\nname: Mine\n"
    assert broken.read_text() == "id: asst_2\nname: B\n"


def test_two_files_of_one_id_are_not_replaced(project: Project) -> None:
    files = [project.write(name, id="asst_1", name="Old") for name in ("a", "b")]
    with running_sandbox({"asst_1": {"name": "New"}}) as sandbox:
        (result,) = import_ids(project, sandbox, "asst_1", force=True)
    assert result.existing
    assert {yaml.safe_load(file.read_text())["name"] for file in files} == {"Old"}


def test_both_ids_of_one_assistant_give_one_file(project: Project) -> None:
    with running_sandbox({"asst_1": {"name": "A"}}) as sandbox:
        first, second, third = import_ids(project, sandbox, "local_asst_1", "asst_1", "local_asst_1")
    assert file_of(first) == project.folder / "a.yaml"
    assert second.existing == third.existing == str(file_of(first))
    assert len(list(project.folder.iterdir())) == 1


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("name", ["a.yaml", "a.yml", "A.yaml"])
def test_a_file_of_another_assistant_is_never_replaced(project: Project, name: str, force: bool) -> None:
    file = project.folder / name
    file.write_text("id: asst_9\n")
    with running_sandbox({"asst_1": {"name": "A"}}) as sandbox:
        (result,) = import_ids(project, sandbox, "asst_1", force=force)
    assert file_of(result) == project.folder / "a-2.yaml"
    assert read_written_file(result) == "id: asst_1\nname: A\n"
    assert file.read_text() == "id: asst_9\n"


def test_names_near_the_longest_that_a_file_may_have(project: Project) -> None:
    longest = project.folder / f"{'x' * 250}.yaml"
    longest.write_text("id: asst_1\nname: Old\n")
    with running_sandbox({"asst_1": {"name": "New"}, "asst_2": {"name": "𠮷" * 300}}) as sandbox:
        result = import_ids(project, sandbox, "asst_1", "asst_2", force=True)
    assert [one.error for one in result] == [None, None]
    assert longest.read_text() == "id: asst_1\nname: New\n"


def test_the_folder_is_made(project: Project) -> None:
    project.folder.rmdir()
    folder = project.root / "deep" / "er"
    with running_sandbox({"asst_1": {"name": "A"}}) as sandbox, open_api(sandbox.url) as api:
        result = Importer(api, folder, project.settings).import_one("asst_1")
    assert file_of(result) == folder / "a.yaml"
    assert read_written_file(result)


def test_a_folder_that_cannot_be_made_is_told(project: Project) -> None:
    blocked = project.root / "file"
    blocked.write_text("")
    with running_sandbox({"asst_1": {"name": "A"}}) as sandbox, open_api(sandbox.url) as api:
        result = Importer(api, blocked / "x", project.settings).import_one("asst_1")
    assert "cannot be written: Not a directory" in str(result.error)


def test_a_file_that_appears_during_the_write_is_not_replaced(project: Project) -> None:
    live = {"name": "A", "metadata": {str(number): "Hello! " * 100 for number in range(200)}}
    with running_sandbox({"asst_1": live}) as sandbox, open_api(sandbox.url) as api:
        # Many files, which take a while.
        importer = Importer(api, project.folder, project.settings, text_files=True)
        with save_while_written(project.folder / "a.yaml", "another import's"):
            result = importer.import_one("asst_1")
    assert "was changed in the meantime" in str(result.error)
    assert (project.folder / "a.yaml").read_text("utf-8") == "another import's"


def test_an_id_that_nobody_knows_does_not_stop_the_others(project: Project) -> None:
    with running_sandbox({"asst_1": {"name": "A"}}) as sandbox:
        missing, good, odd_id = import_ids(project, sandbox, "asst_2", "asst_1", "..")
    assert "404" in str(missing.error)
    assert file_of(good) == project.folder / "a.yaml"
    assert 'the id cannot be "." or ".."' in str(odd_id.error)


def test_an_id_that_no_definition_may_have_is_told(project: Project) -> None:
    """Some server might take it; the file would be invalid."""
    with running_sandbox({"asst 1": {"name": "A"}}) as sandbox:
        (result,) = import_ids(project, sandbox, "asst 1")
    assert "the id " in str(result.error)
    assert list(project.folder.iterdir()) == []


@pytest.mark.parametrize("listing", [True, False])
def test_all_ids_where_the_api_lists_them(project: Project, listing: bool) -> None:
    with running_sandbox({"asst_1": {}, "asst_2": {}}, listing=listing) as sandbox, open_api(sandbox.url) as api:
        found = Importer(api, project.folder, project.settings).list_ids()
    assert found == (["asst_1", "asst_2"] if listing else None)


def test_the_file_is_utf_8_whatever_the_locale(project: Project, tmp_path: Path) -> None:
    with running_sandbox({"asst_1": {"name": "A", "firstMessage": "Grüße ☕"}}) as sandbox:
        (result,) = import_ids(project, sandbox, "asst_1")
    assert "Grüße ☕".encode() in file_of(result).read_bytes()
