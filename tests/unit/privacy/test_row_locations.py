"""Rows move while an erasure looks for them: no move hides them from it, and none reappears after it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from backports import zstd
from obstore.store import MemoryStore

from functions.privacy.erasure.place import ErasureClock
from functions.privacy.erasure.planner import ErasurePlanner
from functions.privacy.erasure.progress import ErasureProgress
from functions.privacy.erasure.record import ACCOUNT, PERSON, RUNNING, Erasure
from functions.privacy.erasure.run import ErasureRun
from functions.privacy.erasure.subject import Subject
from functions.quarantine.documents import QuarantineStore
from functions.shared.buckets.contract import ListedObject
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.events.staged_key import StagedKey, time_ordered_id
from functions.shared.quarantine import QuarantineHeader, document_key, pack, unpack
from functions.shared.tenancy import TenantId, checkpoint_prefix, quarantine_prefix, staged_prefix

ACME = TenantId("acme")
JANE = Subject(ACME, "message", "jane@example.org")
LINE = json.dumps({"message": "of jane@example.org", "metadata": {}}).encode()
REPLAY_SECONDS = 29
"""How long a request of the API lasts at the most."""

SYNC_SECONDS = 60


@dataclass
class Cloud:
    """A bucket and a warehouse with one line somewhere in them; `moves` take place just before a look."""

    moves: dict[int, Callable[["Cloud"], None]] = field(default_factory=dict)
    bucket: PlatformBucket = field(default_factory=lambda: PlatformBucket(MemoryStore()))
    loaded: int = 0
    looks: int = 0

    def look(self) -> None:
        self.looks += 1
        if move := self.moves.pop(self.looks, None):
            move(self)

    def under(self, prefix: str) -> Iterator[ListedObject]:
        if prefix in (staged_prefix(ACME), quarantine_prefix(ACME)):
            self.look()
        return self.bucket.under(prefix)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bucket, name)

    # A warehouse, as far as an erasure asks for one.
    def count(self, *_whose: Any) -> int:
        self.look()
        return self.loaded

    def erase(self, *_whose: Any) -> bool:
        self.loaded = 0
        return True

    def now(self) -> str:
        return "2026-11-25 00:00:00"

    def texts(self, *_whose: Any) -> int:
        return 0

    def old_parts(self, *_at: Any) -> int:
        return 0

    def left(self) -> tuple[int, int, int]:
        keys = [[*self.bucket.under(prefix(ACME))] for prefix in (staged_prefix, quarantine_prefix)]
        return len(keys[0]), len(keys[1]), self.loaded


def accept(cloud: Cloud) -> None:
    today = datetime.now(UTC).date()
    key = StagedKey(ACME, today, time_ordered_id(), 1, len(LINE), date(2030, 1, 1))
    cloud.bucket.create(str(key), zstd.compress(LINE + b"\n"))


def staged(cloud: Cloud) -> list[str]:
    return [each.key for each in cloud.bucket.under(staged_prefix(ACME))]


def load(cloud: Cloud) -> None:
    cloud.loaded += len(keys := staged(cloud))
    cloud.bucket.delete(keys)


def quarantine(cloud: Cloud) -> None:
    for key in staged(cloud):
        header = QuarantineHeader("refused", 27, key, "b", [0], 1, date(2030, 1, 1), datetime.now(UTC))
        cloud.bucket.create(document_key(ACME, StagedKey.parse(key).object_id), pack(header, [LINE]))
        cloud.bucket.delete([key])


def replay(cloud: Cloud) -> None:
    documents = QuarantineStore(cloud.bucket)
    for each in documents.listed(ACME)[0]:
        documents.replay(ACME, documents.read(ACME, each), date(2029, 1, 1))


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC).timestamp() + 120

    def __call__(self) -> float:
        return self.now


class Saves:
    def save(self, erasure: Erasure) -> Erasure:
        return replace(erasure, revision=erasure.revision + 1)


class Nothing:
    """Stands for every other store: nothing is in it, and it accepts any call."""

    def __getattr__(self, _name: str) -> "Nothing":
        return self

    def __call__(self, *_arguments: Any, **_named: Any) -> list[Any]:
        return []


class OneCustomer:
    """A customer's own stores."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def archives(self, _tenant: TenantId) -> Nothing:
        return Nothing()

    def bucket(self, _tenant: TenantId) -> Cloud:
        return self.cloud

    def warehouse(self, _tenant: TenantId, _timeout_seconds: int) -> Cloud:
        return self.cloud


