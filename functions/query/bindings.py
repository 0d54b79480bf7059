"""Values on their way into SQL: bound by the engine, never part of the text."""

from functions.query import times

Bound = str | int | float | list[str]


class Bindings:
    """Hands out `{p0:Type}` placeholders and keeps the values for them."""

    def __init__(self) -> None:
        self.parameters: dict[str, Bound] = {}

    def text(self, value: str) -> str:
        return self._bind(value, "String")

    def texts(self, values: list[str]) -> str:
        return self._bind(values, "Array(String)")

    def number(self, value: float) -> str:
        return self._bind(float(value), "Float64")

    def instant(self, value: int) -> str:
        """`value` in nanoseconds since 1970."""
        return self._bind(times.for_engine(value), "DateTime64(9, 'UTC')")

    def whole(self, value: int) -> str:
        return self._bind(value, "UInt64")

    def _bind(self, value: Bound, kind: str) -> str:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f"{{{name}:{kind}}}"
