"""Where a tenant's logs go: versions in order, nothing readable at rest, nothing readable once removed."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from functions.shared import journal
from functions.shared.byoc.destination import AccessKey, CustomerRole
from functions.shared.byoc.destination_store import (
    DestinationChangedError,
    DestinationStore,
)
from functions.shared.byoc.encryption import (
    CredentialEncryption,
    CredentialsUnreadableError,
    EncryptionContext,
    KeyServiceUnavailableError,
)
from functions.shared.secret_text import SecretText
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId
from tests.unit.shared.destinations import CANARIES, destination
from tests.unit.shared.fake_kms import (
    ACME,
    DESTINATIONS,
    GLOBEX,
    Failing,
    KmsWorld,
    Overtaken,
    full_report,
    kms_world,
    refusal,
)


@pytest.fixture(scope="module")
def module_aws() -> Iterator[KmsWorld]:
    with kms_world() as started:
        yield started


@pytest.fixture
def aws(module_aws: KmsWorld) -> KmsWorld:
    module_aws.empty()
    return module_aws


@pytest.fixture
def stored(aws: KmsWorld) -> DestinationStore:
    return at(aws)


def at(aws: KmsWorld, dynamodb: Any = None) -> DestinationStore:
    return DestinationStore(DESTINATIONS, aws.sealer(), dynamodb or aws.dynamodb)


def item_of(aws: KmsWorld, tenant: TenantId) -> dict[str, Any]:
    item: dict[str, Any] = aws.dynamodb.get_item(
        TableName=DESTINATIONS, Key={"tenant_id": {"S": str(tenant)}}
    )["Item"]
    return item


def write(aws: KmsWorld, item: dict[str, Any]) -> None:
    """Past all conditions, as a principal that may write the table."""
    aws.dynamodb.put_item(TableName=DESTINATIONS, Item=item)


def nothing_shown(text: str) -> bool:
    return not any(canary in text for canary in CANARIES)


def test_each_tenant_gets_its_own_destination_and_no_other(stored: DestinationStore) -> None:
    stored.put(destination(ACME))
    stored.put(destination(GLOBEX))

    assert stored.get(ACME) == destination(ACME)
    assert stored.get(GLOBEX) == destination(GLOBEX)
    assert stored.get(TenantId("stranger")) is None
    assert stored.summary(TenantId("stranger")) is None


ROLES = {
    tenant: CustomerRole(f"arn:aws:iam::111122223333:role/byoc-astralog-{tenant}", f"id-of-{tenant}")
    for tenant in (ACME, GLOBEX)
}


def test_a_role_is_stored_instead_of_a_key(aws: KmsWorld, stored: DestinationStore) -> None:
    stored.put(destination(ACME))
    for tenant in (ACME, GLOBEX):
        version = 2 if tenant == ACME else 1
        stored.put(destination(tenant, version, endpoint=None, access=ROLES[tenant]))
        read_back = stored.get(tenant)
        assert read_back is not None
        assert read_back.access == ROLES[tenant]
        summary = stored.summary(tenant)
        assert summary is not None
        assert (summary.role_arn, summary.access_key_ends_with) == (ROLES[tenant].arn, "")

    context = EncryptionContext(ACME, "s3_credentials", 2)
    opened = aws.sealer().decrypt(item_of(aws, ACME)["s3_credentials"]["S"], context)
    assert json.loads(opened.reveal()).keys() == {"summary"}, "the access key of version 1 is gone"


@pytest.mark.parametrize("name", ["role_arn", "external_id"])
def test_another_tenants_role_or_external_id_cannot_be_written_into_the_item(
    aws: KmsWorld, stored: DestinationStore, name: str
) -> None:
    for tenant in (ACME, GLOBEX):
        stored.put(destination(tenant, endpoint=None, access=ROLES[tenant]))
    items = {tenant: item_of(aws, tenant) for tenant in (ACME, GLOBEX)}
    summaries = {tenant: json.loads(item["summary"]["S"]) for tenant, item in items.items()}
    altered = {**summaries[GLOBEX], name: summaries[ACME][name]}
    write(aws, {**items[GLOBEX], "summary": {"S": json.dumps(altered)}})

    with pytest.raises(CredentialsUnreadableError):
        stored.get(GLOBEX)
    assert stored.get(ACME) is not None


def test_a_key_is_stored_as_it_was_before_roles(aws: KmsWorld, stored: DestinationStore) -> None:
    """A version of the functions that knows no roles still reads it, while an upgrade is rolled back."""
    stored.put(destination(ACME))
    assert not {"role_arn", "external_id"} & json.loads(item_of(aws, ACME)["summary"]["S"]).keys()


def test_nothing_secret_lies_in_the_tables(aws: KmsWorld, stored: DestinationStore) -> None:
    stored.put(destination(ACME))

    at_rest = json.dumps(item_of(aws, ACME))
    assert nothing_shown(at_rest)
    assert item_of(aws, ACME).keys() == {
        "tenant_id",
        "version",
        "summary",
        "s3_credentials",
        "clickhouse_credentials",
    }


def test_a_summary_shows_what_is_configured_and_asks_no_kms(aws: KmsWorld, stored: DestinationStore) -> None:
    stored.put(destination(ACME))
    stored.put(destination(GLOBEX, endpoint="http://127.0.0.1:9000"))
    no_kms = Failing(AssertionError("asked"))
    without_keys = DestinationStore(DESTINATIONS, CredentialEncryption(no_kms, "", no_kms), aws.dynamodb)  # type: ignore[arg-type]

    acme, globex = without_keys.summary(ACME), without_keys.summary(GLOBEX)

    assert acme
    assert globex
    assert (acme.tenant, acme.version, acme.bucket, acme.region) == (ACME, 1, "acme-logs", "eu-central-1")
    assert (acme.endpoint, globex.endpoint) == (None, "http://127.0.0.1:9000")
    assert (acme.clickhouse_host, acme.clickhouse_port, acme.clickhouse_secure) == (
        "ch.acme.example",
        8443,
        True,
    )
    assert (acme.clickhouse_database, acme.guarantee, acme.retention_days) == ("logs", "exactly_once", 30)
    assert acme.access_key_ends_with == "me-1"
    assert acme.updated_at > 1_700_000_000
    assert nothing_shown(repr(acme) + repr(globex))
    assert isinstance(acme.tenant, TenantId)


@pytest.mark.parametrize(
    ("key_id", "end"), [("", ""), ("abc", ""), ("a" * 11, ""), ("a" * 8 + "9876", "9876")]
)
def test_the_end_of_a_short_access_key_is_not_shown(stored: DestinationStore, key_id: str, end: str) -> None:
    stored.put(destination(ACME, access=AccessKey(SecretText(key_id), SecretText("secret"))))

    shown = stored.summary(ACME)
    assert shown
    assert shown.access_key_ends_with == end


def test_versions_follow_one_another(stored: DestinationStore) -> None:
    for wrong in (0, 2, 3):
        with pytest.raises(DestinationChangedError):
            stored.put(destination(ACME, wrong))
    stored.put(destination(ACME, 1))
    for wrong in (0, 1, 3):
        with pytest.raises(DestinationChangedError):
            stored.put(destination(ACME, wrong, bucket="wrong"))
    assert stored.get(ACME) == destination(ACME, 1)

    stored.put(destination(ACME, 2))
    assert stored.get(ACME) == destination(ACME, 2)


def test_of_two_writers_of_the_same_version_one_gets_an_error(
    aws: KmsWorld, stored: DestinationStore
) -> None:
    winner = destination(ACME, 1, bucket="winner")
    overtaken = Overtaken(aws.dynamodb, "put_item", lambda: stored.put(winner))

    with pytest.raises(DestinationChangedError):
        at(aws, overtaken).put(destination(ACME, 1, bucket="late"))
    assert stored.get(ACME) == winner


def test_after_a_rotation_the_new_credentials_open_and_the_old_ones_do_not_pass_for_them(
    aws: KmsWorld, stored: DestinationStore
) -> None:
    stored.put(destination(ACME, 1))
    old = item_of(aws, ACME)
    stored.put(destination(ACME, 2))
    new = item_of(aws, ACME)

    assert stored.get(ACME) == destination(ACME, 2)
    for field in ("s3_credentials", "clickhouse_credentials"):
        write(aws, {**new, field: old[field]})
        with pytest.raises(CredentialsUnreadableError):
            stored.get(ACME)


def test_every_mixture_of_items_is_refused(aws: KmsWorld, stored: DestinationStore) -> None:
    """Two tenants, two versions each: every field from any of the four items, under either tenant's name."""
    items = {}
    for tenant, version in itertools.product((ACME, GLOBEX), (1, 2)):
        stored.put(destination(tenant, version))
        items[tenant, version] = item_of(aws, tenant)
    parts = ("version", "summary", "s3_credentials", "clickhouse_credentials")
    refused, whole = 0, 0
    for tenant, sources in itertools.product((ACME, GLOBEX), itertools.product(items, repeat=4)):
        mixed = {part: items[source][part] for part, source in zip(parts, sources, strict=True)}
        write(aws, {"tenant_id": {"S": str(tenant)}, **mixed})
        _, *rest = sources
        if set(rest) == {(tenant, sources[0][1])}:
            assert stored.get(tenant) == destination(tenant, sources[0][1])
            whole += 1
        else:
            with pytest.raises((CredentialsUnreadableError, KeyServiceUnavailableError)):
                stored.get(tenant)
            refused += 1

    # The version is the same in either item: each whole item is found twice.
    assert (refused, whole) == (504, 8)


