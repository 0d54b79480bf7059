"""Faults a test can order from the ClickHouse face: `POST /_fault` with one of

    {"mode": "busy", "code": 252, "count": 3}         reject with that code; nothing is written
    {"mode": "lose_answer", "count": 1}               run it, then drop the connection without an answer
    {"mode": "slow", "seconds": 2, "count": 1}        wait before running it
    {"mode": "down", "seconds": 2}                    refuse connections for that long
    {"mode": "none"}                                  cancel the ordered fault

`"statement": "INSERT"` limits the first three to statements that begin so, or a client's own queries on
connect would use them up. `count` defaults to 1. A new order replaces the old one.
"""

from dataclasses import dataclass, replace

MODES = ("none", "busy", "lose_answer", "slow", "down")


class FaultOrderError(ValueError):
    """The ordered fault does not exist."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One ordered fault; see the module."""

    mode: str = "none"
    code: int = 252
    count: int = 1
    seconds: float = 1.0
    statement: str = ""

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise FaultOrderError(f"mode must be one of {', '.join(MODES)}")


NO_FAULT = Fault()


class Faults:
    """Holds the ordered fault and counts its uses. For one event loop."""

    def __init__(self) -> None:
        self._fault = NO_FAULT

    def order(self, fault: Fault) -> None:
        self._fault = fault

    def next(self, sql: str) -> Fault:
        """The fault for `sql`, counted as used; NO_FAULT if none applies."""
        fault = self._fault
        if not sql.lstrip().upper().startswith(fault.statement.upper()):
            return NO_FAULT
        self._fault = replace(fault, count=fault.count - 1) if fault.count > 1 else NO_FAULT
        return fault
