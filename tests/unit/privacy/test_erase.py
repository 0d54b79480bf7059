"""When an erasure may say that nothing is left."""

from datetime import UTC, datetime, timedelta

from functions.privacy.erasure.erase import STILL_BEING_STAGED, Erased, erase

from functions.privacy.erasure.subject import Subject
from functions.shared.tenancy import TenantId

ASKED_AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
LATER = ASKED_AT + STILL_BEING_STAGED
SOMEBODY = Subject(TenantId("acme"), "metadata.user_id", "u1")


class Places:
    """Rows, staged objects and quarantined rows, by number; `events` tells the order of what was done."""

    def __init__(
        self, rows: int = 0, staged: int = 0, quarantined: int = 0, *, stubborn: bool = False
    ) -> None:
        self.rows, self.staged, self.quarantined, self.stubborn = rows, staged, quarantined, stubborn
        self.done: list[str] = []

    def count(self, _subject: Subject, _until: datetime) -> int:
        return self.rows

    def erase(self, _subject: Subject, _until: datetime) -> None:
        self.done.append("rows")
        self.rows = self.rows if self.stubborn else 0

    def forget_quarantined(self, _subject: Subject) -> int:
        self.done.append("quarantine")
        found, self.quarantined = self.quarantined, 0
        return found

    def waiting(self, _tenant: TenantId, _until: datetime) -> int:
        self.done.append("staging")
        return self.staged


def run(places: Places, now: datetime = LATER) -> Erased:
    return erase(places, places, SOMEBODY, ASKED_AT, now)


def test_rows_are_erased_and_that_is_verified() -> None:
    places = Places(rows=7)

    assert run(places) == Erased(rows=7, quarantined=0, waiting=0, verified=True)


def test_nothing_is_touched_in_the_warehouse_while_rows_are_on_their_way() -> None:
    places = Places(rows=7, staged=1)

    assert run(places) == Erased(rows=0, quarantined=0, waiting=1, verified=False)
    assert places.rows == 7


def test_a_request_that_was_under_way_when_it_was_asked_is_waited_for() -> None:
    assert not run(Places(), now=LATER - timedelta(seconds=1)).verified


def test_what_was_in_the_quarantine_may_be_so_again_and_is_looked_for_once_more() -> None:
    places = Places(quarantined=3)

    assert not run(places).verified
    assert run(places).verified


def test_the_quarantine_is_looked_at_before_staging_and_staging_before_the_rows() -> None:
    places = Places(rows=1)
    run(places)

    assert places.done == ["quarantine", "staging", "rows"]


def test_rows_that_stay_are_never_called_gone() -> None:
    assert not run(Places(rows=7, stubborn=True)).verified
