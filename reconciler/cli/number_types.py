"""Numbers on the command line, within a range; their names stand in click's messages."""

import math
from typing import Any

import click


class Seconds(click.FloatRange):
    """A range of numbers that does not let `nan` through, which is in no range and out of none."""

    name = "number of seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number that a text names."""
        number = float(super().convert(value, param, ctx))
        return number if math.isfinite(number) else self.fail(f"{value} is not a number of seconds.", param, ctx)


class Count(click.IntRange):
    """A range of whole numbers; the name stands in click's message."""

    name = "whole number"
