"""Which entries of the settings hold an assistant on a day, and which are out of date."""

import datetime
from typing import Any

import pytest

from reconciler.assistant.paths import parse_path
from reconciler.core.definition import Definition
from reconciler.core.outcome import Kind, Status, Unsent
from reconciler.core.overrides import (
    Overrides,
    find_idle_secrets,
    find_overrides,
    list_expired,
    warn_of_expiry,
    warn_of_unmatched,
)
from reconciler.core.plan import Planner, Policy
from reconciler.core.settings import EnforceRule, Environment, Freeze, IgnoreRule, Rule, Settings

TODAY = datetime.date(2026, 3, 1)


def day(days: int | None) -> datetime.date | None:
    return TODAY + datetime.timedelta(days=days) if days is not None else None


def rule(*path: str, expires: datetime.date | None = None, assistants: tuple[str, ...] = ("*",)) -> IgnoreRule:
    return IgnoreRule(path=path, reason="why not", assistants=assistants, expires=expires)


def enforced(*path: str, assistants: tuple[str, ...] = ("*",)) -> EnforceRule:
    return EnforceRule(path=path, reason="the law", assistants=assistants)


def freeze(starts: int | None = None, expires: int | None = None, assistants: tuple[str, ...] = ("*",)) -> Freeze:
    return Freeze(reason="enrolment", starts=day(starts), expires=day(expires), assistants=assistants)


def settings(**changes: Any) -> Settings:
    return Settings(today=TODAY, **changes)


@pytest.mark.parametrize(
    ("days", "expired", "state"),
    [
        (-1, True, "expired on 2026-02-28"),
        (0, False, "expires on 2026-03-01"),
        (14, False, "expires on"),
        (15, False, ""),
    ],
)
def test_an_entry_ends_with_its_last_day_and_is_told_14_days_ahead(days: int, expired: bool, state: str) -> None:
    overrides = settings(ignore=(rule("metadata", "a/b", expires=day(days)), rule("name")))
    other = settings(frozen=(freeze(expires=days), freeze()))
    for held, name in ((overrides, "ignore /metadata/a~1b"), (other, "the freeze (enrolment)")):
        notes = list(warn_of_expiry(held))
        assert len(notes) == bool(state)
        for note in notes:
            assert note.startswith(f"{name} {state}")
        found = list(list_expired(held))
        assert len(found) == expired
        for entry, message in found:
            assert entry.expires == day(days)
            assert message.startswith(f"{name} expired on 2026-02-28")


def test_globs_choose_assistants_by_key() -> None:
    some, every = rule("name", assistants=("admissions/*", "it")), rule("name")
    both = settings(ignore=(some, every), enforce=(enforced("name", assistants=("it",)),))
    assert find_overrides(both, "admissions/a/b").ignore == (some, every)
    assert find_overrides(both, "it").ignore == (some, every)
    assert find_overrides(both, "it/x").ignore == (every,)
    assert find_overrides(settings(ignore=(rule("name", assistants=("IT",)),)), "it") == Overrides()
    composed, decomposed = "zo\u00eb", "zoe\u0308"
    for pattern, key in ((composed, decomposed), ("zo?", decomposed), (decomposed, composed)):
        assert freeze(assistants=(pattern,)).concerns(key)
    assert [len(find_overrides(both, key).enforce) for key in ("it", "its")] == [1, 0]


@pytest.mark.parametrize(
    ("starts", "expires", "holds"),
    [
        (None, None, True),
        (0, None, True),
        (1, None, False),
        (None, 0, True),
        (None, -1, False),
        (-3, 3, True),
        (0, 0, True),
        (-3, -1, False),
        (1, 3, False),
    ],
)
def test_a_freeze_holds_from_its_first_to_its_last_day(starts: int | None, expires: int | None, holds: bool) -> None:
    one = freeze(starts, expires, ("admissions/*",))
    assert find_overrides(settings(frozen=(one,)), "admissions/desk").freeze == (one if holds else None)
    assert find_overrides(settings(frozen=(one,)), "desk").freeze is None


def test_of_several_freezes_the_one_that_ends_last_is_told() -> None:
    short, long, forever, other = freeze(expires=1), freeze(expires=9), freeze(), freeze(expires=20, assistants=("x",))
    assert find_overrides(settings(frozen=(short, long, other)), "desk").freeze == long
    assert find_overrides(settings(frozen=(long, forever, short)), "desk").freeze == forever


