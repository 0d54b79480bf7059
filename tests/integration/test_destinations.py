"""Destinations end to end: a real engine, moto's S3, DynamoDB and KMS, and the handler between them."""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from functions.destinations import bucket_tester, clickhouse_tester, steps
from functions.destinations.candidate import candidate
from functions.destinations.handler import DestinationService, answer_to
from functions.destinations.role_setup import ExternalIds
from functions.destinations.tester import DestinationTester
from functions.shared.accounts.audit import AuditTrail
from functions.shared.accounts.session_check import SessionCheck
from functions.shared.byoc import destination
from functions.shared.byoc.destination import CustomerRole
from functions.shared.byoc.destination_store import DestinationStore
from functions.shared.byoc.encryption import CredentialEncryption, Shards
from functions.shared.byoc.health import HealthStore, Slot, SlotWait
from functions.shared.byoc.role_sessions import RoleSessions
from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.egress.egress_filter import EgressFilter
from functions.shared.http import answering
from functions.shared.schema.migration_files import migrations
from functions.shared.schema.schema import Schema
from functions.shared.tables.external_ids import ExternalIdTable
from functions.shared.tenancy import TenantId, own_destination, own_drops
from functions.shared.warehouse import Warehouse
from tests.integration.customer_clouds import OwnClouds, own_clouds
from tests.integration.warehouse_process import clickhouse

STEPS = [*bucket_tester.STEPS, *clickhouse_tester.STEPS]
TABLES = {
    "destinations": ("tenant_id", None),
    "shards": ("tenant_id", None),
    "external-ids": ("tenant_id", None),
    "health": ("destination", None),
    "audit": ("tenant_id", "entry"),
}
KEY_IDS = {"acme": "AKIACANARYACME000001", "globex": "AKIACANARYGLOBEX0001"}
SECRETS = {"acme": "canary-secret-of-acme", "globex": "canary-secret-of-globex"}
PASSWORD = "tests"
"""The engine's; it is a word of the tests' too, so it is looked for as a JSON string only."""


@dataclass
class World:
    clouds: OwnClouds
    engine: ClickHouseAddress
    service: DestinationService

    def ask(self, route: str, tenant: str = "acme", body: Any = None, scopes: str = "admin") -> Any:
        """The answer of `route`: its status and its body."""
        handler = answering(lambda event: answer_to(event, self.service))
        answered = handler(_event(route, tenant, body, scopes), None)
        return answered["statusCode"], json.loads(answered["body"] or "null")

    def body(self, tenant: str = "acme", **changes: Any) -> dict[str, Any]:
        bucket, at = f"{tenant}-logs", self.engine
        fields: dict[str, Any] = {
            "bucket": {
                "name": bucket,
                "region": "us-east-1",
                "endpoint": self.clouds.url,
                "access_key_id": KEY_IDS[tenant],
                "secret_access_key": SECRETS[tenant],
            },
            "clickhouse": {
                "host": at.host,
                "port": at.port,
                "secure": False,
                "user": at.user,
                "password": PASSWORD,
                "database": tenant,
            },
        }
        for path, value in changes.items():
            part, name = path.split("__")
            fields[part][name] = value
        return fields

    def warehouse(self, database: str) -> Warehouse:
        return Warehouse(replace(self.engine, database=database), 10)

    def order(self, **fault: Any) -> None:
        """Order a fault from the engine; see local.faults."""
        url = f"http://{self.engine.host}:{self.engine.port}/_fault"
        httpx.post(url, json=fault).raise_for_status()

    def left(self, tenant: str = "acme") -> list[Any]:
        """What there is in the customer's bucket and tables."""
        warehouse = self.warehouse(tenant)
        try:
            tables = warehouse.select(
                "SELECT name FROM system.tables WHERE database = currentDatabase() AND name = 'events'"
            ).rows
            rows = warehouse.select("SELECT tenant_id FROM events").rows if tables else []
        finally:
            warehouse.close()
        return [*self.clouds.keys(f"{tenant}-logs"), *rows]

    def stored(self) -> str:
        """All items of all tables, as text."""
        dynamodb = self.clouds.client("dynamodb")
        return json.dumps([dynamodb.scan(TableName=table)["Items"] for table in TABLES])


