"""A tail shows each row once, however sync dies and repeats, and however often the viewer reconnects."""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from pynamodb.expressions.condition import size

from functions.query.tailing.commit_reader import CommitPosition, CommitReader, Commits
from functions.shared.tables.ledger import BATCH, COMMITS_A_PAGE, LedgerItem, batch_entry, log_entry
from functions.shared.tables.store_errors import ConditionFailedError, error_of
from functions.shared.tables.table import Table
from functions.sync.commit_log import CommitLog, LogSearch
from functions.sync.ledger import Batch, Ledger
from tests.crash.faults import Crash
from tests.crash.tailing import tail_faults
from tests.crash.world import TABLE, World

SEEDS = range(12)


def _verdicts(here: World, **choices: Any) -> Iterator[tuple[int, int]]:
    """Rows missed, and doubled, of one run after the other: a control fails as soon as one is."""
    return (tail_faults(here, seed, **choices) for seed in SEEDS)


def test_nothing_is_missed_or_doubled_in_any_order_of_commits_crashes_and_polls(here: World) -> None:
    before = CommitReader(TABLE).newest("managed").page
    assert set(_verdicts(here)) == {(0, 0)}
    assert CommitReader(TABLE).newest("managed").page >= before + 2, "no page was ever full"


class ByTime(CommitReader):
    """Looks right: committed batches that were leased after the newest one seen."""

    def after(self, destination: str, position: CommitPosition) -> Commits:
        log = CommitReader(TABLE)
        starts = [CommitPosition(page, 0) for page in range(log.newest(destination).page + 1)]
        logs = [log.after(destination, start) for start in starts]
        ids = {each for commits in logs for each in commits.batch_ids}
        items = Table(LedgerItem, TABLE).read([batch_entry(each) for each in ids])
        done = sorted((int(item.lease_until * 1000), item.entry.removeprefix(BATCH)) for item in items)
        newer = [(at, each) for at, each in done if at > position.page]
        last = newer[-1][0] if newer else position.page
        return Commits(tuple(each for _, each in newer), CommitPosition(last, 0))

    def newest(self, destination: str) -> CommitPosition:
        return self.after(destination, CommitPosition(0, 0)).end


def test_a_cursor_of_commit_times_misses_rows(here: World) -> None:
    """Two batches may be committed at one reading of the clock, and clocks differ."""
    assert any(missed for missed, _ in _verdicts(here, readers=lambda: ByTime(TABLE), limits=(500,)))


@pytest.fixture(params=["done first", "without a look"])
def looks_right(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Two ways to commit that look right and are not."""
    chance, done, write = random.Random(5), Ledger.done, CommitLog._write

    def done_first(self: Ledger, batch: Batch) -> None:
        """By a write of its own before the log, between which the process may die."""
        entry = batch_entry(batch.batch_id)
        self._table.update(entry, LedgerItem.state.set("done"))
        if chance.random() < 0.3:
            raise Crash
        done(self, batch)

    def without_a_look(self: CommitLog, destination: str, page: int, batch_id: str, beside: Any) -> None:
        """To the page that this process knows, whether or not the batch is in the log."""
        for further in range(page, page + 1000):
            commits = LedgerItem.commits
            has_room = commits.does_not_exist() | (size(commits) < COMMITS_A_PAGE)
            with suppress(ConditionFailedError):
                self._table.update(
                    log_entry(destination, further),
                    commits.set((commits | []).append([batch_id])),
                    LedgerItem.forget_at.set(2**40),
                    condition=has_room,
                )
                return
        write(self, destination, page, batch_id, beside)

    if request.param == "done first":
        monkeypatch.setattr(Ledger, "done", done_first)
    else:
        monkeypatch.setattr(CommitLog, "_write", without_a_look)
        monkeypatch.setattr(CommitLog, "search", lambda _self, _to, _id, page: LogSearch(False, page))
    return str(request.param)


def test_a_commit_in_two_writes_misses_rows_and_one_without_a_look_doubles_them(
    here: World, looks_right: str
) -> None:
    assert any(missed if looks_right == "done first" else doubled for missed, doubled in _verdicts(here))


def test_two_processes_that_append_at_once_leave_no_gap(here: World) -> None:
    """Each has its own belief of the last page; a full page sends both to the next one."""
    logs = [CommitLog(Table(LedgerItem, TABLE), here.ledger._client, here.clock) for _ in range(3)]
    ids = [f"{number:032x}" for number in range(70)]
    for number, batch_id in enumerate(ids):
        log = logs[number % 3 if number % 10 else 0]
        log.append("byoc:acme", batch_id, log.page("byoc:acme"))
    read: list[str] = []
    reader, position = CommitReader(TABLE), CommitPosition(0, 0)
    while (commits := reader.after("byoc:acme", position)).batch_ids:
        read += commits.batch_ids
        position = commits.end
    assert read == ids
    assert reader.newest("byoc:acme") == position
    assert reader.after("byoc:globex", CommitPosition(0, 0)).batch_ids == ()


@pytest.mark.parametrize("appended_at", [0, 24, 25, 60, 119])
def test_a_batch_is_in_the_log_once_wherever_it_is_and_however_often_it_is_appended(
    here: World, appended_at: int
) -> None:
    """From its own page on, the log is searched: a few pages at first, then many."""
    log, name = (
        CommitLog(Table(LedgerItem, TABLE), here.ledger._client, here.clock),
        f"byoc:once-{appended_at}",
    )
    page = log.page(name)
    for number in range(120):
        log.append(name, f"{number:032x}", log.page(name))
    batch_id, last = f"{appended_at:032x}", log.page(name)
    again = CommitLog(Table(LedgerItem, TABLE), here.ledger._client, here.clock)
    for each in (log, again):
        each.append(name, batch_id, page)
    assert log.search(name, batch_id, page) == LogSearch(True, appended_at // COMMITS_A_PAGE)
    assert log.search(name, "absent", page) == LogSearch(False, last, 20)
    reader, position, read = CommitReader(TABLE), CommitPosition(0, 0), Counter[str]()
    while (commits := reader.after(name, position)).batch_ids:
        read.update(commits.batch_ids)
        position = commits.end
    assert set(read.values()) == {1}
    assert read.total() == 120


def test_a_page_that_was_deleted_begins_again_without_a_gap(here: World) -> None:
    table, log = (
        Table(LedgerItem, TABLE),
        CommitLog(Table(LedgerItem, TABLE), here.ledger._client, here.clock),
    )
    for batch_id in ("a1", "a2"):
        log.append("byoc:old", batch_id, log.page("byoc:old"))
    position = CommitReader(TABLE).newest("byoc:old")
    table.delete("log#byoc:old#0")
    for batch_id in ("b1", "b2", "b3"):
        log.append("byoc:old", batch_id, log.page("byoc:old"))
    assert CommitReader(TABLE).after("byoc:old", position).batch_ids == ("b1", "b2", "b3")


def test_an_append_that_meets_a_transaction_is_repeated(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of meter, which marks the page."""
    table = Table(LedgerItem, TABLE)
    log, update, refused = CommitLog(table, here.ledger._client, here.clock), table.update, [2]

    def conflicting(*arguments: Any, **choices: Any) -> None:
        if str(arguments[0]).startswith("log#") and refused[0]:
            refused[0] -= 1
            raise error_of("TransactionConflictException")
        update(*arguments, **choices)

    monkeypatch.setattr(table, "update", conflicting)
    log.append("byoc:busy", "a1", 0)
    assert refused == [0]
    assert CommitReader(TABLE).newest("byoc:busy") == CommitPosition(0, 1, "a1")
