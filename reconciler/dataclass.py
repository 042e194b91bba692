"""The standard library's `dataclass`, which makes a class in a third of the time.

A plan imports 110 such classes. The standard decorator writes and compiles six methods for each, which was a fifth of
the processor's time of a plan of ten assistants. Here only `__init__` is compiled; the classes share the rest.

To mypy this is the standard decorator, so it rejects an assignment to a field of a frozen class. At run time nothing
does. A class that is ordered, or that has a `__repr__` or `__eq__` of its own, takes the standard decorator.
"""

import dataclasses
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(
        *, frozen: bool = False, slots: bool = False, kw_only: bool = False, eq: bool = True
    ) -> Callable[[type], type]:
        """Return the decorator; the arguments mean what they mean to the standard library's."""

        def make(cls: type) -> type:
            new_class = dataclasses.dataclass(slots=slots, kw_only=kw_only, eq=False, repr=False)(cls)
            new_class.__repr__ = _write_fields
            if eq:
                _compare_by_fields(new_class, frozen=frozen)
            return new_class

        return make


def _write_fields(self: Any) -> str:
    fields = (f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
    return f"{type(self).__qualname__}({', '.join(fields)})"


def _compare_by_fields(cls: Any, *, frozen: bool) -> None:
    """Give a class the equality of its fields, and a frozen one the hash that goes with it."""
    values = operator.attrgetter(*[field.name for field in dataclasses.fields(cls) if field.compare])

    def equals(self: object, other: object) -> bool:
        return values(self) == values(other) if type(self) is type(other) else NotImplemented

    def make_hash(self: object) -> int:
        return hash(values(self))

    cls.__eq__ = equals
    cls.__hash__ = make_hash if frozen else None