@pytest.mark.parametrize(
    "change",
    [
        {"clickhouse_host": "evil.example"},
        {"clickhouse_secure": False},
        {"endpoint": "http://evil.example"},
        {"bucket": "evil"},
        {"guarantee": "at_least_once"},
        {"retention_days": 1},
    ],
)
def test_credentials_go_nowhere_else_than_where_they_were_meant_for(
    aws: KmsWorld, stored: DestinationStore, change: dict[str, Any]
) -> None:
    stored.put(destination(ACME))
    item = item_of(aws, ACME)
    write(aws, {**item, "summary": {"S": json.dumps({**json.loads(item["summary"]["S"]), **change})}})

    with pytest.raises(CredentialsUnreadableError, match="altered"):
        stored.get(ACME)


@pytest.mark.parametrize("field", ["summary", "s3_credentials", "clickhouse_credentials"])
def test_an_item_that_lacks_a_field_is_refused(aws: KmsWorld, stored: DestinationStore, field: str) -> None:
    stored.put(destination(ACME))
    item = item_of(aws, ACME)
    del item[field]
    write(aws, item)

    with pytest.raises(CredentialsUnreadableError):
        stored.get(ACME)


def test_a_summary_under_anothers_name_is_not_shown(aws: KmsWorld, stored: DestinationStore) -> None:
    stored.put(destination(GLOBEX))
    write(aws, {**item_of(aws, GLOBEX), "tenant_id": {"S": "acme"}})

    with pytest.raises(CredentialsUnreadableError):
        stored.summary(ACME)