def _event(route: str, tenant: str, body: Any, scopes: str) -> dict[str, Any]:
    method, path = route.split()
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "headers": {},
        "requestContext": {
            "http": {"method": method, "path": path, "sourceIp": "203.0.113.9", "userAgent": "a browser"},
            "requestId": "request-1",
            "authorizer": {
                "lambda": {
                    "verdict": "ok",
                    "tenant_id": tenant,
                    "key_id": "key_1",
                    "project_id": "default",
                    "scopes": scopes,
                    "retention_days": "30",
                    "bytes_per_second": "1000",
                    "actor": "key:key_1",
                    "plan": "byoc",
                    "refusal": "",
                }
            },
        },
        "body": "" if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


@pytest.fixture(scope="module")
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


def by_step(report: dict[str, Any]) -> dict[str, Any]:
    return {step["step"]: step for step in report["steps"]}


def only_failed(report: dict[str, Any]) -> dict[str, Any]:
    """The one step that failed."""
    (failed,) = [step for step in report["steps"] if step.get("ok") is False]
    return failed


def test_a_destination_is_tested_kept_shown_and_removed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second passes at each look at the clock: PUT answers with what is stored, not with a later time."""
    seconds = itertools.count(int(time.time()))
    monkeypatch.setattr(destination, "time", SimpleNamespace(time=lambda: next(seconds)))
    assert world.ask("GET /v1/destination")[0] == 404
    status, kept = world.ask("PUT /v1/destination", body=world.body())
    assert (status, kept["guarantee"], kept["version"]) == (200, "exactly_once", 1)
    assert [step["step"] for step in kept["steps"]] == STEPS
    assert all(step["ok"] for step in kept["steps"])
    status, shown = world.ask("GET /v1/destination")
    assert shown.pop("health") == {"state": "ok", "since": None, "reason": None}
    kept.pop("steps")
    assert (status, shown) == (200, kept)
    assert shown["bucket"]["access_key_ends_with"] == KEY_IDS["acme"][-4:]
    assert shown["retention_days"] == 3650
    assert world.left() == []
    assert world.ask("DELETE /v1/destination") == (204, None)
    assert world.ask("DELETE /v1/destination") == (204, None)
    assert world.ask("GET /v1/destination")[1]["code"] == "no_destination"


def test_a_removed_destination_leaves_nothing_to_open(world: World) -> None:
    world.ask("PUT /v1/destination", body=world.body())
    item = world.clouds.client("dynamodb").scan(TableName="destinations")["Items"][0]
    world.ask("DELETE /v1/destination")
    world.clouds.client("dynamodb").put_item(TableName="destinations", Item=item)  # a backup is restored
    assert world.ask("POST /v1/destination/test")[1]["code"] == "no_destination"
    partly = world.body()
    del partly["clickhouse"]["password"]
    assert world.ask("PUT /v1/destination", body=partly)[1]["field"] == "clickhouse.password"
    assert world.ask("PUT /v1/destination", body=world.body())[0] == 200


def test_one_customer_never_sees_or_touches_anothers_destination(world: World) -> None:
    for tenant in KEY_IDS:
        assert world.ask("PUT /v1/destination", tenant, world.body(tenant))[0] == 200
    acme, globex = (world.ask("GET /v1/destination", tenant)[1] for tenant in KEY_IDS)
    assert (acme["bucket"]["name"], globex["bucket"]["name"]) == ("acme-logs", "globex-logs")
    body = world.body("acme")
    for name in ("access_key_id", "secret_access_key"):
        del body["bucket"][name]
    world.clouds.asked.clear()
    assert world.ask("DELETE /v1/destination", "acme")[0] == 204
    assert world.ask("PUT /v1/destination", "acme", body)[1]["field"] == "bucket.access_key_id"
    assert world.clouds.asked == []
    assert world.ask("GET /v1/destination", "acme")[0] == 404
    assert world.ask("GET /v1/destination", "globex")[1] == globex
    assert world.ask("POST /v1/destination/test", "globex")[1]["usable"]
    assert world.left("acme") == world.left("globex") == []


def test_credentials_rotate_and_other_changes_keep_them(world: World) -> None:
    world.ask("PUT /v1/destination", body=world.body())
    moved = world.body(clickhouse__database="globex")
    for part, names in (
        ("bucket", ("access_key_id", "secret_access_key")),
        ("clickhouse", ("user", "password")),
    ):
        for name in names:
            del moved[part][name]
    assert world.ask("PUT /v1/destination", body=moved)[1]["version"] == 2
    rotated = {
        **moved,
        "bucket": {**moved["bucket"], "access_key_id": "AKIANEW000000NEW", "secret_access_key": "n"},
    }
    assert world.ask("PUT /v1/destination", body=rotated)[1]["bucket"]["access_key_ends_with"] == "0NEW"
    world.ask("DELETE /v1/destination")
    entries = world.service.audit.page(TenantId("acme"), 4).entries
    did = [(entry["action"], entry["subject"]) for entry in reversed(entries)]
    assert did == [
        ("destination.set", "destination/1"),
        ("destination.set", "destination/2"),
        ("destination.rotated", "destination/3"),
        ("destination.removed", "destination/3"),
    ]
    assert {(entry["actor"], entry["from"]) for entry in entries} == {("key:key_1", "203.0.113.9")}


def test_what_fails_its_test_is_not_kept(world: World) -> None:
    world.ask("PUT /v1/destination", body=world.body())
    status, refused = world.ask("PUT /v1/destination", body=world.body(clickhouse__password="wrong"))
    assert (status, refused["code"]) == (400, "destination_unusable")
    assert only_failed(refused)["step"] == "clickhouse.authenticate"
    assert refused["request_id"] == "request-1"
    assert world.ask("GET /v1/destination")[1]["version"] == 1
    assert world.ask("POST /v1/destination/test")[1]["usable"]


def test_a_candidate_is_tested_without_being_kept(world: World) -> None:
    status, report = world.ask("POST /v1/destination/test", body=world.body())
    assert (status, report["usable"], report["guarantee"]) == (200, True, "exactly_once")
    assert world.ask("POST /v1/destination/test")[0] == 404
    assert world.left() == []


def test_only_an_admin_may(world: World) -> None:
    for route in ("GET /v1/destination", "PUT /v1/destination", "DELETE /v1/destination"):
        assert world.ask(route, scopes="read ingest")[1]["code"] == "forbidden_scope"
    assert world.ask("POST /v1/destination/test", scopes="read ingest")[0] == 403


def test_a_failing_destination_says_since_when_and_why(world: World) -> None:
    world.ask("PUT /v1/destination", body=world.body())
    slot = world.service.health.take(own_destination(TenantId("acme")), "a worker", 10)
    world.service.health.record_failure(slot, "unreachable")  # type: ignore[arg-type]
    health = world.ask("GET /v1/destination")[1]["health"]
    assert (health["state"], health["reason"]) == ("failing", "unreachable")
    assert health["since"].endswith("Z")
    assert world.ask("PUT /v1/destination", "globex", world.body("globex"))[0] == 200
    assert world.ask("GET /v1/destination", "globex")[1]["health"]["state"] == "ok"


@pytest.mark.parametrize("part", [own_destination, own_drops])
def test_a_repaired_destination_is_tried_at_once_and_not_after_the_pause(
    world: World, part: Callable[[TenantId], str]
) -> None:
    """Setting the destination again is how a customer says so; another's circuit stays as it is."""
    now = time.time()
    health = HealthStore("health", lambda: now, world.clouds.client("dynamodb"))
    for tenant in ("acme", "globex"):
        assert world.ask("PUT /v1/destination", tenant, body=world.body(tenant))[0] == 200
        slot = health.take(part(TenantId(tenant)), "a worker", 10)
        health.record_failure(slot, "unreachable")  # type: ignore[arg-type]
        assert isinstance(health.take(part(TenantId(tenant)), "another", 10), SlotWait)

    assert world.ask("PUT /v1/destination", "acme", body=world.body("acme"))[0] == 200

    assert isinstance(health.take(part(TenantId("acme")), "another", 10), Slot)
    assert isinstance(health.take(part(TenantId("globex")), "another", 10), SlotWait)
    for tenant in ("acme", "globex"):  # for the next of these tests
        health.allow_retry(part(TenantId(tenant)))


