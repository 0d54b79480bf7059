"""The inventory is complete: no table and no bucket is forgotten by a copy or by an erasure."""

from functions.privacy.byoc_eraser import Settings as ByocSettings
from functions.privacy.data_inventory import BY_ADDRESS, DATA_INVENTORY, KEPT, PREFIXES, WITHOUT_ACCOUNT_DATA
from functions.privacy.eraser import Settings
from functions.privacy.erasure.planner import ErasurePlanner
from functions.privacy.exporter import Settings as ExporterSettings
from functions.privacy.inventory_entry import ATTRIBUTE
from functions.shared.settings import load
from functions.shared.tenancy import (
    TenantId,
    checkpoint_prefix,
    dropin_prefix,
    exports_prefix,
    idempotency_prefix,
    quarantine_prefix,
    staged_prefix,
)
from infra.topology import BUCKETS, TABLES, function, table
from infra.topology.functions.privacy import INVENTORY_TABLES, SCANNED_TABLES


def test_every_table_is_removed_or_kept_for_a_reason() -> None:
    removed = [each.table for each in DATA_INVENTORY]

    assert sorted([*removed, *BY_ADDRESS, *KEPT]) == sorted(each.name for each in TABLES)
    assert all([*KEPT.values(), *BY_ADDRESS.values(), *WITHOUT_ACCOUNT_DATA.values()])


def test_a_table_is_taken_by_its_keys() -> None:
    for holding in DATA_INVENTORY:
        spec = table(holding.table)
        assert holding.key == tuple(key for key in (spec.partition_key, spec.sort_key) if key), holding.table


def test_no_attribute_is_both_shown_and_withheld_and_what_is_shown_has_a_file() -> None:
    for holding in DATA_INVENTORY:
        assert not set(holding.shows) & set(holding.withholds), holding.table
        assert bool(holding.file) == bool(holding.shows), holding.table
    files = [each.file for each in DATA_INVENTORY if each.file]
    assert len(files) == len(set(files))


def test_the_topology_grants_what_the_inventory_needs() -> None:
    names = {each.table for each in DATA_INVENTORY}
    assert names - {"shards"} == set(INVENTORY_TABLES)
    assert {each.table for each in DATA_INVENTORY if each.found == ATTRIBUTE} == set(SCANNED_TABLES)


def test_the_exporter_and_the_eraser_may_list_uploads_that_were_never_completed() -> None:
    for name in ("exporter", "eraser", "eraser-byoc"):
        assert "unfinished:bucket:exports" in function(name).grants


def test_every_bucket_is_known_with_all_that_lies_in_it() -> None:
    """What a bucket's lifecycle names is a prefix that the inventory knows."""
    assert sorted([*PREFIXES, *WITHOUT_ACCOUNT_DATA]) == sorted(each.name for each in BUCKETS)
    for bucket in BUCKETS:
        if bucket.name not in WITHOUT_ACCOUNT_DATA:
            assert set(bucket.expire_days) <= set(PREFIXES[bucket.name])


def test_each_account_has_a_folder_of_its_own_below_each_prefix() -> None:
    acme = TenantId("acme")
    folders = (
        staged_prefix(acme),
        idempotency_prefix(acme),
        quarantine_prefix(acme),
        checkpoint_prefix(acme),
        dropin_prefix(acme),
        exports_prefix(acme),
    )
    below = {prefix for prefixes in PREFIXES.values() for prefix in prefixes}

    assert {each.partition("/")[0] + "/" for each in folders} == below
    assert all(each.endswith("/v1/tenant=acme/") for each in folders)


def test_the_functions_settings_are_all_in_the_topology() -> None:
    for name, kind in (("eraser", Settings), ("eraser-byoc", ByocSettings), ("exporter", ExporterSettings)):
        environ = {f"ASTRALOG_{each.upper()}": "x" for each in function(name).settings}
        load(kind, environ | {"ASTRALOG_ALLOW_LOOPBACK_DESTINATIONS": "false"})


def test_an_erasure_has_a_place_for_each_part_of_the_inventory_under_a_name_of_its_own() -> None:
    """Once two places were called the same: the archives of accounts that were erased stayed."""
    source = ErasurePlanner.__module__
    assert source
    fixed = {
        "archives", "dropped_files", "checkpoints", "idempotency_marks", "quarantined", "staged", "rows",
        "traces", "sign_ins", "mentions", "suppressions",
    }  # fmt: skip
    assert not fixed & {each.table for each in DATA_INVENTORY}
