"""Values of a person's erasure on their way through ClickHouse's HTTP interface: none is read as SQL."""

import json
from dataclasses import replace
from pathlib import Path

from backports import zstd

from functions.privacy.erasure.rows import EventRows
from functions.privacy.erasure.subject import Subject
from functions.shared.insert_statement import insert
from functions.shared.schema.history import apply_missing
from functions.shared.schema.migration_files import migrations
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Warehouse
from tests.crash.erasing import PATIENCE_SECONDS
from tests.crash.person_rows import KEYS, TEXTS, Sample
from tests.crash.test_person_rule import staged
from tests.integration.warehouse_process import clickhouse

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
SHORT = [text for text in TEXTS if len(text) < 100]
PAIRS = [(KEYS[at % len(KEYS)], text) for at, text in enumerate(SHORT)]


def test_each_key_and_value_selects_and_erases_its_own_row_and_no_other_tenants(tmp_path: Path) -> None:
    with clickhouse(tmp_path) as address:
        Warehouse(replace(address, database="default"), 60).command("CREATE DATABASE astralog")
        warehouse = Warehouse(address, 60)
        apply_missing(warehouse, migrations(), "MergeTree")
        rows = EventRows(warehouse, PATIENCE_SECONDS)
        for tenant in (ACME, GLOBEX):
            lines = [
                staged(tenant, f"r{at}", Sample("m", json.dumps({key: text}).encode(), True))
                for at, (key, text) in enumerate(PAIRS)
            ]
            insert(warehouse, zstd.compress(b"\n".join(lines) + b"\n"), f"batch{tenant}", "2030-01-01")
        for at, (key, text) in enumerate(PAIRS):
            subject = Subject(ACME, f"metadata.{key}", text)
            assert rows.count(subject) == 1, (key, text)
            if at % 5 == 0:
                assert rows.erase(subject)
                assert rows.count(subject) == 0
            assert rows.count(Subject(GLOBEX, f"metadata.{key}", text)) == 1
