"""Files that were put in before a person's erasure was asked: which it waits for, which go, until when."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.privacy.data_inventory import DATA_INVENTORY
from functions.privacy.erasure.files import READ_WITHIN, DroppedFiles, LastFile, LeftoverCheckpoints
from functions.privacy.erasure.place import ErasureClock, NotYetError
from functions.privacy.erasure.uploaded_files import UploadedFiles
from functions.privacy.inventory_tables import InventoryTables
from functions.shared.buckets.contract import ListedObject
from functions.shared.buckets.drop_bucket import DroppedFile
from functions.shared.events.staged_key import time_ordered_id
from functions.shared.tenancy import TenantId, checkpoint_prefix, dropin_prefix
from functions.uploads.files import DONE, FAILED, File, Upload, digest_of
from functions.uploads.files import READING as UNDER_WAY
from functions.uploads.register import UploadRegister
from infra.topology import table
from local import transactions
from local.tables import definition

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@dataclass
class Here:
    """A bucket, the register of its files, and an erasure that was asked for at noon."""

    register: UploadRegister
    reading: UploadedFiles
    now: datetime = NOON
    there: dict[str, ListedObject] = field(default_factory=dict)
    mark: str | None = None

    def under(self, prefix: str) -> Iterator[ListedObject]:
        return iter([each for key, each in self.there.items() if key.startswith(prefix)])

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.there.pop(key, None)

    @property
    def time(self) -> ErasureClock:
        return ErasureClock(self.now.timestamp, lambda: 300.0)

    @property
    def files(self) -> DroppedFiles:
        return DroppedFiles(self, self.reading, ACME, NOON, self.time)

    @property
    def last(self) -> LastFile:
        return LastFile(self.files, lambda: self.mark)

    def put(
        self, name: str, tenant: TenantId = ACME, size: int = 9, at: datetime | None = None
    ) -> DroppedFile:
        key = f"{dropin_prefix(tenant)}{name}"
        self.there[key] = ListedObject(key, "etag", size, at or self.now)
        return DroppedFile("drop", key, "etag", size)

    def see(self, file: DroppedFile, state: str = UNDER_WAY, leased_seconds: int = 0) -> None:
        upload = Upload(ACME, time_ordered_id(), file.key, 9, "default", "keep", int(self.now.timestamp()))
        seen = int(self.now.timestamp())
        self.register.claim(
            File(
                ACME,
                upload.upload_id,
                file,
                self.now,
                "p",
                30,
                "keep",
                state,
                updated_at=seen,
                lease_until=seen + leased_seconds,
            ),
            upload,
        )

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def here() -> Iterator[Here]:
    transactions.install()
    with mock_aws():
        client: Any = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(**definition(table("uploads"), "uploads"))
        holding = next(each for each in DATA_INVENTORY if each.table == "uploads")
        tables = InventoryTables({"uploads": "uploads"}, client)
        yield Here(UploadRegister("uploads", client, NOON.timestamp), UploadedFiles(tables, holding, ACME))


def reason(place: DroppedFiles | LastFile) -> str:
    with pytest.raises(NotYetError) as waits:
        place.remove()
    return waits.value.reason


def test_one_that_was_read_between_the_request_and_the_first_look_counts_as_received_before(
    here: Here,
) -> None:
    """It is gone at the first look, and its rows bear the time it was seen: after the request."""
    here.later(seconds=-5)
    file = here.put("a.log")
    here.later(seconds=25)
    here.see(file, DONE)
    here.delete([file.key])
    here.later(minutes=4)

    assert here.files.count() == 0
    assert here.last.count() == 1
    assert here.last.remove() == str(int((NOON + timedelta(seconds=21)).timestamp()))
    here.mark = "1"
    assert here.last.count() == 0


def test_without_any_file_the_moment_is_that_of_the_request(here: Here) -> None:
    here.later(minutes=-5)
    here.see(here.put("old.log"), DONE)
    here.delete(list(here.there))
    here.later(minutes=6)

    assert here.last.remove() == str(int(NOON.timestamp()))


def test_the_time_is_open_while_a_file_may_still_be_put_or_read(here: Here) -> None:
    assert reason(here.last) == "uploads"
    here.later(seconds=30)
    file = here.put("a.log")
    here.later(seconds=40)
    assert reason(here.last) == "uploads"
    here.see(file)
    assert reason(here.files) == "uploads"
    here.delete([file.key])
    assert here.last.remove() == str(int((NOON + timedelta(seconds=71)).timestamp()))


def test_a_file_in_a_customers_own_bucket_that_is_under_way_is_waited_for(here: Here) -> None:
    """Its rows bear the moment it was seen, before the request, and are still being staged after it."""
    here.later(minutes=-1)
    here.see(DroppedFile("theirs", f"{dropin_prefix(ACME)}a.log", "etag", 9))
    here.later(minutes=3)
    assert reason(here.last) == "uploads"
    here.later(days=2)

    assert here.last.remove()


def test_a_file_that_stands_still_is_waited_for_until_a_day_after_its_readers_lease(here: Here) -> None:
    here.later(minutes=-1)
    here.see(DroppedFile("theirs", f"{dropin_prefix(ACME)}a.log", "etag", 9), leased_seconds=600)
    here.later(days=1, minutes=9)
    assert reason(here.last) == "uploads"
    here.later(minutes=2)

    assert here.last.remove()


def test_what_was_read_or_refused_and_is_kept_goes_as_a_whole_and_what_was_put_later_stays(
    here: Here,
) -> None:
    for name, state in (("done.log", DONE), ("refused.log", FAILED)):
        here.see(here.put(name), state)
    here.put("theirs.log", GLOBEX)
    here.put("folder/", size=0)
    here.put("later.log", at=NOON + timedelta(minutes=2))
    assert here.files.count() == 2
    here.files.remove()

    assert {each.rpartition("=")[2] for each in here.there} == {
        "acme/folder/",
        "acme/later.log",
        "globex/theirs.log",
    }


def test_a_backlog_of_days_is_waited_for_and_files_being_read_are_never_abandoned(here: Here) -> None:
    unread, under_way = here.put("unread.log"), here.put("huge.log")
    here.later(days=3)
    assert reason(here.files) == "uploads"
    assert set(here.there) == {unread.key, under_way.key}
    here.now = NOON + READ_WITHIN
    here.see(under_way)
    assert reason(here.files) == "uploads"
    assert set(here.there) == {under_way.key}
    here.later(days=1)
    here.files.remove()

    assert here.there == {}


def test_a_file_that_was_put_again_under_the_name_of_one_that_was_read_is_waited_for(here: Here) -> None:
    file = here.put("a.log")
    here.see(file, DONE)
    here.there[file.key] = ListedObject(file.key, "another", 9, NOON)

    assert reason(here.files) == "uploads"
    assert set(here.there) == {file.key}


def test_checkpoints_of_what_is_under_way_stay_and_those_left_behind_go(here: Here) -> None:
    file = here.put("huge.log")
    here.see(file)
    kept, left = digest_of(ACME, file), "0" * 64
    for digest in (kept, left):
        key = f"{checkpoint_prefix(ACME)}{digest}/000001-1"
        here.there[key] = ListedObject(key, "etag", 9, NOON)
    place = LeftoverCheckpoints(here, here.reading, ACME, lambda: NOON, here.time)
    assert place.count() == 1
    place.remove()

    assert [key for key in here.there if "uploads/" in key] == [f"{checkpoint_prefix(ACME)}{kept}/000001-1"]
    here.later(days=1, seconds=1)
    place = LeftoverCheckpoints(here, here.reading, ACME, lambda: NOON, here.time)
    assert place.count() == 1, "no process has worked on that file for a day"
    place.remove()
    assert list(here.there) == [file.key]