@pytest.mark.parametrize(
    ("action", "status", "code", "step", "fix"),
    [
        ("s3:ListBucket", 403, "InvalidAccessKeyId", "bucket.authenticate", "access_key_id"),
        ("s3:ListBucket", 403, "SignatureDoesNotMatch", "bucket.authenticate", "secret_access_key"),
        ("s3:ListBucket", 403, "AccessDenied", "bucket.authenticate", "s3:ListBucket"),
        ("s3:ListBucket", 404, "NoSuchBucket", "bucket.authenticate", "Create the bucket"),
        ("s3:ListBucket", 400, "AuthorizationHeaderMalformed", "bucket.authenticate", "bucket.region"),
        ("s3:PutObject", 403, "AccessDenied", "bucket.write", "s3:PutObject"),
        ("s3:PutObject", 501, "NotImplemented", "bucket.write", "conditional writes"),
        ("s3:GetObject", 403, "AccessDenied", "bucket.read", "s3:GetObject"),
        ("s3:DeleteObject", 403, "AccessDenied", "bucket.delete", "s3:DeleteObject"),
    ],
)
def test_a_bucket_that_rejects_has_a_fix_and_keeps_nothing(
    world: World, action: str, status: int, code: str, step: str, fix: str
) -> None:
    world.clouds.refuses[action] = (status, code)
    failed = only_failed(world.ask("POST /v1/destination/test", body=world.body())[1])
    assert (failed["step"], fix in failed["fix"]) == (step, True)
    world.clouds.well()
    assert world.left() == []


