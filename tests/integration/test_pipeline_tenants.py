"""Two tenants on one path: neither finds the other's lines, whatever it asks for or claims to be."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.integration.sending import drain, new_run
from tests.integration.stack import RunningStack, bearer

PROJECT, SERVICE, TRACE = "shop", "checkout", "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(scope="module")
def client(stack: RunningStack) -> Iterator[httpx.Client]:
    with stack.client() as connected:
        yield connected


@pytest.fixture(scope="module")
def run(stack: RunningStack, client: httpx.Client) -> str:
    """Both tenants have sent 20 lines that differ in nothing but what their message says of the owner."""
    name = new_run()
    for owner, key in (("acme", stack.keys["ingest"]), ("globex", stack.second_keys["ingest"])):
        events = [
            {
                "message": f"line of {owner}",
                "project_id": PROJECT,
                "service": SERVICE,
                "level": "error",
                "trace_id": TRACE,
                "metadata": {"run": name, "number": number, "user_id": "u-1"},
            }
            for number in range(20)
        ]
        assert drain(client, key, events, wait=True).status_code == 200
    return name


def search(client: httpx.Client, key: str, body: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = client.post("/v1/search", json=body, headers={**bearer(key), **more.get("headers", {})})
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


def owners(answer: dict[str, Any]) -> set[str]:
    return {event["message"] for event in answer["events"]}


def where(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"where": [{"field": field, "op": op, "value": value}]}


FILTERS: list[dict[str, Any]] = [
    {},
    {"projects": [PROJECT]},
    {"services": [SERVICE]},
    {"levels": ["error"]},
    {"trace_id": TRACE},
    {"q": "line of"},
    {"q": '"line of"'},
    {"q": "-nonsense"},
    {"order": "asc"},
    where("metadata.user_id", "eq", "u-1"),
    where("metadata.number", "gte", 0),
    where("metadata.user_id", "exists", True),
    where("metadata.nothing", "exists", False),
    where("metadata.nothing", "ne", "x"),
    where("message", "contains", "line of"),
    where("service", "in", [SERVICE, "globex", "acme"]),
]


@pytest.mark.parametrize("body", FILTERS, ids=json.dumps)
def test_no_filter_finds_another_tenants_lines(
    stack: RunningStack, client: httpx.Client, run: str, body: dict[str, Any]
) -> None:
    narrowed = {**body, "where": [*body.get("where", ()), *where("metadata.run", "eq", run)["where"]]}
    for key, owner in ((stack.keys["read"], "acme"), (stack.second_keys["read"], "globex")):
        result = search(client, key, {**narrowed, "limit": 1000})
        assert (owners(result), len(result["events"])) == ({f"line of {owner}"}, 20)
        assert f"line of {'globex' if owner == 'acme' else 'acme'}" not in owners(
            search(client, key, {**body, "limit": 1000})
        )


@pytest.mark.parametrize(
    "body",
    [
        {"q": "globex"},
        where("message", "contains", "globex"),
        where("message", "eq", "line of globex"),
        where("message", "in", ["line of globex"]),
        where("metadata.tenant_id", "eq", "globex"),
        {"projects": ["shop') OR tenant_id = 'globex' --"]},
        {"services": ["checkout' OR 1=1 --"]},
        {"q": "x') OR (tenant_id = 'globex"},
        where("metadata.x') OR 1=1 --", "exists", True),
    ],
    ids=json.dumps,
)
def test_what_only_the_other_tenant_has_is_not_found(
    stack: RunningStack, client: httpx.Client, run: str, body: dict[str, Any]
) -> None:
    assert run
    assert search(client, stack.keys["read"], body)["events"] == []


@pytest.mark.parametrize(
    ("body", "code"),
    [(where("tenant_id", "eq", "globex"), "invalid_where"), ({"tenant_id": "globex"}, "unknown_field")],
    ids=["a condition", "a field of the body"],
)
def test_the_tenant_is_no_field_to_search_by(
    stack: RunningStack, client: httpx.Client, body: dict[str, Any], code: str
) -> None:
    answer = client.post("/v1/search", json=body, headers=bearer(stack.keys["read"]))
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_another_tenants_cursor_leads_nowhere_but_to_ones_own_lines(
    stack: RunningStack, client: httpx.Client, run: str
) -> None:
    body = {**where("metadata.run", "eq", run), "limit": 5}
    theirs = search(client, stack.second_keys["read"], body)["next_cursor"]
    assert theirs
    result = search(client, stack.keys["read"], {**body, "cursor": theirs})
    assert owners(result) <= {"line of acme"}


FORGED_HEADERS = {
    "x-tenant-id": "globex",
    "tenant_id": "globex",
    "x-amzn-tenant": "globex",
    "x-scope-orgid": "globex",
    "x-forwarded-user": "globex",
}


def test_claiming_another_tenant_opens_nothing(stack: RunningStack, client: httpx.Client, run: str) -> None:
    result = search(
        client,
        stack.keys["read"],
        {**where("metadata.run", "eq", run), "limit": 1000},
        headers=FORGED_HEADERS,
    )
    assert owners(result) == {"line of acme"}


def test_a_parameter_that_names_another_tenant_is_refused(
    stack: RunningStack, client: httpx.Client, run: str
) -> None:
    answer = client.post(
        "/v1/search",
        json=where("metadata.run", "eq", run),
        params={"tenant_id": "globex", "tenant": "globex"},
        headers=bearer(stack.keys["read"]),
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_parameter")


def test_queries_stats_and_completions_are_about_the_own_lines(
    stack: RunningStack, client: httpx.Client, run: str
) -> None:
    for owner, key in (("acme", stack.keys["read"]), ("globex", stack.second_keys["read"])):
        body = {"q": f"run:{run} level:error", "limit": "1000"}
        result = client.get("/v1/search", params=body, headers=bearer(key)).json()
        assert owners(result) == {f"line of {owner}"}
        counted = {"query": f"run:{run} | stats count() as n, uniq(message) as messages by message"}
        table = client.post("/v1/stats", json=counted, headers=bearer(key)).json()
        assert table["rows"] == [[f"line of {owner}", 20, 1]]
        series = {"query": f"run:{run}", "from": "now-1h", "split_by": "message", "groups": 20}
        shown = client.post("/v1/histogram", json=series, headers=bearer(key)).json()
        assert [each["value"] for each in shown["series"]] == [f"line of {owner}"]
        assert (shown["total"], sum(shown["other"])) == (20, 0)
        named = {"query": f"run:{run}", "from": "now-1h", "fields": ["run", "level"]}
        listed = client.post("/v1/fields", json=named, headers=bearer(key)).json()
        assert listed["fields"][0]["top"] == [{"value": run, "count": 20}]
        offered = client.post(
            "/v1/query/complete", json={"query": f"run:{run[:-1]}"}, headers=bearer(key)
        ).json()
        assert run in [each["label"] for each in offered["completions"]]


def test_a_line_that_claims_another_tenant_stays_with_its_sender(
    stack: RunningStack, client: httpx.Client
) -> None:
    name = new_run()
    forged = {
        "message": "forged",
        "tenant_id": "globex",
        "expires_on": "2000-01-01",
        "batch_id": "0",
        "received_at": "2001-01-01T00:00:00Z",
        "metadata": {"run": name, "tenant_id": "globex"},
    }
    sent = client.post(
        "/v1/drain",
        params={"wait": "true", "tenant_id": "globex"},
        json={"tenant_id": "globex", "tenant": "globex", "events": [forged]},
        headers={**bearer(stack.keys["ingest"]), **FORGED_HEADERS},
    )
    assert sent.status_code == 200
    stored = stack.rows(
        "SELECT tenant_id, expires_on > today() AS lives, received_at > today() - 1 AS fresh FROM events "
        "WHERE JSONExtractString(metadata, 'run') = {run:String}",
        run=name,
    )
    assert stored == [{"tenant_id": "acme", "lives": 1, "fresh": 1}]
    body = where("metadata.run", "eq", name)
    assert search(client, stack.second_keys["read"], body)["events"] == []
    assert len(search(client, stack.keys["read"], body)["events"]) == 1
