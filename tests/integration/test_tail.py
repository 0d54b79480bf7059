"""`GET /v1/tail` through its handler: the ledger on moto, the real engine, sync itself, two tenants."""

import base64
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import boto3
import pytest
from backports import zstd

from functions.query import tail_handler
from functions.query.searching.byoc_search import ByocSearch
from functions.query.searching.event_search import EventSearch, ManagedSearch
from functions.query.tailing.commit_reader import CommitReader
from functions.query.tailing.slots import TailSlots
from functions.shared.errors import HttpError
from functions.shared.events.staged_key import StagedKey, time_ordered_id
from functions.shared.tenancy import TenantId, own_destination
from functions.sync.batch_processor import BatchProcessor, Deadline
from functions.sync.ledger import Ledger
from functions.sync.load import EventsTable, StagingBucket
from functions.sync.notifications import StagedObject
from functions.sync.plan import MANAGED
from functions.sync.settle import Settler
from infra.topology import table
from local.tables import definition
from tests.aws_environment import set_aws_environment
from tests.crash.tailing import LIMITS
from tests.crash.world import TABLE, World, world
from tests.integration.loading import staged
from tests.integration.stores import WithoutHttp
from tests.unit.query.test_byoc_search import Keeper, Slots

EXPIRES_ON = date(2030, 1, 1)
SHORT_SECONDS, LONG_SECONDS = 20, 300


class Pipeline:
    """Stages and loads objects, and asks for tails."""

    def __init__(self, here: World) -> None:
        self.world = here
        self.ledger = Ledger(TABLE)
        self.managed_until = 0

    def stage(self, tenant: str, *messages: str, **columns: str) -> StagedObject:
        object_id = columns.pop("object_id", "") or time_ordered_id()
        rows = [
            staged(
                tenant_id=tenant,
                message=each,
                object_id=object_id,
                position=str(number),
                **columns,
            )
            for number, each in enumerate(messages)
        ]
        key = StagedKey(TenantId(tenant), date(2029, 12, 2), object_id, len(rows), 300, EXPIRES_ON)
        body = zstd.compress(b"".join(rows), 1)
        return StagedObject(str(key), self.world.bucket.create(str(key), body) or "", len(body))

    def load(self, *objects: StagedObject, destination: str = MANAGED) -> None:
        loader = EventsTable(self.world.narrow if destination != MANAGED else self.world.warehouse)
        driver = BatchProcessor(self.ledger, StagingBucket(self.world.bucket), loader)
        settled = Settler(self.ledger, driver, destination).settle(objects, Deadline(lambda: 60.0, 30.0))
        assert settled == {each.key for each in objects}

    def ask(self, tenant: str, plan: str = "managed_30", **query: str) -> tuple[int, dict[str, Any]]:
        verdict = {
            "verdict": "ok", "tenant_id": tenant, "key_id": "k", "project_id": "p", "scopes": "read",
            "retention_days": "30", "bytes_per_second": "1", "refusal": "", "actor": "key:k",
            "plan": plan, "managed_until": str(self.managed_until),
        }  # fmt: skip
        context = {"requestId": "r", "http": {"method": "GET"}, "authorizer": {"lambda": verdict}}
        event = {
            "routeKey": "GET /v1/tail",
            "requestContext": context,
            "queryStringParameters": {"wait": "0", **query},
        }
        response = tail_handler.handler(event, None)
        return response["statusCode"], json.loads(response["body"])

    def follow(self, tenant: str, cursor: str = "", **query: str) -> tuple[list[str], str]:
        """Messages of one response, and its cursor."""
        status, result = self.ask(tenant, **query, **({"cursor": cursor} if cursor else {}))
        assert status == 200, result
        return [each["message"] for each in result["events"]], result["cursor"]


@pytest.fixture(scope="module")
def here() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        set_aws_environment(patch)
        with world() as made:
            boto3.client("dynamodb").create_table(**definition(table("health"), "health"))
            yield made