def test_a_key_that_may_not_list_is_tried_to_the_end(world: World) -> None:
    world.clouds.refuses["s3:ListBucket"] = (403, "AccessDenied")
    named = by_step(world.ask("POST /v1/destination/test", body=world.body())[1])
    assert all(named[f"bucket.{name}"]["ok"] for name in ("write", "write_once", "read", "delete"))


def test_an_object_whose_answer_was_lost_is_removed(world: World) -> None:
    world.clouds.lost.add("s3:PutObject")
    failed = only_failed(world.ask("POST /v1/destination/test", body=world.body())[1])
    assert failed["step"] == "bucket.write"
    assert world.left() == []


def test_a_store_that_overwrites_is_reported_as_at_least_once(world: World) -> None:
    world.clouds.honours_conditions = False
    status, kept = world.ask("PUT /v1/destination", body=world.body())
    assert (status, kept["guarantee"]) == (200, "at_least_once")
    reported = by_step(kept)["bucket.write_once"]
    assert reported["ok"]
    assert "Idempotency-Key" in reported["detail"]
    assert "If-None-Match" in reported["fix"]


@pytest.mark.parametrize(
    ("statement", "code", "step", "fix"),
    [
        ("SELECT version()", 516, "clickhouse.authenticate", "password"),
        ("SELECT version()", 195, "clickhouse.authenticate", "addresses"),
        ("CREATE TABLE", 497, "clickhouse.table", "GRANT"),
        ("CREATE TABLE", 164, "clickhouse.table", "readonly"),
        ("CREATE TABLE IF NOT EXISTS schema", 115, "clickhouse.table", "26.2"),
        ("INSERT INTO events ", 497, "clickhouse.write", "GRANT"),
        ("INSERT INTO events_trial", 452, "clickhouse.write", "constraints"),
        ("SELECT count()", 497, "clickhouse.read", "GRANT"),
        ("ALTER TABLE events DELETE", 497, "clickhouse.delete", "ALTER DELETE"),
        ("ALTER TABLE events DELETE", 48, "clickhouse.delete", "MergeTree"),
    ],
)
def test_a_clickhouse_that_rejects_has_a_fix_and_keeps_nothing(
    world: World, statement: str, code: int, step: str, fix: str
) -> None:
    # The first of what is counted may be the read; the check after the deletion then goes well.
    count = 1 if step == "clickhouse.read" else 1000
    world.order(mode="busy", code=code, count=count, statement=statement)
    report = world.ask("POST /v1/destination/test", body=world.body())[1]
    failed = only_failed(report)
    assert (failed["step"], fix in failed["fix"]) == (step, True)
    assert "Ordered by a test" not in json.dumps(report)
    world.order(mode="none")
    assert world.left() == []


