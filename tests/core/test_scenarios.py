"""Every scenario, and the invariants that hold for all of them under both server semantics."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from depth import examples
from hypothesis import given, settings, strategies as st

from reconciler.assistant.fields import TOP_LEVEL, takes_null
from reconciler.assistant.paths import parse_pointer, to_pointer
from reconciler.core.overrides import Overrides
from reconciler.core.patch import IncompleteObject, find_undeclared_changes
from reconciler.core.plan import Plan, Planner, Policy, find_remaining
from reconciler.core.settings import EnforceRule, IgnoreRule
from reconciler.core.tree import MISSING
from reconciler.git.merge_file import merge_texts

FILES = sorted((Path(__file__).parent.parent / "scenarios").glob("*.yaml"))
SCENARIOS = [pytest.param(yaml.safe_load(file.read_text("utf-8")), id=file.stem) for file in FILES]
Scenario = dict[str, Any]


def make_scenario_plan(scenario: Scenario, **changed: Any) -> Plan:
    scenario = scenario | changed
    planner = Planner(
        policy=Policy(
            on_drift=scenario.get("on_drift", "keep"),
            force_conflicts=scenario.get("force_conflicts", False),
            always_send=tuple(scenario.get("always_send", ())),
        ),
        overrides=Overrides(
            ignore=tuple(
                IgnoreRule(path=parse_pointer(path), reason="accepted") for path in scenario.get("ignore", ())
            ),
            enforce=tuple(EnforceRule(path=parse_pointer(path), reason="law") for path in scenario.get("enforce", ())),
        ),
        merge_texts=merge_texts,
    )
    return planner.plan(scenario["desired"], scenario["live"], scenario.get("base", MISSING))


def exact_text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def merge_body(live: Any, body: Any) -> Any:
    """Return what a server that merges nested objects holds after a PATCH."""
    if not isinstance(live, dict) or not isinstance(body, dict):
        return body
    return {key: merge_body(live.get(key), body[key]) if key in body else live[key] for key in {**live, **body}}


def replace_body(live: Any, body: Any) -> Any:
    """Return what a server that replaces nested objects holds after a PATCH."""
    return {**live, **body}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_plan_is_what_the_scenario_says(scenario: Scenario) -> None:
    if "error" in scenario:
        with pytest.raises(IncompleteObject, match=scenario["error"]):
            make_scenario_plan(scenario)
        return
    plan = make_scenario_plan(scenario)
    assert [f"{to_pointer(change.path)} {change.kind}" for change in plan.changes] == scenario["changes"]
    assert exact_text(plan.patch) == exact_text(scenario["patch"])
    assert [to_pointer(path) for path in plan.released] == scenario.get("released", [])
    assert [to_pointer(entry.path) for entry in plan.ignored] == scenario.get("ignored", [])
    assert plan.refusal == scenario.get("refusal")
    hints = scenario.get("warnings", [])
    assert len(plan.warnings) == len(hints)
    assert all(hint in warning for hint, warning in zip(hints, plan.warnings, strict=True))


@pytest.mark.parametrize("server", [merge_body, replace_body])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_patch_settles_what_it_was_sent_for(scenario: Scenario, server: Any) -> None:
    if scenario.get("patch") is None:
        return
    before = make_scenario_plan(scenario)
    after = server(scenario["live"], before.patch)
    again = make_scenario_plan(scenario, live=after)
    assert again.patch is None
    assert find_remaining(before, again) == ()


@pytest.mark.parametrize("server", [merge_body, replace_body])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_what_nobody_declared_survives(scenario: Scenario, server: Any) -> None:
    if scenario.get("patch") is None:
        return
    after = server(scenario["live"], scenario["patch"])
    assert list(find_undeclared_changes(scenario["desired"], scenario["live"], after)) == []


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_order_of_keys_changes_nothing(scenario: Scenario) -> None:
    if "error" in scenario:
        return
    turned = make_scenario_plan(
        scenario, **{name: reverse_keys(scenario[name]) for name in ("desired", "live", "base") if name in scenario}
    )
    plan = make_scenario_plan(scenario)
    assert turned.changes == plan.changes
    assert exact_text(turned.patch) == exact_text(plan.patch)


def reverse_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reverse_keys(value[key]) for key in reversed(value)}
    return value


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_inputs_are_not_changed(scenario: Scenario) -> None:
    if "error" in scenario:
        return
    before = copy.deepcopy(scenario)
    patch = make_scenario_plan(scenario).patch
    assert scenario == before
    assert patch is None or exact_text(patch) == exact_text(scenario["patch"])


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_live_that_shows_what_is_desired_is_in_sync_whatever_the_base(scenario: Scenario) -> None:
    if "error" in scenario:
        return
    live = merge_body(scenario["live"], scenario["desired"])
    assert make_scenario_plan(scenario, live=live, ignore=[]).status == "in_sync"


scalars = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, 1.0, 0.5]) | st.sampled_from(["", "a", "b"])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
metadata = st.dictionaries(st.sampled_from("abcd"), values, max_size=4)
assistants = st.fixed_dictionaries(
    {},
    optional={
        "metadata": metadata,
        "firstMessage": st.none() | st.sampled_from(["Hi", "Hey"]),
        "endCallPhrases": st.none() | st.lists(st.sampled_from(["bye", "so long"]), max_size=3),
        "voice": st.fixed_dictionaries(
            {}, optional={"provider": st.sampled_from(["azure", "openai"]), "voiceId": st.just("x"), "speed": scalars}
        ),
    },
)


@pytest.mark.parametrize("server", [merge_body, replace_body])
@given(desired=assistants, live=assistants, base=st.just(MISSING) | assistants)
@settings(max_examples=examples(300))
def test_any_plan_is_settled_by_its_patch_and_touches_nothing_else(
    server: Any, desired: Any, live: Any, base: Any
) -> None:
    policy = Policy(on_drift="revert", force_conflicts=True)
    plan = Planner(policy=policy).plan(desired, live, base)
    if plan.patch is None:
        assert plan.changes == ()
        return
    after = server(live, plan.patch)
    assert Planner(policy=policy).plan(desired, after, base).changes == ()
    assert list(find_undeclared_changes(desired, live, after)) == []
    sent = {change.path[0] for change in plan.changes}
    assert sent == set(plan.patch)
    assert all(value is not None or takes_null((field,)) for field, value in plan.patch.items())
    assert set(plan.patch) <= set(TOP_LEVEL)


@given(desired=assistants, live=assistants, base=assistants)
@settings(max_examples=examples(300))
def test_without_a_policy_nothing_that_moved_live_is_sent_over(desired: Any, live: Any, base: Any) -> None:
    plan = Planner().plan(desired, live, base)
    if plan.patch is None:
        return
    after = replace_body(live, plan.patch)
    still = {change.path: change.live for change in Planner().plan(desired, after, base).changes}
    assert still == {change.path: change.live for change in plan.changes if change.kind == "drift"}
