"""A place that runs out of time begins the next turn, and with a whole turn to itself it is left."""

from dataclasses import dataclass

from functions.privacy.erasure.place import ErasureClock, NotYetError
from functions.privacy.erasure.record import PERSON, RUNNING, Erasure
from functions.privacy.erasure.run import ErasureRun
from functions.privacy.erasure.subject import Subject
from functions.shared.tenancy import TenantId

NOON = 1_800_000_000
ACME = TenantId("acme")


class Store:
    def save(self, erasure: Erasure) -> Erasure:
        return erasure


@dataclass
class Slow:
    """A place that needs so many seconds."""

    needs: float
    time: ErasureClock
    looks: int = 0

    def count(self) -> int:
        self.looks += 1
        self.time.need(self.needs)
        return 0

    def remove(self) -> str | None:
        raise NotYetError("never asked")


def work(**needs: float) -> tuple[ErasureRun, dict[str, Slow], ErasureClock]:
    time = ErasureClock(lambda: NOON + 60.0, lambda: 100.0)
    places = {name: Slow(seconds, time) for name, seconds in needs.items()}
    subject = Subject(ACME, "message", "jane")
    erasure = Erasure(ACME, "era_1", PERSON, RUNNING, NOON, NOON, subject)
    return ErasureRun(erasure, places=dict(places), quiet_at=0.0), places, time


def test_the_next_turn_begins_where_time_was_over() -> None:
    erasing, places, time = work(quick=1, slow=200, after=1)
    assert not erasing.advance(Store(), time)
    assert (erasing.erasure.progress.left, places["after"].looks) == ({}, 0)
    places["slow"].needs = 50
    assert erasing.advance(Store(), time)
    assert {name: each.looks for name, each in places.items()} == {"quick": 1, "slow": 2, "after": 1}


def test_what_a_whole_turn_is_too_short_for_keeps_no_other_place_waiting() -> None:
    erasing, places, time = work(slow=200, after=1)
    assert not erasing.advance(Store(), time)
    assert not erasing.advance(Store(), time)
    assert erasing.erasure.progress.waits_for == {"slow": "time"}
    assert places["after"].looks == 1
