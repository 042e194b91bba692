"""Reading `reconciler.yaml`."""

import datetime
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.assistant.problem import InvalidSettings
from reconciler.core.settings import EnforceRule, Freeze, IgnoreRule, MaxChanges, Settings
from reconciler.errors import SettingsError
from reconciler.files.settings import load_settings

WHOLE = """\
api_url: https://agents.goedmo.com/api
always_send: [model, voice]          # a comment
sensitive: [/metadata/crmKey, /metadata/*]
extra_fields: [/model/messages, /tools]
org_id: org_abc
max_changes: 25%
record: true
ignore:
  - {path: /metadata/lastCampaign, assistants: ["admissions/*"], reason: set by the CRM, expires: 2027-01-31}
  - path: /name
    reason: the sales team renames it
    expires: "2027-02-01"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assistants").mkdir()
    return tmp_path / "assistants"


def load_text(folder: Path, text: str | bytes) -> Settings:
    content = text.encode() if isinstance(text, str) else text
    (folder.parent / "reconciler.yaml").write_bytes(content)
    return load_settings(folder, root=folder.parent)


def list_messages(folder: Path, text: str | bytes) -> list[str]:
    with pytest.raises(InvalidSettings) as error_info:
        load_text(folder, text)
    assert isinstance(error_info.value, SettingsError)
    assert str(error_info.value) == "\n".join(str(problem) for problem in error_info.value.problems)
    return [str(problem).removeprefix("reconciler.yaml:") for problem in error_info.value.problems]


def test_every_setting(folder: Path) -> None:
    assert load_text(folder, WHOLE) == Settings(
        file="reconciler.yaml",
        api_url="https://agents.goedmo.com/api",
        always_send=("model", "voice"),
        sensitive=(("metadata", "crmKey"), ("metadata", "*")),
        extra_fields=(("model", "messages"), ("tools",)),
        org_id="org_abc",
        max_changes=MaxChanges(25_000_000, percent=True),
        record=True,
        ignore=(
            IgnoreRule(
                path=("metadata", "lastCampaign"),
                reason="set by the CRM",
                assistants=("admissions/*",),
                expires=datetime.date(2027, 1, 31),
                place=(9, 5),
            ),
            IgnoreRule(
                path=("name",), reason="the sales team renames it", expires=datetime.date(2027, 2, 1), place=(10, 5)
            ),
        ),
    )


def test_freezes_and_enforced_fields(folder: Path) -> None:
    text = """\
frozen:
  - {assistants: ["*"], reason: enrolment week, from: 2027-01-11, expires: 2027-01-15}
  - {reason: one day, from: "2027-01-11", expires: "2027-01-11"}
enforce:
  - {path: /endCallMessage, assistants: ["legal/*"], reason: the law}
