from collections.abc import Iterator

import pytest

from functions.destinations.handler import DestinationService
from functions.destinations.role_setup import ExternalIds
from functions.destinations.tester import DestinationTester
from functions.shared.accounts.audit import AuditTrail
from functions.shared.accounts.session_check import SessionCheck
from functions.shared.byoc.destination_store import DestinationStore
from functions.shared.byoc.encryption import CredentialEncryption, Shards
from functions.shared.byoc.health import HealthStore
from functions.shared.byoc.role_sessions import RoleSessions
from functions.shared.egress.egress_filter import EgressFilter
from functions.shared.tables.external_ids import ExternalIdTable
from functions.shared.tenancy import TenantId
from tests.integration.customer_clouds import own_clouds
from tests.integration.destinations.world import KEY_IDS, TABLES, World
from tests.integration.warehouse_process import clickhouse


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with own_clouds() as clouds, clickhouse(tmp_path_factory.mktemp("engine")) as engine:
        dynamodb = clouds.client("dynamodb")
        for table, keys in TABLES.items():
            named = [(name, kind) for name, kind in zip(keys, ("HASH", "RANGE"), strict=True) if name]
            dynamodb.create_table(
                TableName=table,
                KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in named],
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in named],
                BillingMode="PAY_PER_REQUEST",
            )
        kms = clouds.client("kms")
        key_id = kms.create_key()["KeyMetadata"]["KeyId"]
        service = DestinationService(
            destinations=DestinationStore(
                "destinations", CredentialEncryption(kms, key_id, Shards("shards", dynamodb)), dynamodb
            ),
            tester=DestinationTester(EgressFilter(allow_loopback=True), RoleSessions(clouds.client("sts"))),
            health=HealthStore("health", dynamodb=dynamodb),
            audit=AuditTrail("audit", dynamodb=dynamodb),
            sessions=SessionCheck("people", dynamodb),
            external_ids=ExternalIds(ExternalIdTable("external-ids", dynamodb)),
        )
        yield World(clouds, engine, service)


@pytest.fixture
def world(running: World) -> Iterator[World]:
    """The world with two customers whose buckets and databases are new and empty."""
    running.clouds.well()
    running.order(mode="none")
    s3 = running.clouds.client("s3")
    server = running.warehouse("default")
    for tenant in KEY_IDS:
        s3.create_bucket(Bucket=f"{tenant}-logs")
        server.command(f"DROP DATABASE IF EXISTS {tenant}")
        server.command(f"CREATE DATABASE {tenant}")
        running.service.destinations.remove(TenantId(tenant))
    server.close()
    yield running
    running.clouds.well()
    for tenant in KEY_IDS:
        for key in running.clouds.keys(f"{tenant}-logs"):
            s3.delete_object(Bucket=f"{tenant}-logs", Key=key)
