"""A tail shows each row once, however sync dies and repeats, and however often the viewer reconnects."""

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest

from functions.query.tailing.commit_reader import CommitPosition, CommitReader, Commits
from functions.shared.tables.ledger import BATCH, LedgerItem
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.table import Table
from functions.shared.tables.transaction import Write, write_once
from functions.sync.commit_log import CommitLog
from tests.crash.faults import Crash
from tests.crash.tailing import tail_faults
from tests.crash.world import TABLE, World

SEEDS = range(12)

_DONE = LedgerItem.state.set("done")


def _verdicts(here: World, **choices: Any) -> Iterator[tuple[int, int]]:
    """Rows missed, and doubled, of one run after the other: a control fails as soon as one is."""
    return (tail_faults(here, seed, **choices) for seed in SEEDS)


def test_nothing_is_missed_or_doubled_in_any_order_of_commits_crashes_and_polls(here: World) -> None:
    before = CommitReader(TABLE).newest("managed").page
    assert set(_verdicts(here)) == {(0, 0)}
    assert CommitReader(TABLE).newest("managed").page >= before + 2, "no page was ever full"


class ByTime(CommitReader):
    """Looks right: batches whose `done_at` is after the newest one seen."""

    def after(self, destination: str, position: CommitPosition) -> Commits:  # noqa: ARG002
        items = Table(LedgerItem, TABLE).scan(LedgerItem.entry.startswith(BATCH))
        done = sorted((item.done_at, item.entry.removeprefix(BATCH)) for item in items if item.done_at)
        newer = [(at, each) for at, each in done if _seconds(at) > position.page]
        last = _seconds(newer[-1][0]) if newer else position.page
        return Commits(tuple(each for _, each in newer), CommitPosition(last, 0))

    def newest(self, destination: str) -> CommitPosition:
        return self.after(destination, CommitPosition(0, 0)).end


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def test_a_cursor_of_commit_times_misses_rows(here: World) -> None:
    """Two batches may be committed at one reading of the clock, and clocks differ."""
    assert any(missed for missed, _ in _verdicts(here, readers=lambda: ByTime(TABLE), limits=(500,)))


@pytest.fixture(params=["done first", "log first"])
def two_writes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Looks right: the log and the batch in two writes, between which the process may die."""
    chance = random.Random(5)

    def append(
        self: CommitLog, destination: str, batch_id: str, done: Write, is_done: Callable[[], bool]
    ) -> None:
        if is_done():
            return
        if request.param == "done first":
            write_once(self._client, [done])
            _die_sometimes(chance)
            _append_alone(self, destination, batch_id)
        else:
            _append_alone(self, destination, batch_id)
            _die_sometimes(chance)
            write_once(self._client, [done])

    monkeypatch.setattr(CommitLog, "append", append)
    return str(request.param)


def _die_sometimes(chance: random.Random) -> None:
    if chance.random() < 0.3:
        raise Crash


def _append_alone(log: CommitLog, destination: str, batch_id: str) -> None:
    page = log._page(destination)
    for further in range(page, page + 1000):
        with suppress(ConditionFailedError):
            write_once(log._client, [log._write(destination, further, batch_id)])
            log._pages[destination] = further
            return


def test_a_log_that_is_not_written_in_the_transaction_misses_or_doubles_rows(
    here: World, two_writes: str
) -> None:
    assert any(missed if two_writes == "done first" else doubled for missed, doubled in _verdicts(here))


def test_two_processes_that_append_at_once_leave_no_gap(here: World) -> None:
    """Each has its own belief of the last page; a full page sends both to the next one."""
    logs = [CommitLog(Table(LedgerItem, TABLE), here.ledger._client, here.clock) for _ in range(3)]
    table = Table(LedgerItem, TABLE)
    ids = [f"{number:032x}" for number in range(70)]
    for number, batch_id in enumerate(ids):
        done = table.write_of_update(f"{BATCH}{batch_id}", _DONE)
        logs[number % 3 if number % 10 else 0].append("byoc:acme", batch_id, done, lambda: False)
    read: list[str] = []
    reader, position = CommitReader(TABLE), CommitPosition(0, 0)
    while (commits := reader.after("byoc:acme", position)).batch_ids:
        read += commits.batch_ids
        position = commits.end
    assert read == ids
    assert reader.newest("byoc:acme") == position
    assert reader.after("byoc:globex", CommitPosition(0, 0)).batch_ids == ()


def test_a_page_that_was_deleted_begins_again_without_a_gap(here: World) -> None:
    table, log = (
        Table(LedgerItem, TABLE),
        CommitLog(Table(LedgerItem, TABLE), here.ledger._client, here.clock),
    )
    for batch_id in ("a1", "a2"):
        log.append(
            "byoc:old", batch_id, table.write_of_update(f"{BATCH}{batch_id}", LedgerItem.state.set("x")), bool
        )
    position = CommitReader(TABLE).newest("byoc:old")
    table.delete("log#byoc:old#0")
    for batch_id in ("b1", "b2", "b3"):
        log.append(
            "byoc:old", batch_id, table.write_of_update(f"{BATCH}{batch_id}", LedgerItem.state.set("x")), bool
        )
    assert CommitReader(TABLE).after("byoc:old", position).batch_ids == ("b1", "b2", "b3")
