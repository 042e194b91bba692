"""Classes made by our `dataclass` behave like those of the standard library, apart from the freeze at run time."""

import dataclasses
from typing import Any

import pytest

from reconciler import dataclass as ours


def make_class(decorator: Any) -> Any:
    @decorator(frozen=True, slots=True, kw_only=True)
    class Login:
        name: str
        password: str = dataclasses.field(default="", repr=False)
        line: int = dataclasses.field(default=1, compare=False)
        roles: tuple[str, ...] = ()

    return Login


LOGINS = [
    {"name": "ada"},
    {"name": "ada", "line": 7},
    {"name": "ada", "password": "hush"},
    {"name": "ada", "roles": ("admin",)},
    {"name": "bob"},
]


@pytest.mark.parametrize("first", LOGINS)
@pytest.mark.parametrize("second", LOGINS)
def test_two_are_equal_where_the_standard_library_s_are(first: dict[str, Any], second: dict[str, Any]) -> None:
    standard, own = make_class(dataclasses.dataclass), make_class(ours.dataclass)
    same = standard(**first) == standard(**second)
    assert (own(**first) == own(**second)) is same
    assert len({own(**first), own(**second)}) == (1 if same else 2)


@pytest.mark.parametrize("fields", LOGINS)
def test_the_text_is_the_standard_library_s_and_leaves_out_what_is_hidden(fields: dict[str, Any]) -> None:
    text = repr(make_class(ours.dataclass)(**fields))
    assert text == repr(make_class(dataclasses.dataclass)(**fields))
    assert "hush" not in text


def test_another_class_with_the_same_fields_is_not_equal() -> None:
    assert make_class(ours.dataclass)(name="ada") != make_class(ours.dataclass)(name="ada")


def test_replace_and_slots_work() -> None:
    login = make_class(ours.dataclass)(name="ada", password="hush")
    assert dataclasses.replace(login, name="bob").password == "hush"
    with pytest.raises(AttributeError):
        login.nickname = "a"


def test_what_may_change_has_no_hash_and_what_is_equal_to_itself_alone_has_one() -> None:
    @ours.dataclass()
    class Counter:
        value: int

    @ours.dataclass(frozen=True, eq=False)
    class Card:
        title: str

    assert Counter(1) == Counter(1)
    with pytest.raises(TypeError, match="unhashable"):
        hash(Counter(1))
    card = Card("a")
    assert {card, Card("a")} - {card}