@pytest.mark.parametrize(
    ("path", "matches"),
    [
        (("metadata",), True),
        (("metadata", "crm", "key"), True),
        (("metadata", "*", "key"), True),
        (("*", "other"), False),
        (("metadata", "*", "other"), True),  # below what is declared null
        (("metadata", "crm", "key", "below"), False),
        (("metadata", "null"), True),
        (("metadata", "null", "below"), True),
        (("metadata", "list", "0", "key"), True),
        (("metadata", "list", "*", "key"), True),
        (("metadata", "list", "1"), False),
        (("*",), True),
        (("name", "*"), False),
        (("voice",), False),
    ],
)
def test_an_entry_that_concerns_nothing_declared_is_told(path: tuple[str, ...], matches: bool) -> None:
    declared = {"name": "A", "metadata": {"crm": {"key": 1}, "null": None, "list": [{"key": 1}]}}
    definitions = [Definition("a", "assistants/a.yaml", "asst_1", declared)]
    for one_setting in (
        settings(ignore=(rule(*path),)),
        settings(enforce=(enforced(*path),)),
        settings(sensitive=(path,)),
    ):
        assert bool(list(warn_of_unmatched(one_setting, definitions, [{}]))) != matches
    for one_setting in (
        settings(ignore=(rule(*path, assistants=("b",)),)),
        settings(enforce=(enforced(*path, assistants=("b",)),)),
    ):
        (note,) = warn_of_unmatched(one_setting, definitions)
        assert "matches no definition" in note


def test_a_rule_that_keeps_an_object_of_which_a_definition_makes_a_text_is_in_use() -> None:
    ignored = rule("metadata", "crm", "key")
    (definition,) = [Definition("a", "assistants/a.yaml", "asst_1", {"metadata": {"crm": "none"}})]
    planner = Planner(overrides=find_overrides(settings(ignore=(ignored,)), "a"))
    plan = planner.plan(definition.declared, {"metadata": {"crm": {"key": 1}}})
    assert plan.patch is None
    assert [entry.rule for entry in plan.ignored] == [ignored]
    # Without live nobody knows that there is no such object.
    for lives in ([], [{}, {"metadata": {"crm": {"key": 1}}}]):
        assert list(warn_of_unmatched(settings(ignore=(ignored,)), [definition], lives)) == []
    assert len(list(warn_of_unmatched(settings(ignore=(ignored,)), [definition], [{"metadata": {"crm": "x"}}]))) == 1


def test_an_ignored_key_that_a_list_does_not_declare_may_be_live() -> None:
    definitions = [Definition("a", "assistants/a.yaml", "asst_1", {"metadata": {"list": [{"key": 1}], "other": {}}})]
    for path, is_told in ((("metadata", "list", "*", "etag"), False), (("metadata", "other", "etag"), True)):
        assert bool(list(warn_of_unmatched(settings(ignore=(rule(*path),)), definitions))) is is_told


def test_one_environment_does_not_tell_that_an_entry_of_the_project_is_idle() -> None:
    definitions = [Definition("a", "assistants/a.yaml", "asst_1", {"name": "A"})]
    own, shared = Environment(ignore=(rule("endCallMessage"),)), (rule("voicemailMessage"),)
    for environments, count in (({"a": own}, 2), ({"a": own, "b": Environment()}, 1)):
        chosen = settings(ignore=shared, environments=environments).choose("a")
        assert len(list(warn_of_unmatched(chosen, definitions))) == count


@pytest.mark.parametrize(
    ("ignored", "enforced_for", "is_told"),
    [
        (rule("model"), "a", True),
        (rule("model", "temperature"), "a", True),
        (rule("model", "temperature", assistants=("b",)), "a", False),
        (rule("model", "temperature"), "b", False),
        (rule("model", "model"), "a", False),
    ],
)
def test_what_one_assistant_has_under_ignore_and_enforce_is_told(
    ignored: IgnoreRule, enforced_for: str, is_told: bool
) -> None:
    definitions = [
        Definition("a", "assistants/a.yaml", "asst_1", {"model": {"temperature": 0.5, "model": "gpt-4o"}}),
        Definition("b", "assistants/b.yaml", "asst_2", {"model": {"model": "gpt-4o"}}),
    ]
    both = settings(ignore=(ignored,), enforce=(enforced("model", "temperature", assistants=(enforced_for,)),))
    notes = [note for note in warn_of_unmatched(both, definitions) if "is under both ignore and enforce" in note]
    assert [note.partition(" ")[0] for note in notes] == ["model.temperature"] * is_told


