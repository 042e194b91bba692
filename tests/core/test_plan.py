"""What scenarios cannot say about a plan: its digest, its repeats, whether two plans write the same, warnings."""

from typing import Any

import pytest

from reconciler.core.overrides import Overrides
from reconciler.core.patch import find_undeclared_changes
from reconciler.core.plan import Plan, Planner, Policy, find_remaining
from reconciler.core.settings import IgnoreRule
from reconciler.core.tree import MISSING

LIVE: dict[str, Any] = {"name": "Old", "metadata": {"key": "old", "n": 1}, "updatedAt": "2024-01-01"}


def fingerprint(desired: Any, live: Any = LIVE, **options: Any) -> str | None:
    return Planner().plan(desired, live).digest("asst_1", **options)


def test_a_digest_is_of_the_assistant_the_patch_and_what_it_replaces() -> None:
    one = fingerprint({"name": "New"})
    assert one == fingerprint({"name": "New"}, {**LIVE, "updatedAt": "2025-01-01", "tools": [1]})
    assert one is not None
    assert one.startswith("sha256:")
    assert len(one) == len("sha256:") + 64
    others = [
        fingerprint({"name": "Newer"}),
        fingerprint({"name": "New"}, {**LIVE, "name": "Older"}),
        fingerprint({"name": "New"}, {**LIVE, "name": None}),
        fingerprint({"name": "New"}, {key: value for key, value in LIVE.items() if key != "name"}),
        Planner().plan({"name": "New"}, LIVE).digest("asst_2"),
        fingerprint({"metadata": {"key": "new"}}),
        fingerprint({"metadata": {"key": "new"}}, {**LIVE, "metadata": {"key": "old", "n": 2}}),
        fingerprint({"metadata": {"key": "new"}}, {**LIVE, "metadata": {"key": "old", "n": True}}),
        fingerprint({"metadata": {"key": "new"}}, {**LIVE, "metadata": {"key": "old", "n": "1"}}),
    ]
    assert len({one, *others}) == 10


def test_the_order_of_keys_does_not_matter_to_a_digest() -> None:
    desired = {"metadata": {"key": "new", "n": 2}}
    turned = {**LIVE, "metadata": {"n": 1, "key": "old"}}
    assert fingerprint(desired) == fingerprint({"metadata": {"n": 2, "key": "new"}}, turned)


def test_no_patch_no_digest() -> None:
    assert fingerprint({"name": "Old"}) is None


def test_sensitive_values_are_left_out_and_the_time_stands_in() -> None:
    sensitive = [("metadata", "key")]

    def make_digest(new: str, old: str, at: str | None) -> str | None:
        live = {**LIVE, "metadata": {"key": old, "n": 1}}
        return fingerprint({"metadata": {"key": new}}, live, sensitive=sensitive, live_updated_at=at)

    assert make_digest("new", "old", "1") == make_digest("newer", "older", "1")
    assert make_digest("new", "old", "1") != make_digest("new", "old", "2")
    assert make_digest("new", "old", "1") != make_digest("new", "old", None)
    assert fingerprint({"name": "New"}, sensitive=sensitive, live_updated_at="1") == fingerprint(
        {"name": "New"}, sensitive=sensitive, live_updated_at="2"
    )


def test_sensitive_parts_of_lists_are_left_out_too() -> None:
    def make_digest(secret: str) -> str | None:
        live = {"metadata": {"list": [{"key": secret, "n": 1}]}}
        desired = {"metadata": {"list": [{"key": secret, "n": 2}]}}
        return fingerprint(desired, live, sensitive=[("metadata", "list", "*", "key")])

    assert make_digest("a") == make_digest("b")


def test_plans_write_the_same_or_not() -> None:
    plan = Planner().plan({"metadata": {"key": "new"}}, LIVE)
    assert plan.same_write(Planner().plan({"metadata": {"key": "new"}}, {**LIVE, "name": "x"}))
    assert not plan.same_write(
        Planner().plan({"metadata": {"key": "new"}}, {**LIVE, "metadata": {"key": "third", "n": 1}})
    )
    assert not plan.same_write(
        Planner().plan({"metadata": {"key": "new"}}, {**LIVE, "metadata": {"key": "old", "n": 1.5}})
    )
    assert not plan.same_write(Plan())


def test_a_missing_live_value_is_not_a_null_one() -> None:
    missing, other = Planner().plan({"name": "New"}, {}), Planner().plan({"name": "New"}, {"name": None})
    assert missing.changes[0].live is MISSING
    assert other.changes[0].live is None
    assert not missing.same_write(other)


@pytest.mark.parametrize("fresh", ["old", "new"])
def test_a_patch_is_made_again_over_old_or_new_live(fresh: str) -> None:
    desired = {"metadata": {"key": "new"}}
    plan = Planner().plan(desired, LIVE)
    live = {"metadata": {"key": fresh, "n": 5}}
    assert Planner().rebuild_patch(plan, desired, live) == {"metadata": {"key": "new", "n": 5}}
    assert Planner().rebuild_patch(plan, desired, {"metadata": {"key": "third"}}) is None
    assert Planner().rebuild_patch(plan, desired, {}) is None


def test_what_remains_is_what_was_sent_and_is_not_there() -> None:
    base = {"name": "Base", "metadata": {"key": "old"}}
    desired = {"name": "Base", "metadata": {"key": "new", "n": 2}}
    plan = Planner().plan(desired, LIVE, base)
    after = Planner().plan(desired, {**LIVE, "metadata": {"key": "new", "n": 1}}, base)
    assert find_remaining(plan, after) == (("metadata", "n"),)
    assert [change.kind for change in plan.changes] == ["change", "change", "drift"]