def test_a_row_whose_answer_was_lost_is_removed(world: World) -> None:
    world.ask("POST /v1/destination/test", body=world.body())
    world.order(mode="lose_answer", count=1, statement="INSERT INTO events ")
    report = world.ask("POST /v1/destination/test", body=world.body())[1]
    assert only_failed(report)["step"] == "clickhouse.write"
    assert by_step(report)["clickhouse.delete"]["ok"]
    assert world.left() == []


def test_a_database_is_created_when_it_is_missing_and_allowed(world: World) -> None:
    server = world.warehouse("default")
    server.command("DROP DATABASE acme")
    world.order(mode="busy", code=497, statement="CREATE DATABASE")
    denied = only_failed(world.ask("POST /v1/destination/test", body=world.body())[1])
    assert (denied["step"], "CREATE DATABASE" in denied["fix"]) == ("clickhouse.table", True)
    assert world.ask("POST /v1/destination/test", body=world.body())[1]["usable"]
    server.close()


def test_a_user_who_may_not_create_databases_needs_one_that_is_there_only(world: World) -> None:
    world.order(mode="busy", code=497, count=1000, statement="CREATE DATABASE")
    report = world.ask("POST /v1/destination/test", body=world.body())[1]
    assert report["usable"]
    assert by_step(report)["clickhouse.table"]["detail"] == "The tables were created or brought up to date."


def test_a_user_who_may_create_nothing_needs_what_is_there_only(world: World) -> None:
    Schema(replace(world.engine, database="acme")).bring_up_to_date(migrations())
    world.order(mode="busy", code=497, count=1000, statement="CREATE")
    report = world.ask("POST /v1/destination/test", body=world.body())[1]
    assert report["usable"]
    assert "GRANT" in by_step(report)["clickhouse.table"]["fix"].upper()


def test_a_foreign_table_is_reported_with_its_missing_columns(world: World) -> None:
    warehouse = world.warehouse("acme")
    warehouse.command("CREATE TABLE events (tenant_id String) ENGINE = MergeTree ORDER BY tenant_id")
    warehouse.close()
    failed = only_failed(world.ask("POST /v1/destination/test", body=world.body())[1])
    assert failed["step"] == "clickhouse.table"
    assert "events.message" in failed["detail"]
    assert "events.tenant_id" not in failed["detail"]


@pytest.mark.parametrize(
    ("engine", "settings", "word"),
    [
        ("MergeTree", "non_replicated_deduplication_window = 0", "remembers no batches"),
        ("ReplacingMergeTree", "non_replicated_deduplication_window = 100", "merge rows"),
    ],
)
def test_a_table_that_keeps_repeated_batches_is_at_least_once_and_said_so(
    world: World, engine: str, settings: str, word: str
) -> None:
    created = migrations()[0].on(engine).rpartition("SETTINGS")[0]
    warehouse = world.warehouse("acme")
    warehouse.command(f"{created} SETTINGS {settings}, deduplicate_merge_projection_mode = 'drop'")
    warehouse.close()
    status, kept = world.ask("PUT /v1/destination", body=world.body())
    assert (status, kept["guarantee"]) == (200, "at_least_once")
    assert word in by_step(kept)["clickhouse.guarantee"]["detail"]
    assert by_step(kept)["clickhouse.guarantee"]["fix"]
    assert world.left() == []