def test_a_secret_that_live_alone_holds_is_no_slip() -> None:
    definitions = [Definition("a", "assistants/a.yaml", "asst_1", {"metadata": {"team": "x"}})]
    secrets = settings(sensitive=(("metadata", "crmKey"), ("metadata", "crm.key")))
    assert len(list(warn_of_unmatched(secrets, definitions))) == 2
    (note,) = warn_of_unmatched(secrets, definitions, [{"metadata": {"crmKey": "k"}}, {}])
    assert note == ("sensitive /metadata/crm.key matches nothing in any definition or live: check its spelling")


def test_a_secret_of_one_environment_is_no_slip() -> None:
    secrets = settings(sensitive=(("metadata", "crmKey"), ("metadata", "crm.key")))
    with_secret = [Definition("a", "assistants/a.yaml", "asst_1", {"metadata": {"crmKey": "k"}})]
    without = [Definition("a", "assistants/a.yaml", "asst_2", {})]
    for forms in ((with_secret, without), (without, with_secret)):
        (note,) = find_idle_secrets((secrets, form) for form in forms)
        assert note.startswith("sensitive /metadata/crm.key matches nothing in any definition: check its spelling")


@pytest.mark.parametrize(
    ("path", "is_told"),
    [
        ("nmae", True),
        ("model.temp", True),
        ("createdAt", True),
        ("tag", True),
        ("tags.0", False),
        ("voicemailMessage", False),
        ("metadata.crm.key", False),
        ("endCallPhrases.*", False),
        ("*.provider", False),
        ("model.*", False),
        ("id", False),
    ],
)
def test_a_rule_about_what_no_definition_can_declare_is_told(path: str, is_told: bool) -> None:
    definitions = [Definition("a", "assistants/a.yaml", "asst_1", {})]
    one_rule = Rule(id="r", path=parse_path(path), reason="why", schema={"maxLength": 3})
    notes = [*warn_of_unmatched(settings(rules=(one_rule,), extra_fields=(("tags",),)), definitions)]
    assert [note.startswith(f"the rule r names {path}, which no") for note in notes] == [True] * is_told


def test_a_freeze_that_concerns_no_definition_is_told() -> None:
    definitions = [Definition("admissions/a", "assistants/admissions/a.yaml", "asst_1", {})]
    assert [
        *warn_of_unmatched(settings(frozen=(freeze(expires=-1), freeze(assistants=("admissions/*",)))), definitions)
    ] == []
    (note,) = warn_of_unmatched(settings(frozen=(freeze(assistants=("admission/*",)),)), definitions)
    assert note.startswith("the freeze (enrolment) matches no definition")


BYE = ("endCallMessage",)
GIT, LIVE, NEW = (
    {"endCallMessage": "Bye", "name": "A"},
    {"endCallMessage": "Ciao", "name": "A"},
    {"endCallMessage": "So long"},
)


@pytest.mark.parametrize("on_drift", ["keep", "revert", "fail"])
def test_a_live_edit_of_an_enforced_field_is_put_back_whatever_the_policy(on_drift: Any) -> None:
    policy, overrides = Policy(on_drift=on_drift), Overrides(enforce=(enforced(*BYE),))
    plan = Planner(policy=policy, overrides=overrides).plan(GIT, LIVE, GIT)
    assert plan.patch == {"endCallMessage": "Bye"}
    assert [(change.kind, change.sent) for change in plan.changes] == [(Kind.DRIFT, True)]
    assert [(path, rule.reason) for path, rule in plan.enforced.items()] == [(BYE, "the law")]


def test_what_else_was_edited_live_follows_the_policy() -> None:
    overrides = Overrides(enforce=(enforced(*BYE),))
    live = {**LIVE, "name": "B"}
    plan = Planner(overrides=overrides).plan(GIT, live, GIT)
    assert plan.patch == {"endCallMessage": "Bye"}
    assert plan.unsent_paths == {("name",)}
    refused = Planner(policy=Policy(on_drift="fail"), overrides=overrides).plan(GIT, live, GIT)
    assert (refused.patch, refused.refusal) == (None, Kind.DRIFT)


