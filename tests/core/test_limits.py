"""How many assistants one run may write to."""

import pytest

from reconciler.core.settings import MaxChanges


@pytest.mark.parametrize(
    ("written", "selected", "limit"),
    [
        (0, 10, 0), (5, 3, 5), ("5", 100, 5), ("25%", 100, 25), ("25%", 7, 1), ("25%", 3, 0), ("0%", 9, 0),
        ("100%", 9, 9), ("33.4%", 1000, 334), ("2.5 %", 1000, 25), (" 10% ", 50, 5), ("29%", 100, 29),
    ],
)  # fmt: skip
def test_a_number_or_a_share_of_the_assistants_is_a_limit(written: str | int, selected: int, limit: int) -> None:
    assert MaxChanges.parse(written).limit(selected) == limit


@pytest.mark.parametrize(
    "written", ["", "%", "-1", -1, "101%", "100.5%", "1e3", "many", True, False, "5 assistants", "1.5"]
)
def test_what_is_no_limit(written: str | int) -> None:
    with pytest.raises(ValueError, match="must be a number of assistants, like 5, or a percentage"):
        MaxChanges.parse(written)
