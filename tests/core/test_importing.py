"""What of a live assistant a new definition or overlay declares."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from reconciler.assistant.checks import check_definition
from reconciler.core.canonical import equal, find_differing_leaves
from reconciler.core.importing import build_definition, build_overlay, explain_omission
from reconciler.core.settings import Settings
from reconciler.core.tree import MISSING, merge_overlay


def build_declared(live: dict[str, Any], **settings: Any) -> Any:
    return build_definition("asst_1", {"id": "asst_1", **live}, Settings(**settings))


def test_documented_fields_in_the_api_s_order_without_nulls_and_read_only_ones() -> None:
    live = {
        "updatedAt": "x",
        "orgId": "o",
        "createdAt": "x",
        "voice": {"voiceId": "a", "provider": "azure"},
        "name": "A",
        "firstMessage": None,
        "metadata": {"b": 1, "a": None, "deep": {"x": None}},
    }
    declaration = build_declared(live)
    assert list(declaration.fields) == ["id", "name", "voice", "metadata"]
    assert list(declaration.fields["voice"]) == ["provider", "voiceId"]
    assert declaration.fields["metadata"] == {"b": 1}
    assert (declaration.undocumented, declaration.rejected, declaration.hidden) == ((), (), ())
    assert all(equal(value, live[key]) for key, value in declaration.fields.items() if key != "id")


def test_a_definition_uses_the_id_that_was_asked_for() -> None:
    assert build_definition("local_1", {"id": "asst_1"}, Settings()).fields == {"id": "local_1"}


@pytest.mark.parametrize(
    ("live", "refused"),
    [
        ({"name": 7}, [("name",)]),
        ({"model": "gpt"}, [("model",)]),
        ({"model": {"provider": "groq", "model": "x"}}, [("model", "provider")]),
        ({"endCallPhrases": ["bye", 7]}, [("endCallPhrases",)]),
        ({"maxDurationSeconds": 1.5}, [("maxDurationSeconds",)]),
        ({"firstMessageMode": "sometimes"}, [("firstMessageMode",)]),
        ({"metadata": [1]}, [("metadata",)]),
        (
            {"metadata": {"n": {"big": 2**63}, "list": [[{"x": [-(2**64)]}]]}},
            [("metadata", "list"), ("metadata", "n", "big")],
        ),
        (
            {"metadata": {"half": "happy \ud83d", "list": [{"\udc00": {}}], "n": {"k\ud83d": "x", "l": "x"}}},
            [("metadata", "half"), ("metadata", "list"), ("metadata", "n", "k\ud83d")],
        ),
        ({"metadata": {"true": True, "fits": -(2**63) + 1, "whole": "\U0001f600"}}, []),
    ],
)
def test_values_that_no_definition_may_hold(live: dict[str, Any], refused: list[tuple[str, ...]]) -> None:
    declaration = build_declared(live)
    assert list(declaration.rejected) == refused


def test_an_object_whose_key_no_definition_may_hold_is_left_out_as_a_whole() -> None:
    declaration = build_declared({"metadata": {"k\ud83d": {"a": "x", "b": "\udc00"}, "c": 1}})
    assert declaration.fields == {"id": "asst_1", "metadata": {"c": 1}}
    assert list(declaration.rejected) == [("metadata", "k\ud83d", "a"), ("metadata", "k\ud83d", "b")]


def test_fields_that_nobody_documents_are_declared_where_the_settings_name_them() -> None:
    live = {"tools": [1], "model": {"messages": [], "seed": 1}, "other": 1}
    declaration = build_declared(live, extra_fields=(("tools",), ("model", "messages")))
    assert declaration.fields == {"id": "asst_1", "model": {"messages": []}, "tools": [1]}
    assert declaration.undocumented == (("model", "seed"), ("other",))


@pytest.mark.parametrize(
    ("sensitive", "fields", "hidden"),
    [
        (("metadata",), {}, [("metadata",)]),
        (("metadata", "key"), {"metadata": {"list": [{"key": 1}]}}, [("metadata", "key")]),
        (("metadata", "list", "*", "key"), {"metadata": {"key": "x"}}, [("metadata", "list")]),
        (("metadata", "*"), {}, [("metadata", "key"), ("metadata", "list")]),
    ],
)
def test_sensitive_values_are_left_out(sensitive: Any, fields: Any, hidden: Any) -> None:
    declaration = build_declared({"metadata": {"key": "x", "list": [{"key": 1}]}}, sensitive=(sensitive,))
    assert declaration.fields == {"id": "asst_1", **fields}
    assert list(declaration.hidden) == hidden


def test_a_bad_id_is_not_left_out() -> None:
    """A definition without its id would be no definition; whoever asks for one checks the id."""
    assert build_definition("a b", {"id": "a b", "name": 7}, Settings()).fields == {"id": "a b"}


SHARED = {
    "name": "A",
    "firstMessage": "Hi",
    "model": {"provider": "openai", "model": "gpt-4o", "temperature": 0.7},
    "metadata": {"team": "a", "list": [1]},
}


def test_an_overlay_holds_the_id_and_what_differs() -> None:
    live = {**SHARED, "firstMessage": None, "metadata": {"list": [1, 2], "more": 1}, "endCallMessage": "Bye"}
    declaration = build_overlay(SHARED, "asst_1", live, Settings())
    assert [*declaration.fields] == ["id", "firstMessage", "metadata"]
    assert declaration.fields == {"id": "asst_1", "firstMessage": None, "metadata": {"list": [1, 2], "team": None}}
    assert (declaration.omitted, declaration.unmanaged) == ((), (("endCallMessage",), ("metadata", "more")))


def test_an_overlay_of_what_does_not_differ_holds_the_id_alone() -> None:
    declaration = build_overlay(SHARED, "asst_1", {**SHARED, "id": "asst_1", "tools": [1]}, Settings())
    assert (declaration.fields, declaration.omitted, declaration.unmanaged) == ({"id": "asst_1"}, (), ())


@pytest.mark.parametrize(
    ("path", "live", "reason"),
    [
        (("name",), MISSING, "live has no value"),
        (("model", "temperature"), None, "live has no value"),
        (("metadata", "crmKey"), "hush", "listed under sensitive"),
        (("metadata", "crmKey"), MISSING, "listed under sensitive"),
        (("maxDurationSeconds",), "long", "the live value is not allowed in a definition: maxDurationSeconds must be"),
        (("metadata", "n"), [2**63], "the live value is not allowed in a definition"),
        (("metadata", "n"), MISSING, ""),
        (("firstMessage",), None, ""),
        (("model", "temperature"), 0.1, ""),
    ],
)
def test_why_a_file_cannot_take_a_live_value(path: tuple[str, ...], live: Any, reason: str) -> None:
    found = explain_omission(path, live, Settings(sensitive=(("metadata", "crmKey"),)))
    assert found.startswith(reason)
    assert bool(found) == bool(reason)
    assert "hush" not in found


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "a", "b"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
fields = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["A", "B"]),
        "firstMessage": st.none() | st.sampled_from(["A", "B"]),
        "endCallPhrases": st.none() | st.lists(st.sampled_from("ab"), max_size=3),
        "metadata": st.none() | st.dictionaries(st.sampled_from("abc"), values, max_size=3),
        "transcriber": st.fixed_dictionaries({}, optional={"provider": st.just("google"), "model": values}),
        "maxDurationSeconds": values,
    },
)


@given(fields, fields)
def test_with_its_overlay_a_definition_differs_in_nothing_but_what_is_left(shared: Any, live: Any) -> None:
    declaration = build_overlay(shared, "asst_1", live, Settings())
    merged = {key: value for key, value in merge_overlay(shared, declaration.fields).items() if key != "id"}
    assert find_differing_leaves(merged, live) == tuple(path for path, _ in declaration.omitted)
    if not check_definition(shared, needs_id=False):
        assert not check_definition({"id": "asst_1", **merged})


def test_a_live_key_that_would_name_a_text_file_is_not_written() -> None:
    live = {"metadata": {"$file": "x", "a": 1, "list": [{"$file": "y"}], "deep": {"$file": "z", "b": 2}}}
    declaration = build_declared(live)
    assert declaration.fields == {"id": "asst_1", "metadata": {"a": 1, "deep": {"b": 2}}}
    assert declaration.rejected == (("metadata", "$file"), ("metadata", "deep", "$file"), ("metadata", "list"))
    assert "$file as a key" in explain_omission(("metadata", "list"), [{"$file": "y"}], Settings())
    assert explain_omission(("metadata", "a"), "$file", Settings()) == ""
