"""Customers' buckets with roles over moto: each tenant has its own session, and a run outlives it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from functions.shared.buckets.contract import Bucket, BucketRefusedError
from functions.shared.buckets.drop_bucket import DropBucket
from functions.shared.byoc.destination import CustomerRole, Destination
from functions.shared.byoc.destination_store import DestinationCache
from functions.shared.byoc.role_policies import trust_policy
from functions.shared.byoc.role_sessions import (
    MIN_AGE_SECONDS,
    RENEW_SECONDS,
    SESSION_SECONDS,
    RoleSessions,
)
from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId, staged_prefix
from functions.uploads.customer_buckets import CustomerDropBuckets
from tests.integration.customer_clouds import OwnClouds, own_clouds

ACCOUNT = "123456789012"
ACME, GLOBEX = TenantId("acme"), TenantId("globex")
NOW = 1_800_000_000.0


class Stored:
    """functions.shared.byoc.destination_store.DestinationStore."""

    def __init__(self) -> None:
        self.items: dict[TenantId, Destination] = {}

    def get(self, tenant: TenantId) -> Destination | None:
        return self.items.get(tenant)


class RecordedSts:
    """STS; `key_ids` are the access keys that it gave."""

    def __init__(self, sts: Any, here: "World") -> None:
        self._sts, self._here = sts, here
        self.key_ids: list[str] = []

    def assume_role(self, **request: Any) -> Any:
        answer = self._sts.assume_role(**request)
        self.key_ids.append(answer["Credentials"]["AccessKeyId"])
        seconds = request["DurationSeconds"]
        answer["Credentials"]["Expiration"] = answer["Credentials"]["Expiration"].fromtimestamp(
            self._here.now + seconds
        )
        return answer


class World:
    """Two customers with a bucket and a role each, and one of our processes; `now` is its clock."""

    def __init__(self, clouds: OwnClouds) -> None:
        self.clouds, self.now = clouds, NOW
        self.stored, self.sts = Stored(), RecordedSts(clouds.client("sts"), self)
        recent = DestinationCache(self.stored, clock=lambda: self.now)  # type: ignore[arg-type]
        sessions = RoleSessions(self.sts, lambda: self.now)
        self.buckets = CustomerDropBuckets(recent, True, lambda: self.now, sessions)

    def customer(self, tenant: TenantId) -> None:
        policy = trust_policy("aws", ACCOUNT, f"id-of-{tenant}")
        self.clouds.client("s3").create_bucket(Bucket=f"{tenant}-logs")
        made = self.clouds.client("iam").create_role(
            RoleName=f"byoc-astralog-session-{tenant}", AssumeRolePolicyDocument=json.dumps(policy)
        )
        self.choose(tenant, made["Role"]["Arn"])

    def choose(self, tenant: TenantId, arn: str) -> None:
        role = CustomerRole(arn, f"id-of-{tenant}")
        address = ClickHouseAddress("ch.example", 8443, True, "u", SecretText("p"), "logs")
        self.stored.items[tenant] = Destination(
            tenant, 1, f"{tenant}-logs", "us-east-1", None, role, address, "exactly_once", 30
        )

    def keys(self, bucket: Bucket | DropBucket, tenant: TenantId) -> list[str]:
        return [each.key for each in bucket.under(staged_prefix(tenant))]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with own_clouds() as clouds:
        monkeypatch.setenv("AWS_ENDPOINT_URL", clouds.url)
        world = World(clouds)
        for tenant in (ACME, GLOBEX):
            world.customer(tenant)
        yield world
        for tenant in (ACME, GLOBEX):
            for key in clouds.keys(f"{tenant}-logs"):
                clouds.client("s3").delete_object(Bucket=f"{tenant}-logs", Key=key)
            clouds.client("s3").delete_bucket(Bucket=f"{tenant}-logs")
            clouds.client("iam").delete_role(RoleName=f"byoc-astralog-session-{tenant}")


def test_each_tenant_works_in_its_own_bucket_with_one_session(here: World) -> None:
    for tenant in (ACME, GLOBEX):
        for number in range(3):
            here.buckets.bucket(tenant).create(f"{staged_prefix(tenant)}{number}", b"rows")
        here.buckets.drops(tenant)
    for tenant in (ACME, GLOBEX):
        assert here.keys(here.buckets.bucket(tenant), tenant) == [
            f"{staged_prefix(tenant)}{n}" for n in range(3)
        ]
        assert here.keys(here.buckets.drops(tenant), tenant) == here.clouds.keys(f"{tenant}-logs")
    assert len(here.sts.key_ids) == 2


def test_a_run_outlives_its_session(here: World) -> None:
    """Both tenants' sessions end while one run holds their buckets: it continues with new ones."""
    held = {tenant: here.buckets.bucket(tenant) for tenant in (ACME, GLOBEX)}
    for tenant, bucket in held.items():
        bucket.create(f"{staged_prefix(tenant)}before", b"rows")
    here.now += SESSION_SECONDS - RENEW_SECONDS
    here.clouds.expired.update(here.sts.key_ids)
    for tenant, bucket in held.items():
        bucket.create(f"{staged_prefix(tenant)}after", b"rows")
        assert here.keys(bucket, tenant) == [f"{staged_prefix(tenant)}{name}" for name in ("after", "before")]
    assert len(here.sts.key_ids) == 4


def test_a_session_that_ends_early_is_replaced_after_the_bucket_was_evicted(here: World) -> None:
    """The customer revoked the role's sessions: S3 rejects one before its time."""
    acme = here.buckets.bucket(ACME)
    acme.create(f"{staged_prefix(ACME)}before", b"rows")
    here.buckets.bucket(GLOBEX).create(f"{staged_prefix(GLOBEX)}before", b"rows")
    here.clouds.expired.add(here.sts.key_ids[0])
    here.now += MIN_AGE_SECONDS
    with pytest.raises(BucketRefusedError, match="ExpiredToken"):
        acme.create(f"{staged_prefix(ACME)}during", b"rows")
    here.buckets.evict(ACME)

    here.buckets.bucket(ACME).create(f"{staged_prefix(ACME)}after", b"rows")
    here.buckets.bucket(GLOBEX).create(f"{staged_prefix(GLOBEX)}after", b"rows")

    assert len(here.sts.key_ids) == 3, "globex keeps its session"


def test_a_tenant_cannot_use_another_tenants_role(here: World) -> None:
    here.buckets.bucket(ACME).create(f"{staged_prefix(ACME)}1", b"rows")
    here.choose(GLOBEX, f"arn:aws:iam::{ACCOUNT}:role/byoc-astralog-session-acme")

    with pytest.raises(BucketRefusedError) as caught:
        here.keys(here.buckets.bucket(GLOBEX), GLOBEX)

    assert caught.value.reason == "RoleRefusedError"
    assert here.keys(here.buckets.bucket(ACME), ACME) == [f"{staged_prefix(ACME)}1"]


def test_a_presigned_url_is_valid_for_no_longer_than_its_session(here: World) -> None:
    drops = here.buckets.drops(ACME)
    assert drops.max_url_seconds == RENEW_SECONDS
    assert "X-Amz-Security-Token=" in drops.url_to_put("dropin/v1/tenant=acme/x", 1, RENEW_SECONDS)