def test_an_unclear_write_of_a_refused_assistant_is_not_repeated() -> None:
    base, desired, live = ({"name": name, "firstMessage": "Hi"} for name in ("Base", "Git", "Live"))
    plan = Planner().plan(desired, live, base, resend=[("firstMessage",)])
    assert (plan.refusal, plan.patch, plan.resent) == ("conflict", None, frozenset())


def test_undeclared_changes() -> None:
    before = {"a": 1, "b": {"c": 1, "d": 2}, "e": None, "id": "x", "updatedAt": "1"}
    after = {"a": 2, "b": {"c": 2, "d": 3}, "f": True, "id": "y", "updatedAt": "2"}
    assert list(find_undeclared_changes({"a": 0, "b": {"c": 0}}, before, after)) == [("b", "d"), ("f",), ("id",)]
    assert list(find_undeclared_changes({"a": 0, "b": None}, before, after)) == [("f",), ("id",)]
    assert list(find_undeclared_changes({}, {"n": 1, "l": [1]}, {"n": 1.0, "l": [1.0]})) == []


def test_an_ignored_list_loses_nothing_and_an_ignored_provider_does_not_change() -> None:
    rules = tuple(IgnoreRule(path=path, reason="x") for path in (("metadata", "list"), ("voice", "provider")))
    desired = {"metadata": {"list": [{"a": 2}], "n": 2}, "voice": {"provider": "azure", "voiceId": "b"}}
    live = {
        "metadata": {"list": [{"a": 1, "hidden": 1}], "n": 1},
        "voice": {"provider": "openai", "voiceId": "a", "speed": 1},
    }
    plan = Planner(overrides=Overrides(ignore=rules)).plan(desired, live)
    assert plan.patch == {
        "metadata": {"list": [{"a": 1, "hidden": 1}], "n": 2},
        "voice": {"provider": "openai", "voiceId": "b", "speed": 1},
    }
    assert plan.warnings == ()


def test_an_ignored_difference_says_whether_git_has_changed() -> None:
    paths = ("name",), ("metadata", "list", "0", "a"), ("metadata", "n"), ("metadata", "new")
    planner = Planner(overrides=Overrides(ignore=tuple(IgnoreRule(path=path, reason="x") for path in paths)))
    desired = {"name": "Desk", "metadata": {"list": [{"a": 2}], "n": 1.0, "new": 1}}
    base = {"name": "Old", "metadata": {"list": [{"a": 1}], "n": 1}}
    live = {"name": "Live", "metadata": {"list": [{"a": 3}], "n": 3, "new": 3}}
    moved = {entry.path: entry.changed_in_git for entry in planner.plan(desired, live, base).ignored}
    assert moved == dict(zip(paths, (True, True, False, False), strict=True))
    assert not any(entry.changed_in_git for entry in planner.plan(desired, live).ignored)


def test_what_a_list_loses_is_told_at_every_depth() -> None:
    desired = {"metadata": {"list": [{"a": [{"b": 2}], "k": 1}, {"same": 1}, 3]}}
    live = {"metadata": {"list": [{"a": [{"b": 1, "x": 1, "n": None}], "k": 1, "y": 1}, {"same": 1, "z": 1}, {"q": 1}]}}
    assert [warning.split()[0] for warning in Planner().plan(desired, live).warnings] == [
        "metadata.list[0].a[0].x",
        "metadata.list[0].y",
    ]


def test_the_second_of_two_equal_elements_is_lost_although_the_first_stays() -> None:
    element = {"a": 1, "x": 1}
    plan = Planner().plan({"metadata": {"list": [{"a": 1}, {"a": 2}]}}, {"metadata": {"list": [element, element]}})
    assert [warning.split()[0] for warning in plan.warnings] == ["metadata.list[1].x"]


def test_a_key_of_metadata_that_is_called_provider_is_nobody_s_provider() -> None:
    assert Planner().plan({"metadata": {"provider": "b"}}, {"metadata": {"provider": "a", "x": 1}}).warnings == ()


def test_a_first_provider_replaces_none() -> None:
    assert Planner().plan({"voice": {"provider": "openai"}}, {"voice": {"voiceId": "alloy"}}).warnings == ()


def test_phrases_that_differ_only_in_their_order_go_along_in_live_s_order() -> None:
    planner = Planner(policy=Policy(always_send=("endCallPhrases",)))
    desired, live = {"name": "New", "endCallPhrases": ["x", "y"]}, {"name": "Old", "endCallPhrases": ["y", "x"]}
    assert planner.plan(desired, live).patch == {"name": "New", "endCallPhrases": ["y", "x"]}


@pytest.mark.parametrize("live", [{}, {"metadata": {}}], ids=["live has none", "live has an empty one"])
def test_an_object_of_which_all_is_ignored_goes_along_only_where_live_has_it(live: dict[str, Any]) -> None:
    rule = IgnoreRule(path=("metadata", "key"), reason="set by the CRM")
    planner = Planner(policy=Policy(always_send=("metadata",)), overrides=Overrides(ignore=(rule,)))
    desired = {"name": "New", "metadata": {"key": 1}}
    assert planner.plan(desired, {"name": "Old", **live}).patch == {"name": "New", **live}
