"""What people do to assistants in the dashboard: other values for what a definition declares. For hypothesis."""

import copy
from typing import Any

from definition_styles import INSIDE, KEYS, NULLABLE, TEXTS
from hypothesis import strategies as st

Fields = dict[str, Any]

LOOKALIKES = ["yes", "012", "0o14", "1e3", "1_000", "null", "~", "", " x", "x ", "12:30:45", "2024-01-01", "0.70", "="]
LOOKALIKES += ["true", "Off", "-", "- a", "? a", "---", "...", "--- |", "%YAML", "a: b", "a:", ": a", "x #y", "#", "<<"]
LOOKALIKES += ["!a", "|", ">", "@x", "`x", "{{name}}, hi", "{a", "a]", "a, b", "it's", '"so"', "a\\nb", "<<: *a"]
LOOKALIKES += ["&a", "*a", "|-\n x"]
ODD = ["tab\there", "\t", "a\t", "line\u2028para\u2029", "nel\x85", "bom\ufeff", "nul\x00esc\x1b", "\ufffe", "\x7f\x80"]
ODD += ["Grüße 😀", "👩‍👩‍👧", "日本", "e\u0301", "\u202eabc", "a\xa0b", "\xa0", "\U0010ffff", "\ue000"]
LINES = ["a\nb", "a\nb\n", "a\n\n b\nc", "  a\nb\n\n", "\na", "\n\n a", "a  \nb", "\n", "\n\n", " \n", "a\rb"]
LINES += ["a\r\nb\r\n", "# a\nb", "a\n# b", "- a\n- b\n", "a: 1\nb: 2", "a\n\tb", "\ta\nb", "é\n日本\n\n\n", "a\n "]
LINES += ["---\na", "a\n...\nb", "a\n\n\n"]
LONG = ["word " * 200 + "end", "x" * 3000, "a, b: c # d " * 60 + "e", "one line\n" * 40]
LONG += [" ".join(["it's"] * 90) + "\nand " + "so " * 90]

texts = st.one_of(
    st.sampled_from(LOOKALIKES),
    st.sampled_from(ODD + LINES),
    st.sampled_from(LONG),
    st.text(st.sampled_from("ab é:#'\"-\n\t,[{}!&*|>%@`\\\x07\u2028\r "), max_size=12),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.lists(st.sampled_from(["word", "longer", "é", "x,", "it's", "a:", "\n", "😀"]), min_size=5, max_size=40).map(
        " ".join
    ),
)
keys = texts.map(lambda text: text[:100])  # a key of more than 1024 characters, escapes and all, is no YAML
numbers = st.one_of(
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, 1, 1.0, 0.5, -0.0, 1e20, 1e-7, 5e-324]),
)
scalars = st.one_of(texts, texts, numbers, st.booleans(), st.none())
values = st.recursive(
    scalars,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | keys, below, max_size=3),
    max_leaves=8,
)


def edit_value(value: Any) -> st.SearchStrategy[Any]:
    """Return what may stand where a value stood: something else, or the same with a part changed."""
    if isinstance(value, dict) and value:
        one = st.sampled_from(sorted(value)).flatmap(
            lambda key: st.one_of(
                edit_value(value[key]).map(lambda new: {**value, key: new}),
                st.just({name: below for name, below in value.items() if name != key}),
            )
        )
        more = st.tuples(st.sampled_from(KEYS), values).map(lambda pair: {pair[0]: pair[1], **value})
        return one | one | more | values
    if isinstance(value, list) and value:
        shorter = st.integers(0, len(value) - 1).map(lambda index: value[:index] + value[index + 1 :])
        longer = st.tuples(st.integers(0, len(value)), values).map(
            lambda change: [*value[: change[0]], change[1], *value[change[0] :]]
        )
        changed = st.integers(0, len(value) - 1).flatmap(
            lambda index: edit_value(value[index]).map(lambda new: [*value[:index], new, *value[index + 1 :]])
        )
        return st.one_of(shorter, longer, changed, values, st.just(value[::-1]))
    return edit_text(value) | values if isinstance(value, str) and value else values


def edit_text(text: str) -> st.SearchStrategy[str]:
    """Return a text, or the same one with a word more, or with a line broken."""
    first, _, rest = text.partition(" ")
    parts = [f"First {text}", f"{text} more", f"{first}\n{rest}", f"{text}\n", text.strip(), text.replace("\n", " ")]
    return texts | st.sampled_from([one for one in parts if one] or ["x"])


def edit_field(field: str, value: Any) -> st.SearchStrategy[Any]:
    """Return values that the API takes for a top-level field, null among them where it takes that."""
    null = st.none() if field in NULLABLE else st.nothing()
    if field in TEXTS:
        return null | (edit_text(value) if isinstance(value, str) and value else texts)
    if field == "firstMessageMode":
        return st.sampled_from([None, "assistant-speaks-first", "assistant-waits-for-user"])
    if field == "maxDurationSeconds":
        return st.none() | st.integers(1, 10**6)
    if field == "endCallPhrases":
        phrases = st.lists(texts, max_size=4)
        if isinstance(value, list) and value:
            phrases |= edit_value(value).filter(is_texts)
        return null | phrases
    if field == "metadata":
        return (
            null
            | edit_value(value).filter(lambda new: isinstance(new, dict))
            | st.dictionaries(keys, values, max_size=3)
        )
    return st.fixed_dictionaries({}, optional={key: nested_values(field, key) for key in INSIDE[field]}).map(
        lambda new: {**(value or {}), **new}
    )


def nested_values(field: str, key: str) -> st.SearchStrategy[Any]:
    """Return values that the API takes for a key inside `model`, `voice` or `transcriber`."""
    if key == "provider":
        return st.sampled_from({"model": ["openai", "anthropic"], "voice": ["edmo", "azure"]}.get(field, ["whisper"]))
    if key == "temperature":
        return st.sampled_from([0, 1, 2, 0.7, 1.0, 1e-7, 0.123456789])
    return st.integers(1, 10**6) if key == "maxTokens" else texts


def is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def add_undeclared(fields: Fields) -> Fields:
    """Return what the dashboard holds of a definition: also what nobody declared."""
    live = copy.deepcopy(fields)
    for name in ("model", "metadata"):
        if isinstance(live.get(name), dict):
            live[name]["nobody's"] = {"x": 1}
    return {"tools": [{"type": "endCall"}], **live}