def test_what_is_removed_is_gone_and_a_copy_put_back_is_unreadable(
    aws: KmsWorld, stored: DestinationStore
) -> None:
    stored.put(destination(ACME))
    stored.put(destination(GLOBEX))
    backup = item_of(aws, ACME)

    stored.remove(ACME)
    stored.remove(ACME)

    assert stored.get(ACME) is None
    assert stored.summary(ACME) is None
    assert aws.shards.get(ACME) is None
    assert stored.get(GLOBEX) == destination(GLOBEX)
    write(aws, backup)
    with pytest.raises(CredentialsUnreadableError):
        stored.get(ACME)


def test_a_copy_from_before_a_removal_is_unreadable_though_version_one_came_again(
    aws: KmsWorld, stored: DestinationStore
) -> None:
    stored.put(destination(ACME))
    backup = item_of(aws, ACME)
    stored.remove(ACME)
    stored.put(destination(ACME))

    assert stored.get(ACME) == destination(ACME)
    write(aws, backup)
    with pytest.raises(CredentialsUnreadableError):
        stored.get(ACME)


def test_a_removal_that_broke_off_is_finished_by_the_next(aws: KmsWorld, stored: DestinationStore) -> None:
    stored.put(destination(ACME))
    broken = Failing(refusal("InternalServerError"), aws.dynamodb, "delete_item")

    with pytest.raises(StoreUnavailableError):
        at(aws, broken).remove(ACME)
    assert stored.summary(ACME), "it still shows, so that the customer tries again"
    with pytest.raises(CredentialsUnreadableError):
        stored.get(ACME)

    stored.remove(ACME)
    assert stored.summary(ACME) is None


