"""Copies as places of an erasure: archives, those being made, and what is uploaded and noted nowhere."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.privacy.erasure.archive_place import ArchivePlace
from functions.privacy.erasure.place import ErasureClock
from functions.privacy.export.exports import Exports
from functions.privacy.export.record import FAILED, READY, REQUESTED, Export
from functions.privacy.export.run import ExportRun
from functions.shared.buckets.customer import CustomerBucket
from functions.shared.exports.archives import Archives
from functions.shared.tenancy import TenantId, exports_prefix
from infra.topology import table
from local import transactions
from local.tables import definition

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
NOON = 1_800_000_000


@dataclass
class Here:
    exports: Exports
    archives: Archives
    s3: Any

    def place(self, until: float | None) -> ArchivePlace:
        now = ErasureClock(lambda: NOON + 100.0, lambda: 300.0)
        return ArchivePlace(
            self.exports, self.archives, CustomerBucket(self.s3, "exports"), ACME, lambda: until, now
        )

    def being_made(self, tenant: TenantId, began_at: int = NOON) -> Export:
        """A copy whose first part is uploaded."""
        export = Export(tenant, "exp_1", REQUESTED, NOON - 60, began_at)
        self.exports.ask(export)
        upload_id = self.archives.begin(export.object_key, "x.zip")
        self.archives.put_part(export.object_key, upload_id, 1, b"of jane")
        return self.exports.save(
            replace(export, progress=replace(export.progress, upload_id=upload_id, parts=1))
        )

    def objects(self) -> list[str]:
        return [each["Key"] for each in self.s3.list_objects_v2(Bucket="exports").get("Contents", ())]

    def unfinished(self, tenant: TenantId) -> int:
        return len(self.archives.unfinished(exports_prefix(tenant)))


@pytest.fixture
def here() -> Iterator[Here]:
    transactions.install()
    with mock_aws():
        dynamodb, s3 = (boto3.client(name, region_name="us-east-1") for name in ("dynamodb", "s3"))
        dynamodb.create_table(**definition(table("exports"), "exports"))
        s3.create_bucket(Bucket="exports")
        yield Here(Exports("exports", dynamodb), Archives("exports", s3), s3)


def test_parts_that_no_export_lists_are_aborted_and_a_neighbours_stay(here: Here) -> None:
    """Its maker went on after the account's table had been emptied, and could note nothing."""
    export = here.being_made(ACME)
    here.being_made(GLOBEX)
    for entry in (export.export_id, "!open"):
        here.exports._client.delete_item(
            TableName="exports", Key={"tenant_id": {"S": ACME}, "entry": {"S": entry}}
        )
    assert here.place(None).count() == 1
    here.place(None).remove()

    assert (here.unfinished(ACME), here.unfinished(GLOBEX)) == (0, 1)
    assert here.place(None).count() == 0


def test_one_that_was_put_together_and_not_called_ready_goes_before_it_is_made_anew(here: Here) -> None:
    """Its maker died in between; begun anew, it would count as begun after the rows were gone."""
    export = here.being_made(ACME)
    here.archives.complete(
        export.object_key, export.progress.upload_id, [here.s3.list_parts(
            Bucket="exports", Key=export.object_key, UploadId=export.progress.upload_id
        )["Parts"][0]["ETag"]],
    )  # fmt: skip
    assert here.objects() == [export.object_key]
    here.place(NOON + 50.0).remove()

    assert here.objects() == []
    assert here.place(NOON + 50.0).count() == 0
    again = here.exports.of(ACME, export.export_id)
    assert again
    assert (again.began_at, again.progress.upload_id) == (NOON + 100, "")


def test_of_a_person_what_was_begun_after_their_rows_were_gone_stays(here: Here) -> None:
    export = here.being_made(ACME, began_at=NOON + 60)
    assert here.place(NOON + 50.0).count() == 0
    here.archives.abort(export.object_key, export.progress.upload_id)
    here.s3.put_object(Bucket="exports", Key=export.object_key, Body=b"archive")
    here.exports.finish(replace(export, state=READY, ready_at=NOON + 70))

    assert here.place(NOON + 50.0).count() == 0
    assert here.place(None).count() == 1


def test_of_a_person_what_is_noted_nowhere_goes_when_it_was_begun_before_their_rows_were_gone(
    here: Here,
) -> None:
    """By the time that S3 reports; uploads begun later are not counted."""
    here.archives.begin(f"{exports_prefix(ACME)}exp_9.zip", "x.zip")
    (upload,) = here.archives.unfinished(exports_prefix(ACME))
    assert here.place(upload.begun_at - 1).count() == 0
    here.place(upload.begun_at - 1).remove()
    assert here.unfinished(ACME) == 1
    assert here.place(upload.begun_at + 1).count() == 1
    here.place(upload.begun_at + 1).remove()

    assert here.unfinished(ACME) == 0


def test_the_upload_of_a_copy_that_is_not_made_any_more_goes_too(here: Here) -> None:
    """The export was abandoned, and its upload was not aborted."""
    export = here.being_made(ACME)
    here.exports.finish(replace(export, state=FAILED))
    assert here.place(None).count() == 1
    here.place(None).remove()

    assert here.unfinished(ACME) == 0


def test_uploads_are_found_page_by_page(here: Here) -> None:
    """S3 lists a thousand at a time; here one."""
    uploads = [here.archives.begin(f"{exports_prefix(ACME)}exp_{each}.zip", "x.zip") for each in range(3)]
    archives = Archives("exports", OneAPage(here.s3))
    found = archives.unfinished(exports_prefix(ACME))

    assert sorted(each.upload_id for each in found) == sorted(uploads)


class OneAPage:
    """S3, which lists uploads one by one: its stand-in ignores the markers."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3

    def list_multipart_uploads(self, **asked: str) -> dict[str, Any]:
        after = (asked.pop("KeyMarker", ""), asked.pop("UploadIdMarker", ""))
        uploads = self._s3.list_multipart_uploads(**asked)["Uploads"]
        ordered = sorted(uploads, key=lambda each: (each["Key"], each["UploadId"]))
        left = [each for each in ordered if (each["Key"], each["UploadId"]) > after]
        page: dict[str, Any] = {"Uploads": left[:1], "IsTruncated": len(left) > 1}
        if page["IsTruncated"]:
            page |= {"NextKeyMarker": left[0]["Key"], "NextUploadIdMarker": left[0]["UploadId"]}
        return page


def test_a_restarted_export_aborts_uploads_that_its_last_run_could_not_record(here: Here) -> None:
    """A neighbour's, and another export's of the same account, continue."""
    export = Export(ACME, "exp_1", REQUESTED, NOON - 60, NOON)
    here.exports.ask(export)
    lost = here.archives.begin(export.object_key, "x.zip")
    others = [
        here.archives.begin(f"{exports_prefix(ACME)}exp_2.zip", "x.zip"),
        here.archives.begin(f"{exports_prefix(GLOBEX)}exp_1.zip", "x.zip"),
    ]
    making = ExportRun(
        export,
        sources=(),
        exports=here.exports,
        archives=here.archives,
        now=lambda: float(NOON),
        left=lambda: 300.0,
        waiting=lambda: 0,
    )
    assert making.advance()

    left = [each for tenant in (ACME, GLOBEX) for each in here.archives.unfinished(exports_prefix(tenant))]
    assert lost not in {each.upload_id for each in left}
    assert {each.upload_id for each in left} == set(others)
    assert here.objects() == [export.object_key]