environments: {a: {frozen: [{reason: more}], enforce: [{path: /name, reason: more}]}}
"""
    settings = load_text(folder, text)
    first, last = datetime.date(2027, 1, 11), datetime.date(2027, 1, 15)
    assert settings.frozen == (
        Freeze(reason="enrolment week", starts=first, expires=last, place=(2, 5)),
        Freeze(reason="one day", starts=first, expires=first, place=(3, 5)),
    )
    assert settings.enforce == (
        EnforceRule(path=("endCallMessage",), assistants=("legal/*",), reason="the law", place=(5, 5)),
    )
    assert settings.next_expiry == first
    chosen = settings.choose("a")
    assert [entry.reason for entry in chosen.frozen] == ["enrolment week", "one day", "more"]
    assert [entry.reason for entry in chosen.enforce] == ["the law", "more"]


def test_the_file_is_optional_and_may_be_empty(folder: Path) -> None:
    assert load_settings(folder, root=folder.parent) == Settings()
    assert load_text(folder, "# nothing yet\n") == Settings(file="reconciler.yaml")
    assert load_text(folder, "{}") == Settings(file="reconciler.yaml")


def test_the_file_is_named_from_the_root(tmp_path: Path) -> None:
    (tmp_path / "agents" / "assistants").mkdir(parents=True)
    (tmp_path / "agents" / "reconciler.yaml").write_text("org_id: org_1\n")

    assert load_settings(tmp_path / "agents" / "assistants", root=tmp_path).file == "agents/reconciler.yaml"


@pytest.mark.parametrize("name", ["reconciler.yml", "Reconciler.yaml", "reconciler.yaml.txt", "RECONCILER.YML"])
def test_another_name_is_an_error(folder: Path, name: str) -> None:
    (folder.parent / name).write_text("org_id: org_1\n")

    with pytest.raises(InvalidSettings, match=f"{re.escape(name)}:1:1: .* rename this file"):
        load_settings(folder, root=folder.parent)


@pytest.mark.parametrize("make", [lambda path: path.symlink_to("nowhere"), Path.mkdir, os.mkfifo])
def test_a_file_that_cannot_be_read(folder: Path, make: Callable[[Path], object]) -> None:
    """A pipe is not opened, since that would wait for its writer."""
    make(folder.parent / "reconciler.yaml")

    with pytest.raises(InvalidSettings, match="cannot be read"):
        load_settings(folder, root=folder.parent)


def test_a_path_below_an_extra_field_is_taken_as_it_is(folder: Path) -> None:
    settings = load_text(folder, "extra_fields: [/voices]\nsensitive: [/voices/key, /server/secret, /*/key]\n")
    assert settings.sensitive == (("voices", "key"), ("server", "secret"), ("*", "key"))


def test_a_number_of_changes(folder: Path) -> None:
    assert load_text(folder, "max_changes: 25\n").max_changes == MaxChanges(25, percent=False)


ENTRY = "ignore: [{path: /a, reason: b, %s}]\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"org_id: \xff\n", "1:9: this character is not saved as UTF-8"),
        ("- a\n", '1:1: the settings consist of lines like "api_url: https://...", not of a list'),
        ("org_id:\u00a0a\n", "1:1: there is a no-break space (U+00A0) here"),
        ("org_id:a\n", '1:1: the settings consist of lines like "api_url: https://..."; put a space after each colon'),
        ("org_id: a: b\n", "1:10: a text with"),
        ("org_id: a\n---\nrecord: true\n", "2:1: a file is one document, such as one assistant; remove this"),
        ("org_id: yes\n", "1:9: yes is read as true"),
        ("org_id: a\norg_id: b\n", "2:1: org_id appears twice"),
        ("api_ulr: x\n", "1:1: unknown setting api_ulr; did you mean api_url?"),
        ('"1": x\n', "1:1: unknown setting 1; allowed here: api_url, always_send"),
        ('environments: {"2": 1}\n', "1:21: 2 must be a group of keys and values"),
        ("directory: bots\n", "1:1: unknown setting directory; allowed here: api_url, always_send"),
        ("surroundings: {}\n", "1:1: unknown setting surroundings; allowed here: api_url, always_send"),
        ("environments: []\n", "1:15: environments must be a group of keys and values"),
        ("environments: {Staging: {}}\n", '1:16: Staging must be made of a-z, 0-9 and "-", and cannot be "applied"'),
        ("environments:\n  applied: {}\n", '2:3: applied must be made of a-z, 0-9 and "-", and cannot be "applied"'),
        ("environments: {a: 1}\n", "1:19: a must be a group of keys and values"),
        ("environments: {a: {api_ulr: x}}\n", "1:20: unknown setting api_ulr; did you mean api_url?"),
        ("environments: {a: {api_url: x}}\n", "1:29: api_url must begin with https://"),
        ("environments: {a: {overlay: ../b}}\n", "1:29: overlay must name a folder beside reconciler.yaml"),
        ("environments: {a: {overlay: /b}}\n", "1:29: overlay must name a folder beside reconciler.yaml"),
        (
            "environments: {a: {overlay: assistants}}\n",
            "1:29: overlay cannot be, contain or be inside the definitions'",
        ),
        (
            "environments: {a: {overlay: ./assistants/b}}\n",
            "1:29: overlay cannot be, contain or be inside the definitions'",
        ),
        (
            "environments:\n  a: {overlay: e}\n  b: {overlay: e/b}\n",
            "3:16: overlay cannot be, contain or be inside the overlay folder of a: use a separate folder",
        ),
        ("environments: {a: {on_drift: never}}\n", "1:30: on_drift must be one of keep, revert, fail"),
        ("environments: {a: {ignore: [{path: /name}]}}\n", '1:29: this entry has no "reason"; add it'),
        ("environments: {a: {ignore: [{path: /name, reason: x, raeson: y}]}}\n", "1:54: unknown setting raeson"),
        ("api_url: agents.goedmo.com\n", "1:10: api_url must begin with https://"),
        ("api_url: https://ada:secret@h/api\n", "1:10: api_url cannot be used. The API URL contains a user name or a"),
        (
            "environments: {a: {api_url: 'https://h/api?x'}}\n",
            "1:29: api_url cannot be used. The API URL contains a `?`",
        ),
        ("sensitive: [/metadata/crm*]\n", "1:13: sensitive, entry 1, cannot be used: a * stands for one whole key"),
        ('sensitive: [""]\n', "1:13: sensitive, entry 1, cannot be used: it is empty"),
        ("sensitive: [/metadata/]\n", "1:13: sensitive, entry 1, cannot be used: it ends in a slash"),
        ("sensitive: [/name, /metdata/key]\n", "1:20: unknown field metdata; did you mean metadata?"),
        ("ignore: [{path: /endCallPhrases/0, reason: b}]\n", "1:17: endCallPhrases has no order, so no element"),
        ("enforce: [{path: 'endCallPhrases.*', reason: b}]\n", "1:18: endCallPhrases has no order, so no"),
        ("environments: {a: {ignore: [{path: /Name, reason: b}]}}\n", "1:36: unknown field Name; did you mean name?"),
        ("always_send: model\n", "1:14: always_send must be a list, like [model, voice]"),
        ("api_url:\n", "1:9: api_url cannot be empty; remove the line"),
        ("org_id: 12\n", "1:9: org_id must be text; put it in quotes"),
        ('org_id: " "\n', "1:9: org_id cannot be empty"),
        ("always_send: model\n", "1:14: always_send must be a list"),
        ("always_send: [name, mdel]\n", "1:21: always_send, entry 2, must name top-level fields"),
        (
            "always_send: [zzz]\n",
            "1:15: always_send, entry 1, must name top-level fields of an assistant; those are name,",
        ),
        (
            "extra_fields: [tools, /model/tool]\nalways_send: [tool]\n",
            "2:15: always_send, entry 1, must name top-level fields of an assistant; did you mean tools?",
        ),
        (
            "environments: {a: {always_send: [/model/model]}}\n",
            "1:34: always_send, entry 1, must name top-level fields of an assistant; did you mean model?",
        ),
        (
            "sensitive: [metadata/crmKey]\n",
            "1:13: sensitive, entry 1, cannot be used: it contains slashes but does not begin",
        ),
        (
            "sensitive: [metadata..crmKey]\n",
            "1:13: sensitive, entry 1, cannot be used: it has a dot without a key next to it",
        ),
        (
            "sensitive: [/metadata.crmKey]\n",
            "1:13: sensitive, entry 1, cannot be used: it mixes slashes and dots; write /m",
        ),
        ("sensitive: [metadata.crm*]\n", "1:13: sensitive, entry 1, cannot be used: a * stands for one whole key"),
        ("extra_fields: [model.temperature]\n", "1:16: extra_fields, entry 1, model.temperature is a documented field"),
        ("sensitive: [/a~2]\n", "1:13: sensitive, entry 1, cannot be used: in a JSON Pointer"),
        ("extra_fields: [/name]\n", "1:16: extra_fields, entry 1, name is a documented field"),
        ("extra_fields: [/model/provider]\n", "1:16: extra_fields, entry 1, model.provider is a documented field"),
        ("extra_fields: [/metadata/x]\n", "1:16: extra_fields, entry 1, metadata.x is a documented field"),
        ("extra_fields: [/id]\n", "1:16: extra_fields, entry 1, id is set by the API"),
        (
            "extra_fields: [/model/a/b]\n",
            "1:16: extra_fields, entry 1, /model/a/b is too deep; name the whole field, /model/a",
        ),
        (
            "extra_fields: [/tools/0]\n",
            "1:16: extra_fields, entry 1, /tools/0 is too deep; name the whole field, /tools",
        ),
        ("extra_fields: [/name/x]\n", "1:16: extra_fields, entry 1, name has no fields inside"),
        ("extra_fields: ['/model/*']\n", "1:16: extra_fields, entry 1, must name one field"),
        ("max_changes: 101%\n", "1:14: max_changes must be a number of assistants"),
        ("max_changes: -1\n", "1:14: max_changes must be"),
        ("max_changes: 2.5\n", "1:14: max_changes must be"),
        ("max_changes: true\n", "1:14: max_changes must be"),
        ('record: "true"\n', "1:9: record must be true or false, without quotes"),
        ("record: yes\n", "1:9: record must be true or false, without quotes"),
        ("lints: {placeholder: off}\n", "1:22: placeholder must be one of error, warning, none"),
        ("lints: {placeholder: {level: no}}\n", "1:30: placeholder must be one of error, warning, none"),
        ("api_url: 12:30\n", "1:10: api_url must begin with https://"),
        ("environments: {a: {record: 0}}\n", "1:28: record must be true or false"),
        ("ignore: {path: /a}\n", "1:9: ignore must be a list"),
        ("ignore: [/a]\n", "1:10: ignore, entry 1, must be a group of keys and values"),
        ("ignore:\n  - {path: /a}\n", '2:5: this entry has no "reason"; add it'),
        ("ignore:\n  - {reason: a}\n", '2:5: this entry has no "path"; add it'),
        (ENTRY % "expire: '2027-01-01'", "1:32: unknown setting expire;"),
        (ENTRY % "expire: soon", "1:32: unknown setting expire; did you mean expires?"),
        (ENTRY % "expires: 2027-02-30", "1:41: expires must be a date that exists"),
        (ENTRY % "expires: soon", "1:41: expires must be a date"),
        (ENTRY % "expires: 2027-01-01 10:00:00", "1:41: expires must be a date that exists, like 2027-01-31"),
        (ENTRY % "note: 2027-01-01", "1:32: unknown setting note; allowed here: path, reason, assistants, expires"),
        (ENTRY % "expires: ~", "1:41: expires cannot be empty"),
        (ENTRY % "expires: 20270101", "1:41: expires must be a date that exists, like 2027-01-31"),
        ("frozen: [{assistants: [a]}]\n", '1:10: this entry has no "reason"; add it'),
        ("frozen: [{reason: x, path: /a}]\n", "1:22: unknown setting path; allowed here: reason, assistants, from"),
        ("frozen: [{reason: x, from: 2027-02-30}]\n", "1:28: from must be a date that exists"),
        ("frozen: [{reason: x, from: soon}]\n", "1:28: from must be a date"),
        (
            "frozen: [{reason: x, from: 2027-01-15, expires: 2027-01-14}]\n",
            "1:49: expires is before from (2027-01-15): nothing would ever be frozen",
        ),
        ("enforce: [{path: /name}]\n", '1:11: this entry has no "reason"; add it'),
        ("enforce: [{reason: x}]\n", '1:11: this entry has no "path"; add it'),
        ("enforce: [{path: /endcallmessage, reason: x}]\n", "1:18: unknown field endcallmessage; did you mean"),
        ("environments: {a: {enforce: [{path: /Name, reason: x}]}}\n", "1:37: unknown field Name; did you mean name?"),
        (ENTRY % "assistants: []", "1:44: assistants cannot be an empty list"),
        ("sensitive: [model.temprature]\n", "1:13: unknown field model.temprature; did you mean model.temperature?"),
        ("sensitive: [$.metadata.x]\n", "1:13: this is written as JSONPath; write each key"),
        ("sensitive: ['metadata[\"x\"]']\n", "1:13: this is written as JSONPath"),
        (
            "sensitive: ['metadata.x ']\n",
            "1:13: this path contains an invisible character; there is a space at its end",
        ),
        ("sensitive: [/metadata/x\u00a0]\n", "1:13: this path contains an invisible character; there is a no-break"),
        ("extra_fields: [Model.messages]\n", "1:16: extra_fields, entry 1, Model.messages is too deep; did you mean"),
    ],
)
def test_problems_have_a_place_and_say_what_to_do(folder: Path, text: str | bytes, problem: str) -> None:
    assert list_messages(folder, text)[0].startswith(problem)


def test_all_problems_at_once(folder: Path) -> None:
    messages = list_messages(
        folder, "x: 1\norg_id: yes\nalways_send: [model.model]\nignore:\n  - {path: a.*b, reason: ''}\n"
    )

    assert [problem.split(" ")[0] for problem in messages] == ["1:1:", "2:9:", "3:15:", "5:12:", "5:26:"]


def test_an_environment_has_settings_of_its_own(folder: Path) -> None:
    text = """environments:
  staging:
    api_url: https://staging.example/api
    overlay: environments/staging
    org_id: org_s
    max_changes: 3
    ignore:
      - {path: /name, reason: tests, expires: 2027-01-31}
  empty: {}