def test_new_credentials_repair_an_interrupted_removal(aws: KmsWorld, stored: DestinationStore) -> None:
    stored.put(destination(ACME))
    aws.shards.destroy(ACME)
    stored.put(destination(ACME, 2))

    assert stored.get(ACME) == destination(ACME, 2)


def test_a_version_that_comes_in_during_a_removal_is_not_left_half_removed(
    aws: KmsWorld, stored: DestinationStore
) -> None:
    stored.put(destination(ACME))
    overtaken = Overtaken(aws.dynamodb, "delete_item", lambda: stored.put(destination(ACME, 2)))

    with pytest.raises(DestinationChangedError):
        at(aws, overtaken).remove(ACME)
    assert stored.get(ACME) == destination(ACME, 2)

    stored.remove(ACME)
    assert (stored.get(ACME), aws.shards.get(ACME)) == (None, None)


class Narrow:
    """A DynamoDB whose pages hold two items."""

    def __init__(self, dynamodb: Any) -> None:
        self._dynamodb = dynamodb
        self.pages = 0

    def scan(self, **parameters: Any) -> Any:
        self.pages += 1
        return self._dynamodb.scan(Limit=2, **parameters)


def test_all_tenants_are_listed_page_by_page(aws: KmsWorld, stored: DestinationStore) -> None:
    tenants = {TenantId(f"tenant-{number}") for number in range(7)}
    for tenant in tenants:
        stored.put(destination(tenant))
    narrow = Narrow(aws.dynamodb)

    assert sorted(at(aws, narrow).tenants()) == sorted(tenants)
    assert narrow.pages >= 4
    assert {type(tenant) for tenant in stored.tenants()} == {TenantId}


@pytest.mark.parametrize(
    "fault", [refusal("ThrottlingException", CANARIES[1]), EndpointConnectionError(endpoint_url=CANARIES[1])]
)
def test_an_outage_of_the_table_is_retryable_and_its_error_has_nothing_of_the_request(
    aws: KmsWorld, fault: Exception
) -> None:
    down = at(aws, Failing(fault))
    calls = (
        lambda: down.get(ACME),
        lambda: down.summary(ACME),
        lambda: down.put(destination(ACME)),
        lambda: down.remove(ACME),
        lambda: list(down.tenants()),
    )
    for call in calls:
        with pytest.raises(StoreUnavailableError) as raised:
            call()
        assert raised.value.__cause__ is raised.value.__context__ is None
        assert nothing_shown(full_report(raised.value))


def test_no_error_repr_or_line_of_the_journal_holds_a_secret(
    aws: KmsWorld, stored: DestinationStore, capsys: pytest.CaptureFixture[str]
) -> None:
    stored.put(destination(ACME))
    whole = stored.get(ACME)
    item = item_of(aws, ACME)
    faults: list[Exception] = []
    for spoilt in ({"s3_credentials": item["clickhouse_credentials"]}, {"summary": {"S": "{}"}}):
        write(aws, {**item, **spoilt})
        with pytest.raises(CredentialsUnreadableError) as raised:
            stored.get(ACME)
        faults.append(raised.value)
    with pytest.raises(DestinationChangedError) as late:
        stored.put(destination(ACME, 5))
    for fault in (*faults, late.value):
        journal.write("destination_refused", tenant_id=ACME, reason=str(fault))
        assert nothing_shown(full_report(fault))

    assert nothing_shown(repr(whole) + str(whole) + f"{whole}")
    out = capsys.readouterr().out
    assert out.count("destination_refused") == 3
    assert nothing_shown(out)
