"""Copies as places of an erasure: archives, those being made, and what is uploaded and noted nowhere."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.privacy.erasure.copies import Copies
from functions.privacy.erasure.place import Time
from functions.privacy.export.archives import Archives
from functions.privacy.export.exports import Exports
from functions.privacy.export.record import READY, REQUESTED, Export
from functions.shared.buckets.customers import CustomersBucket
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

    def place(self, until: float | None) -> Copies:
        now = Time(lambda: NOON + 100.0, lambda: 300.0)
        return Copies(
            self.exports, self.archives, CustomersBucket(self.s3, "exports"), ACME, lambda: until, now
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


def test_parts_that_no_copy_knows_of_are_found_and_given_up_and_a_neighbours_stay(here: Here) -> None:
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
