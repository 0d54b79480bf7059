"""Patterns on the real engine: whose messages, proven filters, two stores, two ranges and samples."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from bench.in_process import embedded_engine
from functions.query import patterns as route
from functions.query.compile import templates
from functions.shared.warehouse import Warehouse, refusal
from tests.integration.loading import load, staged
from tests.integration.log_lines import lines, odd_line
from tests.integration.query_requests import QueryRequests
from tests.integration.stores import FailingStore

TENANTS = ("acme", "globex")
LINES = 3000
DAY = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}
EARLIER = {"compare_from": "2026-10-31T00:00:00Z"}


def _rows(tenant: str, store: str, messages: list[str], day: str = "2026-11-01") -> list[bytes]:
    return [
        staged(
            tenant_id=tenant,
            service=store,
            message=message,
            timestamp=f"{day} 12:{at // 60 % 60:02d}:{at % 60:02d}.{at:09d}",
            object_id="06b2x5s3dgqkzr0v8m1tnc4f7a",
            position=at,  # type: ignore[arg-type]
        )
        for at, message in enumerate(messages)
    ]


def messages_of(tenant: str, store: str) -> list[str]:
    random = Random(f"{tenant} {store}")
    marked = [f"secret of {tenant} number {at}" for at in range(50)]
    return [*lines(random, LINES), *marked, *(odd_line(random) for _ in range(LINES))]


@pytest.fixture(scope="module")
def databases() -> Iterator[tuple[Warehouse, dict[str, Warehouse]]]:
    with embedded_engine() as room:
        ours = room.database("ours")
        own = {tenant: room.database(f"own_{tenant}") for tenant in TENANTS}
        for tenant in TENANTS:
            load(ours, _rows(tenant, "ours", messages_of(tenant, "ours")), f"{tenant}-ours")
            load(own[tenant], _rows(tenant, "own", messages_of(tenant, "own")), f"{tenant}-own")
            earlier = [*["a common line 5"] * 500, *["an old line 5"] * 100, *["rising 1"] * 20]
            load(ours, _rows(tenant, "changes", earlier, "2026-10-31"), f"{tenant}-earlier")
            later = [*["a common line 7"] * 520, *["a new line 5"] * 100, *["rising 2"] * 200]
            load(ours, _rows(tenant, "changes", later), f"{tenant}-later")
        yield ours, own


@pytest.fixture
def queries(
    databases: tuple[Warehouse, dict[str, Warehouse]], monkeypatch: pytest.MonkeyPatch
) -> QueryRequests:
    return QueryRequests(monkeypatch, databases[0], dict(databases[1]))


def found(queries: QueryRequests, tenant: str = "acme", plan: str = "managed_30", **body: Any) -> Any:
    status, answered = queries.post("/v1/patterns", tenant, plan, **{**DAY, **body})
    assert status == 200, answered
    return answered


def matching(queries: QueryRequests, query: str, tenant: str, plan: str, service: str) -> list[str]:
    events = queries.pages(tenant, plan, **DAY, query=f"service:{service} {query}", limit=1000)
    return [event["message"] for event in events]


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize(("plan", "store"), [("managed_30", "ours"), ("byoc", "own")])
def test_patterns_count_the_callers_messages_and_each_filter_finds_its_examples(
    queries: QueryRequests, tenant: str, plan: str, store: str
) -> None:
    queries.managed_until = 0
    answered = found(queries, tenant, plan, services=[store], limit=50)
    messages = messages_of(tenant, store)
    assert (answered["rows"], answered["sampled_rows"]) == (len(messages), len(messages))
    by_template = {each["template"]: each for each in answered["patterns"]}
    assert by_template["checkpoint took <*> ms"]["count"] == len(
        [each for each in messages if each.startswith("checkpoint took ")]
    )
    assert by_template[f"secret of {tenant} number <*>"]["count"] == 50
    assert not [each for each in by_template if "secret" in each and tenant not in each]
    for each in answered["patterns"]:
        assert each["query"] is not None, each
        assert 1 <= len(each["examples"]) <= 3
        held = matching(queries, each["query"], tenant, plan, store)
        assert {example["message"] for example in each["examples"]} <= set(held), each
        assert len(held) >= each["count"] > 0
    counts = [each["count"] for each in answered["patterns"]]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) <= len(messages)


def test_the_templates_of_lines_by_hand_are_those_that_a_person_sees(queries: QueryRequests) -> None:
    answered = found(queries, services=["ours"], limit=50)
    templates_found = [each["template"] for each in answered["patterns"]]
    for template in (
        "user <*> logged in from <*>",
        "connection refused by db-<*>",
        "GET <*> <*> <*>s",
        '{"level":<*>,"order":<*>,"user":<*>,"ok":<*>}',
        "job <*> done",
        "cache miss for key <*> in shard <*>",
        "mail to <*> failed: mailbox is full",
        "opened <*>",
        "<*> moved <*>",
        "out of memory",
        "",
    ):
        assert template in templates_found, templates_found


def test_both_stores_of_a_move_are_one_result_and_a_named_store_is_asked_alone(
    queries: QueryRequests,
) -> None:
    for tenant in TENANTS:
        both = found(queries, tenant, "byoc", query='"secret of"')
        (pattern,) = both["patterns"]
        assert (pattern["count"], both["rows"], pattern["share"]) == (100, 100, 1.0)
        assert len(pattern["examples"]) == 3
        for store, service in (("byoc", "own"), ("managed", "ours")):
            (pattern,) = found(queries, tenant, "byoc", query='"secret of"', store=store)["patterns"]
            assert pattern["count"] == 50
            assert {each["service"] for each in pattern["examples"]} == {service}
    status, body = queries.post("/v1/patterns", store="byoc")
    assert (status, body["code"]) == (400, "invalid_store")


@pytest.mark.parametrize(("code", "status"), [(158, 400), (60, 200)])
def test_patterns_of_one_store_only_are_never_shown_as_all(
    databases: tuple[Warehouse, dict[str, Warehouse]],
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    status: int,
) -> None:
    own: dict[str, Any] = {"acme": FailingStore(refusal(code))}
    queries = QueryRequests(monkeypatch, databases[0], own)
    answered = queries.post("/v1/patterns", "acme", "byoc", **DAY, query='"secret of"')
    assert answered[0] == status
    assert status == 400 or answered[1]["patterns"][0]["count"] == 50


@pytest.mark.parametrize("tenant", TENANTS)
def test_two_ranges_show_what_is_new_gone_risen_and_the_same(queries: QueryRequests, tenant: str) -> None:
    answered = found(queries, tenant, services=["changes"], **EARLIER)
    changes = {
        each["template"]: (each["count"], each["before"], each["change"]) for each in answered["patterns"]
    }
    assert changes == {
        "rising <*>": (200, 20, "risen"),
        "a new line <*>": (100, 0, "new"),
        "an old line <*>": (0, 100, "gone"),
        "a common line <*>": (520, 500, "same"),
    }
    assert answered["patterns"][0]["template"] == "rising <*>"
    assert (answered["rows"], answered["before_rows"], answered["before_sampled_rows"]) == (820, 620, 620)
    gone = next(each for each in answered["patterns"] if each["change"] == "gone")
    assert gone["examples"][0]["message"] == "an old line 5"
    swapped = {
        "from": "2026-10-31T00:00:00Z",
        "to": "2026-11-01T00:00:00Z",
        "compare_from": "2026-11-01T00:00:00Z",
        "compare_to": "2026-11-02T00:00:00Z",
    }
    back = found(queries, tenant, services=["changes"], **swapped)
    assert {each["template"]: each["change"] for each in back["patterns"]}["rising <*>"] == "fallen"


def test_counts_of_a_sample_are_estimates_that_say_so_and_are_the_same_each_time(
    queries: QueryRequests, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = {
        each["template"]: each["count"] for each in found(queries, services=["ours"], limit=50)["patterns"]
    }
    monkeypatch.setattr(templates, "MAX_SAMPLED_ROWS", 2000)
    first, second = (found(queries, services=["ours"], limit=50) for _ in range(2))
    assert [each | {"examples": []} for each in first["patterns"]] == [
        each | {"examples": []} for each in second["patterns"]
    ]
    rows = len(messages_of("acme", "ours"))
    assert first["rows"] == rows
    assert 0.8 * rows / 4 < first["sampled_rows"] < 1.2 * rows / 4
    for each in first["patterns"][:10]:
        assert 0.5 * exact[each["template"]] < each["count"] < 1.6 * exact[each["template"]]


def test_no_more_templates_than_the_limits_are_read_and_the_most_frequent_stay(
    queries: QueryRequests, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit, value in (("MAX_TEMPLATES", 5), ("MAX_TEMPLATE_BYTES", 100)):
        with monkeypatch.context() as patched:
            patched.setattr(templates, limit, value)
            answered = found(queries, services=["ours"], limit=50)
            assert 0 < len(answered["patterns"]) <= 6
            assert answered["sampled_rows"] == len(messages_of("acme", "ours"))


def test_an_event_too_large_for_an_example_leaves_its_pattern_without_one_and_without_a_filter(
    queries: QueryRequests, databases: tuple[Warehouse, dict[str, Warehouse]]
) -> None:
    load(databases[0], _rows("acme", "large", ["x " * 500_000, "a small one"]), "large")
    by_size = {each["template"][:3]: each for each in found(queries, services=["large"])["patterns"]}
    assert (by_size["x x"]["query"], by_size["x x"]["examples"], by_size["x x"]["count"]) == (None, [], 1)
    assert by_size["x x"]["template"].endswith("<*>")
    assert by_size["a s"]["query"] == 'message:"a small one"'


def test_without_events_there_are_no_patterns(queries: QueryRequests) -> None:
    answered = found(queries, query="nothing-has-it", **EARLIER)
    assert answered["patterns"] == []
    assert (answered["rows"], answered["sampled_rows"], answered["before_rows"]) == (0, 0, 0)


def test_at_most_the_wanted_patterns_are_shown(queries: QueryRequests) -> None:
    assert len(found(queries, limit=3)["patterns"]) == 3
    assert len(found(queries)["patterns"]) == route.DEFAULT_PATTERNS


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ({"limit": 51}, "invalid_limit", "50"),
        ({"limit": 0}, "invalid_limit", "1"),
        ({"compare_to": "2026-10-31T00:00:00Z"}, "invalid_compare_from", "is missing"),
        ({"compare_from": "yesterday"}, "invalid_compare_from", "RFC 3339"),
        (
            {"compare_from": "2026-10-31T00:00:00Z", "compare_to": "2026-10-31T00:00:00Z"},
            "invalid_compare_to",
            "later",
        ),
        ({"from": DAY["to"], "compare_from": "2026-10-31T00:00:00Z"}, "invalid_from", "earlier"),
        ({"query": "a | limit 5"}, "invalid_query", "pipes"),
        ({"examples": 5}, "unknown_field", "compare_from"),
    ],
)
def test_a_wrong_field_is_an_error_that_says_what_is_allowed(
    queries: QueryRequests, body: dict[str, Any], code: str, said: str
) -> None:
    status, answered = queries.post("/v1/patterns", **{**DAY, **body})
    assert (status, answered["code"]) == (400, code)
    assert said in answered["error"]
