"""Faults a test can order from the ClickHouse face: `POST /_fault` with one of

    {"mode": "busy", "code": 252, "count": 3}         refuse with that code; nothing is written
    {"mode": "lose_answer", "count": 1}               run it, then drop the connection without a word
    {"mode": "slow", "seconds": 2, "count": 1}        wait before running it
    {"mode": "down", "seconds": 2}                    do not even accept connections for that long
    {"mode": "none"}                                  forget what was ordered

`"statement": "INSERT"` limits the first three to statements that begin so; a client's own questions at
connect would otherwise use them up. `count` defaults to 1. A new order replaces the old one.
"""

from dataclasses import dataclass, replace

MODES = ("none", "busy", "lose_answer", "slow", "down")


class FaultOrderError(ValueError):
    """No such fault can be ordered."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One order; see the module."""

    mode: str = "none"
    code: int = 252
    count: int = 1
    seconds: float = 1.0
    statement: str = ""

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise FaultOrderError(f"mode is one of {', '.join(MODES)}")


NO_FAULT = Fault()


class Faults:
    """Holds the order and counts it down. For one event loop."""

    def __init__(self) -> None:
        self._fault = NO_FAULT

    def order(self, fault: Fault) -> None:
        self._fault = fault

    def next(self, sql: str) -> Fault:
        """The fault that `sql` meets, counted as used; NO_FAULT when none."""
        fault = self._fault
        if not sql.lstrip().upper().startswith(fault.statement.upper()):
            return NO_FAULT
        self._fault = replace(fault, count=fault.count - 1) if fault.count > 1 else NO_FAULT
        return fault