@pytest.fixture
def pipeline(here: World, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """The customers' own database is `narrow` of the world; ours is `wide`."""
    managed = ManagedSearch(EventSearch(WithoutHttp(here.warehouse), LIMITS), 5, kind="tail")  # type: ignore[arg-type]
    own = dict.fromkeys(("acme", "globex"), here.narrow)
    byoc = ByocSearch(Keeper(**own), Slots(), LIMITS, 3)  # type: ignore[arg-type]
    slots = TailSlots("health", 2, 30)
    monkeypatch.setattr(tail_handler, "_managed_search", lambda: managed)
    monkeypatch.setattr(tail_handler, "_byoc_search", lambda: byoc)
    monkeypatch.setattr(tail_handler, "_commits", lambda: CommitReader(TABLE))
    monkeypatch.setattr(tail_handler, "_slots", lambda: slots)
    return Pipeline(here)


def test_a_tail_starts_now_and_shows_each_tenant_its_own_events_once(pipeline: Pipeline) -> None:
    pipeline.load(pipeline.stage("acme", "before"))
    cursors = {tenant: pipeline.follow(tenant)[1] for tenant in ("acme", "globex")}
    assert pipeline.follow("acme", cursors["acme"])[0] == []
    pipeline.load(pipeline.stage("acme", "a1", "a2"), pipeline.stage("globex", "g1"))
    shown, after = pipeline.follow("acme", cursors["acme"])
    assert shown == ["a1", "a2"]
    assert pipeline.follow("acme", after)[0] == []
    assert pipeline.follow("globex", cursors["globex"])[0] == ["g1"]
    assert pipeline.follow("acme", cursors["acme"])[0] == ["a1", "a2"], "a lost response is asked for again"


def test_a_thousand_lines_of_one_instant_come_in_the_order_in_which_they_were_sent(
    pipeline: Pipeline,
) -> None:
    _, cursor = pipeline.follow("acme")
    lines = [f"line {number}" for number in range(1000)]
    first, second = pipeline.stage("acme", *lines[:600]), pipeline.stage("acme", *lines[600:])
    pipeline.load(second, first, pipeline.stage("globex", "other"))
    shown: list[str] = []
    for _ in range(200):
        some, cursor = pipeline.follow("acme", cursor, limit="7")
        if not some:
            break
        shown += some
    assert shown == lines


def test_an_object_that_is_loaded_late_is_shown_when_it_is_stored(pipeline: Pipeline) -> None:
    late = pipeline.stage("acme", "late", timestamp="2026-10-01 00:00:00.000000000")
    _, cursor = pipeline.follow("acme")
    pipeline.load(pipeline.stage("acme", "early"))
    shown, cursor = pipeline.follow("acme", cursor)
    assert shown == ["early"]
    pipeline.load(late)
    assert pipeline.follow("acme", cursor)[0] == ["late"]


def test_a_filter_selects_and_its_cursor_belongs_to_it_and_to_its_tenant(pipeline: Pipeline) -> None:
    _, cursor = pipeline.follow("acme", q="boom", services="api,web", levels="error")
    pipeline.load(
        pipeline.stage("acme", "boom", "fine", service="api", level="error"),
        pipeline.stage("acme", "boom elsewhere", service="db", level="error"),
        pipeline.stage("globex", "boom", service="api", level="error"),
    )
    assert pipeline.follow("acme", cursor, q="boom", services="api,web", levels="error")[0] == ["boom"]
    for tenant, query in (
        ("acme", {"q": "other"}),
        ("globex", {"q": "boom", "services": "api,web", "levels": "error"}),
    ):
        status, result = pipeline.ask(tenant, cursor=cursor, **query)
        assert (status, result["code"]) == (400, "invalid_cursor")


def test_an_error_in_a_query_names_the_parameter(pipeline: Pipeline) -> None:
    status, result = pipeline.ask("acme", q="level:errr")
    assert (status, result["code"], result["field"], result["column"]) == (400, "invalid_query", "q", 7)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"wait": "11"}, 400, "invalid_wait"),
        ({"limit": "0"}, 400, "invalid_limit"),
        ({"levels": "errr"}, 400, "invalid_levels"),
        ({"q": "a | limit 5"}, 400, "invalid_query"),
        ({"since": "1"}, 400, "unknown_parameter"),
        ({"cursor": "x"}, 400, "invalid_cursor"),
        ({"cursor": "x" * 5000}, 400, "invalid_cursor"),
    ],
)
def test_a_wrong_parameter_is_named(
    pipeline: Pipeline, query: dict[str, str], status: int, code: str
) -> None:
    assert (pipeline.ask("acme", **query)[0], pipeline.ask("acme", **query)[1]["code"]) == (status, code)


def _changed(cursor: str, at: int, value: Any) -> str:
    content = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    content[at] = value
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def test_an_old_cursor_is_expired_and_a_forged_one_shows_no_other_tenants_events(pipeline: Pipeline) -> None:
    pipeline.load(pipeline.stage("globex", "secret"), pipeline.stage("acme", "mine"))
    _, cursor = pipeline.follow("acme")
    status, result = pipeline.ask("acme", cursor=_changed(cursor, 2, int(time.time()) - 90_000))
    assert (status, result["code"]) == (410, "cursor_expired")
    shown: list[str] = []
    forged = _changed(cursor, 3, [["managed", 0, 0, ""]])
    for _ in range(30):
        some, forged = pipeline.follow("acme", forged)
        shown += some
    assert "mine" in shown
    assert "secret" not in shown
    for place in (
        ["byoc", 0, 0, ""],
        ["managed", -1, 0, ""],
        ["managed", 0, 99, ""],
        ["managed", 0, 0, "' OR 1"],
    ):
        assert pipeline.ask("acme", cursor=_changed(cursor, 3, [place]))[0] in (400, 410)


