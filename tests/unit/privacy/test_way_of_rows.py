"""Rows move while an erasure looks for them: no move hides them from it, and none comes back after it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from backports import zstd
from obstore.store import MemoryStore

from functions.privacy.erasure.objects import STILL_BEING_STAGED
from functions.privacy.erasure.place import Time
from functions.privacy.erasure.record import PERSON, RUNNING, Erasure
from functions.privacy.erasure.run import Work
from functions.privacy.erasure.subject import Subject
from functions.privacy.erasure.way_of_rows import STILL_BEING_WRITTEN, way_of_rows
from functions.quarantine.documents import Documents
from functions.shared.buckets.contract import Listed
from functions.shared.buckets.own import OwnBucket
from functions.shared.quarantine import Header, document_key, pack, unpack
from functions.shared.staging import StagedKey, time_ordered_id
from functions.shared.tenancy import TenantId, quarantine_prefix, staged_prefix

ACME = TenantId("acme")
JANE = Subject(ACME, "message", "jane@example.org")
LINE = json.dumps({"message": "of jane@example.org", "metadata": {}}).encode()
REPLAY_SECONDS = 29
"""How long a request of the API lasts at the most."""


@dataclass
class Cloud:
    """A bucket and a warehouse with one line somewhere in them; `moves` take place just before a look."""

    moves: dict[int, Callable[["Cloud"], None]] = field(default_factory=dict)
    bucket: OwnBucket = field(default_factory=lambda: OwnBucket(MemoryStore()))
    loaded: int = 0
    looks: int = 0

    def look(self) -> None:
        self.looks += 1
        if move := self.moves.pop(self.looks, None):
            move(self)

    def under(self, prefix: str) -> Iterator[Listed]:
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


def set_aside(cloud: Cloud) -> None:
    for key in staged(cloud):
        header = Header("refused", 27, key, "b", [0], 1, date(2030, 1, 1), datetime.now(UTC))
        cloud.bucket.create(document_key(ACME, StagedKey.parse(key).object_id), pack(header, [LINE]))
        cloud.bucket.delete([key])


def replay(cloud: Cloud) -> None:
    documents = Documents(cloud.bucket)
    for each in documents.ids(ACME):
        documents.replay(ACME, documents.read(ACME, each), date(2029, 1, 1))


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC).timestamp() + 120

    def __call__(self) -> float:
        return self.now


class Saves:
    def save(self, erasure: Erasure) -> Erasure:
        return replace(erasure, revision=erasure.revision + 1)


def work(cloud: Cloud, clock: Clock) -> Work:
    asked_at = datetime.fromtimestamp(int(clock.now) - 60, UTC)
    at = int(asked_at.timestamp())
    made = Work(
        Erasure(ACME, "era_1", PERSON, RUNNING, at, at, JANE),
        quiet_at=(asked_at + STILL_BEING_STAGED).timestamp(),
        settle_seconds=STILL_BEING_WRITTEN.total_seconds(),
    )
    places: Any = way_of_rows(JANE, lambda: asked_at, cloud, cloud, Time(clock, lambda: 300.0))  # type: ignore[arg-type]
    made.places |= places
    return made


def erased(cloud: Cloud, clock: Clock | None = None, sync: Callable[[Cloud], None] = load) -> None:
    """Until it is verified; sync comes by between two runs."""
    clock = clock or Clock()
    here = work(cloud, clock)
    for _ in range(20):
        if here.go_on(Saves(), Time(clock, lambda: 300.0)):
            return
        sync(cloud)
        clock.now += 300
    raise AssertionError("never verified")


BEGINNINGS: dict[str, tuple[Callable[[Cloud], None], ...]] = {
    "staged": (accept,),
    "quarantined": (accept, set_aside),
    "loaded": (accept, load),
}


@pytest.mark.parametrize("look", range(1, 16))
@pytest.mark.parametrize("move", [load, set_aside, replay])
@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_what_moves_between_two_looks_is_found(
    beginning: str, move: Callable[[Cloud], None], look: int
) -> None:
    cloud = Cloud({look: move})
    for each in BEGINNINGS[beginning]:
        each(cloud)
    erased(cloud)

    assert cloud.left() == (0, 0, 0)


def test_a_replay_that_had_read_the_document_before_it_was_emptied_brings_nothing_back() -> None:
    """It stages what it has read half a minute later: the last round begins after that."""
    cloud, clock = Cloud(), Clock()
    accept(cloud)
    set_aside(cloud)
    documents = Documents(cloud.bucket)
    (name,) = documents.ids(ACME)
    read = documents.read(ACME, name)
    here = work(cloud, clock)
    assert not here.go_on(Saves(), Time(clock, lambda: 300.0))
    assert cloud.left() == (0, 0, 0)
    clock.now += REPLAY_SECONDS
    documents.replay(ACME, read, date(2029, 1, 1))
    load(cloud)
    while not here.go_on(Saves(), Time(clock, lambda: 300.0)):
        clock.now += 60

    assert cloud.left() == (0, 0, 0)


def test_what_sync_was_setting_aside_for_the_second_time_is_found() -> None:
    """Another sync had done so; the document was emptied; the first one, slower, writes it again."""
    cloud, clock = Cloud(), Clock()
    accept(cloud)
    (key,) = staged(cloud)
    set_aside(cloud)
    (listed,) = cloud.bucket.under(quarantine_prefix(ACME))
    document = cloud.bucket.get(listed.key)
    assert document
    body = bytes(document.body)
    here = work(cloud, clock)
    assert not here.go_on(Saves(), Time(clock, lambda: 300.0))
    clock.now += 60
    cloud.bucket.create(document_key(ACME, StagedKey.parse(key).object_id), body)
    assert unpack(body)[1] == [LINE]
    while not here.go_on(Saves(), Time(clock, lambda: 300.0)):
        clock.now += 60

    assert cloud.left() == (0, 0, 0)
