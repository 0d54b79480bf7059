"""The manifest lists all data stored: that it is in the export, or why it is not."""

import json

from functions.privacy.data_inventory import DATA_INVENTORY, NOT_EXPORTED, WITHOUT_ACCOUNT_DATA
from functions.privacy.export.manifest import manifest
from functions.privacy.export.record import RUNNING, Export
from functions.shared.tenancy import TenantId
from infra.topology import BUCKETS, TABLES

ARCHIVES = "exports"
"""The bucket of the copies themselves."""


def test_every_table_and_every_bucket_is_in_an_export_or_listed_as_in_none() -> None:
    manifest_json = json.loads(manifest(Export(TenantId("acme"), "exp_1", RUNNING, 0, 0), [], 0, 0))
    tables = {each.table for each in DATA_INVENTORY if each.file} | {
        each["table"] for each in manifest_json["withheld"]
    }

    assert tables | manifest_json["held_and_not_found_by_account"].keys() == {each.name for each in TABLES}
    assert manifest_json["held_and_not_copied"].keys() == NOT_EXPORTED.keys()
    assert {*NOT_EXPORTED, *WITHOUT_ACCOUNT_DATA, ARCHIVES} == {each.name for each in BUCKETS}