def test_a_table_that_keeps_nothing_is_refused(world: World) -> None:
    columns = migrations()[1].statement.replace("events_trial", "events").rpartition("expires_on Date")[0]
    more = "expires_on Date, duration_ms Nullable(Float64), metadata_tokens Array(String)) ENGINE = Null"
    warehouse = world.warehouse("acme")
    warehouse.command(columns + more)
    warehouse.close()
    failed = only_failed(world.ask("POST /v1/destination/test", body=world.body())[1])
    assert (failed["step"], "MergeTree" in failed["fix"]) == ("clickhouse.delete", True)


def test_a_test_twice_and_two_at_once_do_no_harm(world: World) -> None:
    with ThreadPoolExecutor(2) as both:
        reports = list(both.map(lambda _: world.ask("POST /v1/destination/test", body=world.body())[1], "ab"))
    assert [report["usable"] for report in reports] == [True, True]
    again = world.ask("POST /v1/destination/test", body=world.body())[1]
    assert by_step(again)["clickhouse.table"]["detail"] == "The tables are up to date."
    assert world.left() == []


def test_what_hangs_is_cut_off_and_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "RESERVED_SECONDS", 0.5)
    world.clouds.slow.add("s3:ListBucket")
    world.order(mode="slow", seconds=1.2, statement="SELECT version()")
    proposed = candidate(json.dumps(world.body()).encode(), TenantId("acme"), 1, None, lambda: "unused")
    report = DestinationTester(EgressFilter(allow_loopback=True), RoleSessions(), seconds=1.5).test(proposed)
    outcomes = {step.name: step.outcome for step in report.steps}
    assert (outcomes["bucket.authenticate"], outcomes["bucket.write"]) == ("failed", "skipped")
    assert (outcomes["clickhouse.authenticate"], outcomes["clickhouse.write"]) == ("ok", "skipped")
    assert (report.usable, report.guarantee) == (False, "at_least_once")


def test_the_region_of_awss_own_bucket_is_checked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", world.clouds.url)  # stands for AWS where loopback is allowed
    world.clouds.client("s3").create_bucket(
        Bucket="acme-in-ireland", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    body = world.body(bucket__name="acme-in-ireland", bucket__endpoint=None)
    failed = only_failed(world.ask("POST /v1/destination/test", body=body)[1])
    assert (failed["step"], failed["fix"]) == ("bucket.authenticate", "Set bucket.region to eu-west-1.")
    body["bucket"]["region"] = "eu-west-1"
    assert world.ask("PUT /v1/destination", body=body)[0] == 200


def test_planted_secrets_are_nowhere(world: World, capsys: Any) -> None:
    answers = [world.ask("PUT /v1/destination", tenant, world.body(tenant)) for tenant in KEY_IDS]
    for action in ("s3:ListBucket", "s3:PutObject", "s3:GetObject", "s3:DeleteObject"):
        world.clouds.refuses = {action: (403, "AccessDenied")}
        answers.append(world.ask("POST /v1/destination/test", body=world.body()))
    world.clouds.well()
    answers.append(world.ask("PUT /v1/destination", body=world.body(clickhouse__password="canary-wrong")))
    answers.append(world.ask("PUT /v1/destination", body=world.body(bucket__region=KEY_IDS["acme"])))
    answers.append(world.ask("PUT /v1/destination", body=world.body(bucket__endpoint="https://canary:x@y")))
    answers += [world.ask("GET /v1/destination"), world.ask("DELETE /v1/destination")]
    written = capsys.readouterr()
    seen = f"{json.dumps(answers)} {world.stored()} {written.out} {written.err}"
    for planted in (*KEY_IDS.values(), *SECRETS.values(), f'"{PASSWORD}"', "canary"):
        assert planted not in seen


ACCOUNT = "123456789012"


@pytest.fixture
def with_roles(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A role is for S3 of AWS: its address is here, too."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", world.clouds.url)
    return world


def role_body(world: World, arn: str, tenant: str = "acme") -> dict[str, Any]:
    body = world.body(tenant)
    body["bucket"] = {"name": f"{tenant}-logs", "region": "us-east-1", "role_arn": arn}
    return body


def make_role(world: World, name: str, policy: dict[str, Any]) -> str:
    iam = world.clouds.client("iam")
    try:
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(policy))
    except iam.exceptions.EntityAlreadyExistsException:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(policy))
        made = iam.get_role(RoleName=name)
    return str(made["Role"]["Arn"])