@pytest.fixture(autouse=True)
def _own_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Cloud is asked as EventRows are, not in SQL."""
    monkeypatch.setattr("functions.privacy.erasure.person_planner.EventRows", lambda cloud: cloud)


def work(cloud: Cloud, clock: Clock, kind: str = PERSON, own: bool = False) -> ErasureRun:
    """An erasure as the eraser does it; with `own`, `cloud` is the customer's.

    Its files are settled already, so that the first round may be the last.
    """
    nothing: Any = Nothing()
    ours: Any = Cloud() if own else cloud
    byoc_clients: Any = OneCustomer(cloud)
    planner = ErasurePlanner(
        tables=nothing,
        erasures=nothing,
        exports=nothing,
        archives=nothing,
        search_exports=nothing,
        tombstones=nothing,
        shards=nothing,
        closings=nothing,
        sign_ins=nothing,
        suppressions=nothing,
        drops=nothing,
        staging=ours,
        exports_bucket=nothing,
        rows=ours,
        byoc_clients=byoc_clients,
        time=ErasureClock(clock, lambda: 300.0),
        settle=timedelta(),
    )
    at = int(clock.now) - 60
    subject, progress = JANE if kind == PERSON else None, ErasureProgress(marks={"last_file": str(at)})
    return planner.of(Erasure(ACME, "era_1", kind, RUNNING, at, at, subject, progress=progress, byoc=own))


def erased(cloud: Cloud, **what: Any) -> None:
    """Until it is verified; sync comes by between two runs."""
    clock = Clock()
    here = work(cloud, clock, **what)
    for _ in range(20):
        if here.advance(Saves(), ErasureClock(clock, lambda: 300.0)):
            return
        load(cloud)
        clock.now += 300
    raise AssertionError("never verified")


BEGINNINGS: dict[str, tuple[Callable[[Cloud], None], ...]] = {
    "staged": (accept,),
    "quarantined": (accept, quarantine),
    "loaded": (accept, load),
}


@pytest.mark.parametrize("look", range(1, 16))
@pytest.mark.parametrize("move", [load, quarantine, replay])
@pytest.mark.parametrize("beginning", BEGINNINGS)
@pytest.mark.parametrize("own", [False, True])
def test_what_moves_between_two_looks_is_found(
    own: bool, beginning: str, move: Callable[[Cloud], None], look: int
) -> None:
    cloud = Cloud({look: move})
    for each in BEGINNINGS[beginning]:
        each(cloud)
    erased(cloud, own=own)

    assert cloud.left() == (0, 0, 0)


@pytest.mark.parametrize("look", range(1, 10))
@pytest.mark.parametrize("move", [load, quarantine])
def test_what_sync_moves_while_an_account_is_erased_is_found(
    move: Callable[[Cloud], None], look: int
) -> None:
    """It goes one way only: no account is left that could replay it."""
    cloud = Cloud({look: move})
    accept(cloud)
    erased(cloud, kind=ACCOUNT)

    assert cloud.left() == (0, 0, 0)


def test_what_reading_left_behind_in_a_customers_own_bucket_goes() -> None:
    """A checkpoint has some of a file's text."""
    cloud = Cloud()
    cloud.bucket.create(f"{checkpoint_prefix(ACME)}{'0' * 64}/000001-1", LINE)
    erased(cloud, own=True)

    assert list(cloud.bucket.under(checkpoint_prefix(ACME))) == []


def test_a_replay_that_had_read_the_document_before_it_was_emptied_brings_nothing_back() -> None:
    """It stages what it has read half a minute later: the last round begins after that."""
    cloud, clock = Cloud(), Clock()
    accept(cloud)
    quarantine(cloud)
    documents = QuarantineStore(cloud.bucket)
    (name,) = documents.listed(ACME)[0]
    read = documents.read(ACME, name)
    here = work(cloud, clock)
    assert not here.advance(Saves(), ErasureClock(clock, lambda: 300.0))
    assert cloud.left() == (0, 0, 0)
    clock.now += REPLAY_SECONDS - 1
    assert not here.advance(Saves(), ErasureClock(clock, lambda: 300.0))
    clock.now += 1
    documents.replay(ACME, read, date(2029, 1, 1))
    load(cloud)
    while not here.advance(Saves(), ErasureClock(clock, lambda: 300.0)):
        clock.now += 60

    assert cloud.left() == (0, 0, 0)


def test_rows_that_sync_quarantines_for_the_second_time_are_found() -> None:
    """Another sync had done so; the document was emptied; the first one, slower, writes it again."""
    cloud, clock = Cloud(), Clock()
    accept(cloud)
    (key,) = staged(cloud)
    quarantine(cloud)
    (listed,) = cloud.bucket.under(quarantine_prefix(ACME))
    document = cloud.bucket.get(listed.key)
    assert document
    body = bytes(document.body)
    here = work(cloud, clock)
    assert not here.advance(Saves(), ErasureClock(clock, lambda: 300.0))
    clock.now += SYNC_SECONDS - 1
    assert not here.advance(Saves(), ErasureClock(clock, lambda: 300.0))
    clock.now += 1
    cloud.bucket.create(document_key(ACME, StagedKey.parse(key).object_id), body)
    assert unpack(body)[1] == [LINE]
    while not here.advance(Saves(), ErasureClock(clock, lambda: 300.0)):
        clock.now += 60

    assert cloud.left() == (0, 0, 0)