def test_a_waiting_tail_answers_soon_after_the_commit(pipeline: Pipeline) -> None:
    _, cursor = pipeline.follow("acme")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(pipeline.follow, "acme", cursor, wait="10")
        time.sleep(0.3)
        pipeline.load(pipeline.stage("globex", "not yours"))
        pipeline.load(pipeline.stage("acme", "awaited"))
        committed = time.monotonic()
        assert waiting.result()[0] == ["awaited"]
    assert time.monotonic() - committed < 8


def test_the_tails_of_one_tenant_leave_another_its_own(pipeline: Pipeline) -> None:
    slots = tail_handler._slots()
    with slots.slot(TenantId("acme")), slots.slot(TenantId("acme")):
        status, result = pipeline.ask("acme")
        assert (status, result["code"]) == (429, "too_many_tails")
        assert pipeline.ask("globex")[0] == 200
    assert pipeline.ask("acme")[0] == 200, "the slots are free again"


def test_the_slot_of_a_function_that_died_expires(pipeline: Pipeline) -> None:  # noqa: ARG001
    now = [1000.0]
    slots = TailSlots("health", 1, 30, lambda: now[0])
    held = slots.slot(TenantId("dying"))
    held.__enter__()
    with pytest.raises(HttpError), slots.slot(TenantId("dying")):
        pass
    now[0] += 31
    with slots.slot(TenantId("dying")):
        pass


def test_in_the_week_after_a_move_both_stores_are_followed_and_then_the_own_one(pipeline: Pipeline) -> None:
    _, before = pipeline.follow("acme")
    status, result = pipeline.ask("acme", "byoc", cursor=before)
    assert (status, result["code"]) == (410, "cursor_expired")
    pipeline.managed_until = int(time.time()) + 3600
    _, cursor = pipeline.follow("acme", plan="byoc")
    pipeline.load(pipeline.stage("acme", "staged before the move"))
    pipeline.load(pipeline.stage("acme", "own"), destination=own_destination(TenantId("acme")))
    pipeline.load(pipeline.stage("globex", "theirs"), destination=own_destination(TenantId("globex")))
    shown: list[str] = []
    for _ in range(4):
        some, cursor = pipeline.follow("acme", cursor, plan="byoc")
        shown += some
    assert sorted(shown) == ["own", "staged before the move"]


def test_a_replica_that_lags_behind_is_waited_for(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, cursor = pipeline.follow("acme")
    pipeline.load(pipeline.stage("acme", "one", "two"), pipeline.stage("globex", "three"))
    found = tail_handler.ManagedReads.count
    with monkeypatch.context() as lagging:
        lagging.setattr(tail_handler.ManagedReads, "count", lambda self, batches: found(self, batches) - 1)
        shown, cursor = pipeline.follow("acme", cursor)
        assert shown == []
    assert pipeline.follow("acme", cursor)[0] == ["one", "two"]


def _soak(pipeline: Pipeline, seconds: float) -> str:
    """Load as fast as it goes, with viewers of two tenants who lose a tenth of the responses."""
    sent: dict[str, float] = {}
    seen = {tenant: Counter[str]() for tenant in ("acme", "globex")}
    waits: list[float] = []
    over, lock = threading.Event(), threading.Lock()

    def view(tenant: str, cursor: str) -> None:
        chance = random.Random(tenant)
        while True:
            last = over.is_set()
            shown, following = pipeline.follow(
                tenant, cursor, wait="1", limit=str(chance.choice([3, 50, 1000]))
            )
            if chance.random() < 0.1:
                continue
            cursor = following
            now = time.monotonic()
            with lock:
                waits.extend(now - sent[each] for each in shown)
                seen[tenant].update(shown)
            if last and not shown:
                return

    with ThreadPoolExecutor(2) as pool:
        viewers = [pool.submit(view, tenant, pipeline.follow(tenant)[1]) for tenant in seen]
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            objects = []
            for tenant in seen:
                messages = [f"{tenant} {time_ordered_id()}" for _ in range(random.randint(1, 30))]
                sent.update(dict.fromkeys(messages, time.monotonic()))
                objects.append(pipeline.stage(tenant, *messages))
            pipeline.load(*objects)
            time.sleep(0.2)
        over.set()
        for each in viewers:
            each.result()
    for tenant, counts in seen.items():
        assert counts == Counter(each for each in sent if each.startswith(f"{tenant} "))
    ordered = sorted(waits)
    median, p95 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
    assert median <= 3, median
    assert p95 <= 6, p95
    return f"{len(waits)} rows, staged to shown: median {median:.2f} s, p95 {p95:.2f} s"


def test_under_load_and_with_reconnects_nothing_is_missed_or_doubled(pipeline: Pipeline) -> None:
    print(_soak(pipeline, SHORT_SECONDS))


@pytest.mark.soak
def test_for_five_minutes_nothing_is_missed_or_doubled(pipeline: Pipeline) -> None:
    print(_soak(pipeline, LONG_SECONDS))