def setup_of(world: World, tenant: str = "acme") -> dict[str, Any]:
    status, shown = world.ask("GET /v1/destination/role", tenant)
    assert status == 200
    return dict(shown)


def test_each_tenant_has_an_external_id_of_its_own_that_stays(with_roles: World) -> None:
    world = with_roles
    acme, globex = setup_of(world, "acme"), setup_of(world, "globex")

    assert len({acme["external_id"], globex["external_id"]}) == 2
    assert setup_of(world)["external_id"] == acme["external_id"]
    world.ask("DELETE /v1/destination")
    assert setup_of(world)["external_id"] == acme["external_id"], "the role still trusts it"
    assert (acme["account_id"], acme["role_name"]) == (ACCOUNT, "byoc-astralog")
    (statement,) = globex["trust_policy"]["Statement"]
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": globex["external_id"]}}
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert world.ask("GET /v1/destination")[0] == 404
    assert world.ask("GET /v1/destination/role", scopes="read ingest")[0] == 403


def test_the_permission_policy_has_the_bucket_that_is_asked_for(world: World) -> None:
    """Without a name it has that of the stored destination, else a placeholder."""
    event = {**_event("GET /v1/destination/role", "acme", None, "admin"), "rawQueryString": "bucket=my-logs"}
    event["queryStringParameters"] = {"bucket": "my-logs"}
    shown = json.loads(answering(lambda each: answer_to(each, world.service))(event, None)["body"])
    assert shown["permission_policy"]["Statement"][0]["Resource"] == "arn:aws:s3:::my-logs"

    event |= {"rawQueryString": "bucket=A*", "queryStringParameters": {"bucket": "A*"}}
    refused = json.loads(answering(lambda each: answer_to(each, world.service))(event, None)["body"])
    assert (refused["code"], refused["field"]) == ("invalid_bucket", "bucket")

    assert "YOUR-BUCKET" in json.dumps(setup_of(world)["permission_policy"])
    world.ask("PUT /v1/destination", body=world.body())
    assert "arn:aws:s3:::acme-logs/staged/v1/tenant=acme/*" in json.dumps(setup_of(world))
    assert "acme-logs" not in json.dumps(setup_of(world, "globex"))


def test_a_role_is_tested_kept_and_shown_without_a_key(with_roles: World) -> None:
    world = with_roles
    arn = make_role(world, "byoc-astralog-acme", setup_of(world)["trust_policy"])
    status, kept = world.ask("PUT /v1/destination", body=role_body(world, arn))

    assert (status, kept["guarantee"]) == (200, "exactly_once")
    names = [step["step"] for step in kept["steps"]]
    assert names == [*bucket_tester.ROLE_STEPS, *clickhouse_tester.STEPS]
    assert all(step["ok"] for step in kept["steps"])
    assert kept["bucket"] == {
        "name": "acme-logs",
        "region": "us-east-1",
        "endpoint": None,
        "access_key_ends_with": None,
        "role_arn": arn,
    }
    assert world.ask("POST /v1/destination/test")[1]["usable"]
    assert world.left() == []
    assert "AKIA" not in world.stored()
    assert "ASIA" not in world.stored()