"""
    (folder.parent / "reconciler.yaml").write_text("api_url: https://a.example/api\norg_id: org_a\n" + text, "utf-8")
    settings = load_settings(folder, root=folder.parent)
    staging, empty = settings.choose("staging"), settings.choose("empty")
    assert (staging.environment, staging.api_url) == ("staging", "https://staging.example/api")
    assert (staging.overlay, staging.org_id) == ("environments/staging", "org_s")
    assert [(rule.path, rule.place) for rule in staging.ignore] == [(("name",), (10, 9))]
    assert (empty.api_url, empty.org_id, empty.overlay, empty.ignore) == (None, "org_a", None, ())


@pytest.mark.parametrize(
    ("project", "environment", "chosen"),
    [
        ("true", "false", False),
        ("false", "true", True),
        ("true", None, True),
        ("false", None, False),
        (None, "true", True),
        (None, "false", False),
        (None, None, None),
    ],
)
def test_an_environment_records_as_it_says_or_as_the_project_says(
    folder: Path, project: str | None, environment: str | None, chosen: bool | None
) -> None:
    above = f"record: {project}\n" if project else ""
    settings = load_text(
        folder, above + "environments: {a: {" + (f"record: {environment}" if environment else "") + "}}\n"
    )
    assert settings.record is {"true": True, "false": False, None: None}[project]
    assert settings.choose("a").record is chosen


@pytest.mark.parametrize(
    "line",
    [
        "password: hunter2",
        "apiToken: hunter2",
        "clientSecret: hunter2",
        "credentials: hunter2",
        "authorization: hunter2",
        "e-mail: hunter2",
        "email: hunter2",
        "ulr: https://b?key=hunter2",
        "ulr: a:hunter2@b",
        "nmae: shown",
    ],
)
def test_the_line_of_a_problem_is_shown_unless_it_may_hold_a_password(folder: Path, line: str) -> None:
    with pytest.raises(InvalidSettings) as error_info:
        load_text(folder, f"{line}\n")
    assert [problem.source_line for problem in error_info.value.problems] == [line if "shown" in line else ""]


def test_an_extra_field_may_always_be_sent(folder: Path) -> None:
    text = "always_send: [/tools, squad, /a~1b, model]\nextra_fields: [tools, /a~1b]\n"
    settings = load_text(folder, f"{text}environments: {{a: {{extra_fields: [squad]}}}}\n")

    assert settings.always_send == ("tools", "squad", "a/b", "model")
