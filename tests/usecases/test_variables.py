"""What a plan says about `{{variables}}`."""

from typing import Any

import pytest

from reconciler.core.origin import Change
from reconciler.core.outcome import Kind, Unsent
from reconciler.core.tree import MISSING
from reconciler.usecases.plan import describe_variables

PATH = ("firstMessage",)
NEW = "firstMessage mentions {{b}}, which is new: check that something fills it in"


@pytest.mark.parametrize(
    ("live", "desired", "notes"),
    [
        ("Hi {{a}}", "Hello {{ a }}", []),
        ("Hi {{a}}", "Hi", ["firstMessage no longer mentions {{a}}"]),
        ("Hi", "Hi {{b}}", [NEW]),
        ("Hi {{a}}", "Hi {{b}}", ["firstMessage no longer mentions {{a}}", NEW]),
        ("{{ b c }} {{a}}", "", ["firstMessage no longer mentions {{a}}, {{b c}}"]),
        ("Hi", "{{ }} {{}} { a } {{a}", []),
        (MISSING, "Hi {{b}}", []),
        (None, "Hi {{b}}", []),
        ("Hi {{a}}", None, []),
        ([{"content": "{{a}}"}, {"content": "x"}], [{"content": "x"}, {"content": "{{a}}"}], []),
        ([{"content": "{{a}}"}], [{"content": "{{b}}"}], ["firstMessage no longer mentions {{a}}", NEW]),
        (3, 4, []),
    ],
)
def test_variables_that_come_and_go(live: Any, desired: Any, notes: list[str]) -> None:
    change = Change(PATH, Kind.CHANGE, desired, live)
    assert [*describe_variables([change], lambda _: True)] == notes
    assert [*describe_variables([change], lambda _: False)] == []


def test_what_is_not_sent_loses_no_variable() -> None:
    change = Change(PATH, Kind.DRIFT, "Hi {{a}}", "Hi", unsent=Unsent.KEPT)
    assert [*describe_variables([change], lambda _: True)] == []