def test_a_conflict_of_an_enforced_field_stays_a_conflict() -> None:
    plan = Planner(overrides=Overrides(enforce=(enforced(*BYE),))).plan(NEW, LIVE, GIT)
    assert (plan.patch, plan.refusal, plan.enforced) == (None, Kind.CONFLICT, {})


def test_nothing_is_put_back_where_nothing_may_be_written() -> None:
    plan = Planner(policy=Policy(read_only=True), overrides=Overrides(enforce=(enforced(*BYE),))).plan(GIT, LIVE, GIT)
    assert (plan.patch, [change.unsent for change in plan.changes]) == (None, [Unsent.READ_ONLY])
    assert len(plan.enforced) == 1


MESSAGES = ({"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello"})


@pytest.mark.parametrize(
    ("pattern", "edits", "is_put_back"),
    [
        (("model", "messages", "0", "content"), {0: "Be rude."}, True),
        (("model", "messages", "*", "content"), {0: "Be rude.", 1: "Hi"}, True),
        (("model", "messages", "0", "content"), {1: "Hi"}, False),
        # One list is sent in one piece, and the other edit is nobody's to put back.
        (("model", "messages", "0", "content"), {0: "Be rude.", 1: "Hi"}, False),
        (("model", "messages"), {1: "Hi"}, True),
        (("model",), {1: "Hi"}, True),
        (("voice", "messages", "0", "content"), {0: "Be rude."}, False),
    ],
)
def test_a_list_is_put_back_where_that_puts_back_nothing_else(
    pattern: tuple[str, ...], edits: dict[int, str], is_put_back: bool
) -> None:
    git = {"model": {"messages": [*MESSAGES]}}
    shown = [{**one, "content": edits.get(at, one["content"])} for at, one in enumerate(MESSAGES)]
    live = {"model": {"messages": shown, "seed": 1}}
    plan = Planner(overrides=Overrides(enforce=(enforced(*pattern),))).plan(git, live, git)
    assert plan.patch == ({"model": {"messages": [*MESSAGES], "seed": 1}} if is_put_back else None)


@pytest.mark.parametrize(
    ("desired", "live", "base"),
    [(NEW, GIT, GIT), (GIT, LIVE, GIT), (NEW, LIVE, GIT)],
    ids=["change", "drift", "conflict"],
)
@pytest.mark.parametrize("policy", [Policy(), Policy(on_drift="fail"), Policy(on_drift="revert", force_conflicts=True)])
def test_nothing_of_a_frozen_assistant_is_sent(desired: Any, live: Any, base: Any, policy: Policy) -> None:
    overrides = Overrides(enforce=(enforced(*BYE),), freeze=freeze())
    plan = Planner(policy=policy, overrides=overrides).plan(desired, live, base)
    assert (plan.status, plan.patch, plan.refusal, plan.freeze) == (Status.FROZEN, None, None, freeze())
    assert [change.unsent for change in plan.changes] == [Unsent.FROZEN]


def test_a_frozen_assistant_that_is_in_sync_is_in_sync() -> None:
    plan = Planner(overrides=Overrides(freeze=freeze())).plan(GIT, GIT, GIT)
    assert (plan.status, plan.freeze) == (Status.IN_SYNC, None)


def test_an_unclear_write_waits_for_the_end_of_a_freeze() -> None:
    plan = Planner(overrides=Overrides(freeze=freeze())).plan(GIT, GIT, GIT, resend=[BYE])
    assert (plan.status, plan.patch, plan.freeze, plan.resent) == (Status.IN_SYNC, None, freeze(), frozenset())
    assert [warning.partition(":")[0] for warning in plan.warnings] == [
        "the outcome of the last write of endCallMessage is unclear"
    ]


def test_an_enforced_place_inside_one_list_says_nothing_of_another() -> None:
    git, live = ({"metadata": {"one": [1], "other": [number]}} for number in (1, 2))
    plan = Planner(overrides=Overrides(enforce=(enforced("metadata", "one", "0"),))).plan(git, live, git)
    assert ([change.unsent for change in plan.changes], plan.warnings) == ([Unsent.KEPT], ())
