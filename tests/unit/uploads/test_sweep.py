"""Files without a notification are found; those read, being read or too young are left alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.shared.buckets.contract import BucketRefusedError, BucketUnavailableError
from functions.shared.buckets.drop_bucket import DropBucket, DroppedFile
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId, dropin_prefix
from functions.uploads.backlog import WaitingFile
from functions.uploads.file_reader import FileReader
from functions.uploads.queue import DropQueue
from functions.uploads.register import UploadRegister
from functions.uploads.sweeper import MONTH, RECENT, SETTLE, STANDS_STILL, DropSweep, run
from tests.unit.shared.turns import Turns
from tests.unit.uploads.world import ACME, DROP, GLOBEX, UPLOADS, KilledError, Sqs, World

INITECH = TenantId("initech")


@dataclass
class CustomerBuckets:
    s3: Any
    fault: Exception | None = None
    forgotten: int = 0

    def drops(self, _tenant: TenantId) -> DropBucket:
        if self.fault:
            raise self.fault
        return DropBucket(self.s3, DROP)

    def evict(self, _tenant: TenantId) -> None:
        self.forgotten += 1


def sweep(here: World, customer_buckets: CustomerBuckets | None = None) -> tuple[DropSweep, Sqs, Sqs]:
    ours, theirs = Sqs(), Sqs()
    made = DropSweep(
        DropBucket(here.s3, DROP),
        customer_buckets or CustomerBuckets(here.s3),  # type: ignore[arg-type]
        here.register,
        here.backlogs,
        DropQueue("dropped", "sweeper", ours),
        DropQueue("dropped-byoc", "sweeper", theirs),
        Turns(),
    )
    return made, ours, theirs


def after(time: timedelta, minute: int = 30) -> datetime:
    return (datetime.now(UTC) + time).replace(minute=minute)


@contextmanager
def freeze(now: datetime) -> Iterator[None]:
    class Then(datetime):
        @classmethod
        def now(cls, _zone: Any = None) -> Any:
            return now

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("functions.uploads.sweeper.datetime", Then)
        yield


def soon() -> datetime:
    return datetime.now(UTC) + SETTLE + timedelta(minutes=1)


def test_a_file_without_a_notification_is_published_and_read_once(here: World) -> None:
    names = ["a", "b c+%.log", "ü"]
    shown = [here.put(name, f"{name}\n".encode()) for name in names]
    here.deliver(shown[0])
    sweeper, ours, _ = sweep(here)

    assert sweeper.one(None, datetime.now(UTC)) == 0, "S3 may still notify of it"
    assert sweeper.one(None, soon()) == 2
    assert here.deliver(*ours.bodies, *shown) == []
    assert sorted(here.messages()) == sorted(names)
    assert sweeper.one(None, soon()) == 0


def test_a_kept_file_is_never_read_again(here: World) -> None:
    here.register.choose_originals(GLOBEX, "keep")
    here.drop("x", b"line\n", GLOBEX)
    sweeper, _, _ = sweep(here)
    for now in (soon(), after(RECENT), after(timedelta(days=29), 2), after(timedelta(days=80), 2)):
        assert sweeper.one(None, now) == 0


def test_older_files_are_looked_for_once_an_hour_and_for_a_month(here: World) -> None:
    here.put("x", b"line\n")
    sweeper, _, _ = sweep(here)
    day = timedelta(days=1)
    assert sweeper.one(None, after(day, 30)) == 0
    assert sweeper.one(None, after(day, 2)) == 1
    assert sweeper.one(None, after(MONTH + day, 2)) == 0


def test_a_file_whose_reading_stands_still_is_published_again(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_reading: FileReader) -> bool:
        raise KilledError

    body = here.put("x", b"line\n")
    with monkeypatch.context() as patch:
        patch.setattr(FileReader, "run", die)
        with pytest.raises(KilledError):
            here.deliver(body)
    sweeper, ours, _ = sweep(here)
    assert sweeper.one(None, soon()) == 0, "a reader may be at it"
    later = datetime.now(UTC) + STANDS_STILL + timedelta(minutes=10)
    assert sweeper.one(None, later) == 1
    here.later += 3000
    assert here.deliver(*ours.bodies) == []
    assert here.messages() == ["line"]


def test_customers_buckets_are_swept_under_their_own_prefix_only(here: World) -> None:
    for tenant in (INITECH, GLOBEX):
        here.put("x", b"line\n", tenant)
    sweeper, ours, theirs = sweep(here)
    assert sweeper.one(INITECH, soon()) == 1
    assert len(theirs.bodies) == 1
    assert dropin_prefix(INITECH).replace("=", "%3D").replace("/", "%2F") in theirs.bodies[0]
    assert ours.bodies == []


@pytest.mark.parametrize("limit", ["listed", "time"])
def test_a_bucket_too_large_for_a_run_is_gone_through_in_several(
    here: World, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """However many files lie there before it, read and kept: the last is found, and then a new first one."""
    monkeypatch.setattr("functions.uploads.sweeper.LOOKED_UP_AT_A_TIME", 2)
    if limit == "listed":
        monkeypatch.setattr("functions.uploads.sweeper.LISTED_A_RUN", 3)
    here.register.choose_originals(GLOBEX, "keep")
    for number in range(6):
        here.drop(f"kept-{number}", f"old {number}\n".encode(), GLOBEX)
    for name in ("z-last", "a-first"):
        here.put(name, f"{name}\n".encode(), GLOBEX)
        for _ in range(4):  # each in an environment of its own, which remembers nothing
            sweeper, ours, _ = sweep(here)
            assert sweeper.one(None, soon(), lambda: limit != "time") is not None
            assert here.deliver(*ours.bodies) == []
        assert name in here.messages(GLOBEX)
    assert len(here.messages(GLOBEX)) == 8


def test_a_bucket_that_became_small_again_is_swept_in_one_run(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.put("a", b"a\n")
    with monkeypatch.context() as patch:
        patch.setattr("functions.uploads.sweeper.LISTED_A_RUN", 1)
        sweep(here)[0].one(None, soon())
    assert here.register.swept_to(None) == "dropin/v1/tenant=acme/a"
    for expected in ("", None, None):
        sweep(here)[0].one(None, soon())
        assert here.register.swept_to(None) == expected


def test_what_waits_on_the_queue_is_not_published_by_every_run(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a backlog grows by itself, and files behind those of one run are never published."""
    monkeypatch.setattr("functions.uploads.sweeper.LOOKED_UP_AT_A_TIME", 1)
    monkeypatch.setattr("functions.uploads.sweeper.FILES_A_RUN", 2)
    for name in "abc":
        here.put(name, b"line\n")
    sweeper, ours, _ = sweep(here)
    assert [sweeper.one(None, soon()) for _ in range(4)] == [2, 1, 0, 0]
    assert len(set(ours.bodies)) == 3
    assert sweeper.one(None, soon() + STANDS_STILL) == 2, "but a message may be lost"


