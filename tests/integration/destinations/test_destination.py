"""A destination is tested, kept, shown, rotated and removed, for its own customer alone."""

import itertools
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from functions.destinations import steps
from functions.destinations.candidate import candidate
from functions.destinations.tester import DestinationTester
from functions.shared.byoc import destination
from functions.shared.byoc.health import HealthStore, Slot, SlotWait
from functions.shared.byoc.role_sessions import RoleSessions
from functions.shared.egress.egress_filter import EgressFilter
from functions.shared.tenancy import TenantId, own_destination, own_drops
from tests.integration.destinations.world import (
    KEY_IDS,
    PASSWORD,
    SECRETS,
    STEPS,
    World,
    by_step,
    only_failed,
)


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


def test_a_test_twice_and_two_at_once_do_no_harm(world: World) -> None:
    with ThreadPoolExecutor(2) as both:
        reports = list(both.map(lambda _: world.ask("POST /v1/destination/test", body=world.body())[1], "ab"))
    assert [report["usable"] for report in reports] == [True, True]
    again = world.ask("POST /v1/destination/test", body=world.body())[1]
    assert by_step(again)["clickhouse.table"]["detail"] == "The tables are up to date."
    assert world.left() == []


def test_what_hangs_is_cut_off_and_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "RESERVED_SECONDS", 2.0)
    world.clouds.slow.add("s3:ListBucket")
    world.order(mode="slow", seconds=2.5, statement="SELECT version()")
    proposed = candidate(json.dumps(world.body()).encode(), TenantId("acme"), 1, None, lambda: "unused")
    report = DestinationTester(EgressFilter(allow_loopback=True), RoleSessions(), seconds=4).test(proposed)
    outcomes = {step.name: step.outcome for step in report.steps}
    assert (outcomes["bucket.authenticate"], outcomes["bucket.write"]) == ("failed", "skipped")
    assert (outcomes["clickhouse.authenticate"], outcomes["clickhouse.write"]) == ("ok", "skipped")
    assert (report.usable, report.guarantee) == (False, "at_least_once")


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
    shown = f"{json.dumps(answers)} {world.stored()} {written.out} {written.err}"
    for planted in (*KEY_IDS.values(), *SECRETS.values(), f'"{PASSWORD}"', "canary"):
        assert planted not in shown