def test_another_tenants_role_is_asked_for_with_the_own_external_id_and_denied(with_roles: World) -> None:
    """The confused deputy: globex knows acme's role, which trusts our account for acme."""
    world = with_roles
    arn = make_role(world, "byoc-astralog-acme", setup_of(world)["trust_policy"])
    assert world.ask("PUT /v1/destination", body=role_body(world, arn))[0] == 200

    stolen = {**role_body(world, arn, "globex")["bucket"], "name": "acme-logs"}
    status, refused = world.ask("PUT /v1/destination", "globex", {**world.body("globex"), "bucket": stolen})

    failed = only_failed(refused)
    assert (status, failed["step"]) == (400, "bucket.assume_role")
    assert setup_of(world, "globex")["external_id"] in failed["fix"]
    assert setup_of(world, "acme")["external_id"] not in json.dumps(refused)
    assert world.ask("GET /v1/destination", "globex")[0] == 404
    assert world.ask("POST /v1/destination/test", "acme")[1]["usable"]


@pytest.mark.parametrize(
    ("condition", "word"),
    [
        ({}, "sts:ExternalId"),
        ({"StringLike": {"sts:ExternalId": "*"}}, "sts:ExternalId"),
        ({"StringEquals": {"sts:ExternalId": "another"}}, "trust policy"),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, "MFA"),
    ],
)
def test_a_role_that_trusts_too_many_or_too_few_is_not_kept(
    with_roles: World, condition: dict[str, Any], word: str
) -> None:
    world = with_roles
    policy = setup_of(world)["trust_policy"]
    policy["Statement"][0]["Condition"] = condition
    arn = make_role(world, "byoc-astralog-open", policy)

    failed = only_failed(world.ask("PUT /v1/destination", body=role_body(world, arn))[1])

    assert (failed["step"], word in failed["fix"]) == ("bucket.assume_role", True)
    assert world.ask("GET /v1/destination")[0] == 404


def test_a_role_that_does_not_exist_is_not_kept(with_roles: World) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/byoc-astralog-nowhere"
    report = with_roles.ask("POST /v1/destination/test", body=role_body(with_roles, arn))[1]
    assert only_failed(report)["step"] == "bucket.assume_role"
    assert by_step(report)["bucket.reach"]["skipped"]
    assert by_step(report)["clickhouse.guarantee"]["ok"]


def test_a_permission_that_a_role_lacks_is_named(with_roles: World) -> None:
    world = with_roles
    arn = make_role(world, "byoc-astralog-acme", setup_of(world)["trust_policy"])
    world.clouds.refuses["s3:PutObject"] = (403, "AccessDenied")
    failed = only_failed(world.ask("POST /v1/destination/test", body=role_body(world, arn))[1])
    assert failed["detail"] == "The role has no permission for s3:PutObject."


def test_a_role_replaces_a_key_and_a_key_a_role(with_roles: World) -> None:
    world = with_roles
    arn = make_role(world, "byoc-astralog-acme", setup_of(world)["trust_policy"])
    world.ask("PUT /v1/destination", body=world.body())
    assert world.ask("PUT /v1/destination", body=role_body(world, arn))[0] == 200
    stored = world.service.destinations.get(TenantId("acme"))
    assert stored is not None
    assert stored.access == CustomerRole(arn, setup_of(world)["external_id"])

    # The key is gone: an update without one is an update of the role.
    without = role_body(world, arn)
    del without["bucket"]["role_arn"]
    assert world.ask("PUT /v1/destination", body=without)[1]["bucket"]["role_arn"] == arn
    assert world.ask("PUT /v1/destination", body=world.body())[1]["bucket"]["role_arn"] is None
    entries = world.service.audit.page(TenantId("acme"), 4).entries
    assert [entry["action"] for entry in entries] == [
        "destination.set", "destination.rotated", "destination.set", "destination.set",
    ]  # fmt: skip