def test_files_of_an_account_with_a_backlog_are_published_once_an_hour(here: World) -> None:
    """They are probably in it: published by every run, a flood would return in full."""
    for tenant in (ACME, GLOBEX):
        here.put("x", b"line\n", tenant)
    waiting = WaitingFile(DroppedFile(DROP, f"{dropin_prefix(ACME)}first", "e", 1), 1)
    here.backlogs.append(ACME, [waiting])
    sweeper, ours, _ = sweep(here)
    assert sweeper.one(None, soon().replace(minute=30) + timedelta(hours=1)) == 1
    assert ["globex" in each for each in ours.bodies] == [True]
    assert sweeper.one(None, (soon() + timedelta(hours=1)).replace(minute=2)) == 1
    assert "acme" in ours.bodies[-1]


@pytest.mark.parametrize("fault", [BucketUnavailableError("down"), BucketRefusedError("NoSuchBucket")])
def test_a_bucket_that_fails_stops_no_other(here: World, fault: Exception) -> None:
    here.put("x", b"line\n")
    customer_buckets = CustomerBuckets(here.s3, fault)
    sweeper, _, _ = sweep(here, customer_buckets)
    assert run(sweeper, lambda: [INITECH], lambda: 300.0) == {"files": 0, "unswept": 1}
    assert customer_buckets.forgotten == int(isinstance(fault, BucketRefusedError))


def test_what_dynamodb_left_out_is_asked_for_after_a_pause(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It leaves out what it has no capacity for: asked at once it would leave that out again."""
    pauses: list[float] = []
    monkeypatch.setattr("functions.uploads.register.time.sleep", pauses.append)
    here.drop("x", b"line\n")
    file = here.register.page(ACME, 1).uploads[0][1]
    assert file

    class Busy:
        answers = 0

        def batch_get_item(self, RequestItems: Any) -> Any:  # noqa: N803
            self.answers += 1
            if self.answers in busy:
                return {"Responses": {}, "UnprocessedKeys": RequestItems}
            return here.dynamodb.batch_get_item(RequestItems=RequestItems)

    busy = {1, 2}
    assert UploadRegister(UPLOADS, Busy()).files(ACME, [file.digest]).keys() == {file.digest}
    assert len(pauses) == 2
    busy = set(range(1000))
    with pytest.raises(StoreUnavailableError):
        UploadRegister(UPLOADS, Busy()).files(ACME, [file.digest])


def test_our_bucket_is_swept_before_anything_of_a_customers_is_asked(here: World) -> None:
    """Whatever ends the run there: here it ends with the list of customers."""

    def away() -> Iterator[TenantId]:
        raise StoreUnavailableError("DynamoDB: silent")

    here.put("x", b"line\n")
    sweeper, ours, _ = sweep(here)
    with freeze(soon()), pytest.raises(StoreUnavailableError):
        run(sweeper, away, lambda: 300.0)
    assert len(ours.bodies) == 1


def test_a_customer_whose_bucket_ended_a_run_comes_last_in_the_next(here: World) -> None:
    class Dying(CustomerBuckets):
        def drops(self, tenant: TenantId) -> DropBucket:
            if tenant == INITECH:
                raise SystemExit
            return super().drops(tenant)

    sweeper, _, _ = sweep(here, Dying(here.s3))
    with pytest.raises(SystemExit):
        sweeper.one(INITECH, soon())
    assert sweeper.in_order([INITECH, GLOBEX]) == [GLOBEX, INITECH]
