"""SQL values, bound by the engine and never part of the statement's text."""

from collections.abc import Sequence

from functions.query import times

Bound = str | int | float | list[str] | list[float] | list[int]


class Bindings:
    """Creates `{p0:Type}` placeholders and stores their values.

    A placeholder may be used any number of times; a list of any length is one value.
    """

    def __init__(self) -> None:
        self.parameters: dict[str, Bound] = {}

    def text(self, value: str) -> str:
        return self._bind(value, "String")

    def texts(self, values: Sequence[str]) -> str:
        return self._bind(list(values), "Array(String)")

    def number(self, value: float) -> str:
        return self._bind(float(value), "Float64")

    def numbers(self, values: Sequence[float]) -> str:
        return self._bind([float(value) for value in values], "Array(Float64)")

    def instant(self, value: int) -> str:
        """`value` in nanoseconds since 1970."""
        return self._bind(times.for_engine(value), "DateTime64(9, 'UTC')")

    def instants(self, values: Sequence[int]) -> str:
        """`values` in nanoseconds since 1970."""
        return self._bind([times.for_engine(value) for value in values], "Array(DateTime64(9, 'UTC'))")

    def microsecond(self, value: int) -> str:
        """`value` in nanoseconds since 1970, as the type of `received_at`; truncated to microseconds."""
        return self._bind(times.for_engine(value)[:-3], "DateTime64(6, 'UTC')")

    def integers(self, values: Sequence[int]) -> str:
        """`values`, which may be negative."""
        return self._bind(list(values), "Array(Int64)")

    def whole(self, value: int) -> str:
        """`value`, which is not negative."""
        return self._bind(value, "UInt64")

    def integer(self, value: int) -> str:
        """`value`, which may be negative."""
        return self._bind(value, "Int64")

    def _bind(self, value: Bound, kind: str) -> str:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f"{{{name}:{kind}}}"
