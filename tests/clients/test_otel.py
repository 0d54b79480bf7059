"""OpenTelemetry's SDKs for Python and JavaScript, unmodified, with their default settings."""

import json
from pathlib import Path

import pytest

from tests.clients.programs import run_node, run_page, run_python
from tests.clients.refusing_proxy import LOST, refusing
from tests.clients.rows import accounts
from tests.integration.stack import RunningStack

ROWS = "SELECT tenant_id, message, level, service, metadata FROM events WHERE service = {name:String}"
PAGE_ROWS = """
SELECT level, metadata FROM events
WHERE message = 'disk is almost full' AND tenant_id = {tenant_id:String}
"""
PAGES = {"python": "otel-python", "js": "otel-node"}
TENANTS = {"python": "acme", "js": "globex"}
LEVELS = ("debug", "info", "warn", "error", "fatal")


def test_ten_thousand_records_of_the_python_sdk_arrive_once_through_429_and_503(stack: RunningStack) -> None:
    with refusing(stack.api, {1: 429, 2: 429, 4: 503}) as proxy:
        settings = {"URL": proxy.url, "KEY": stack.keys["ingest"], "NAME": "otel-python", "COUNT": "10000"}
        assert run_python("otel", **settings, GZIP="1") == {"sent": 10_000}
    stack.wait_until_settled()
    assert proxy.refused == [429, 429, 503]
    assert set(proxy.passed) == {200}
    rows = stack.rows(ROWS, name="otel-python")
    by_number = {json.loads(row["metadata"])["number"]: row for row in rows}
    assert len(rows) == len(by_number) == 10_000
    row = by_number[3]
    assert (row["message"], row["level"]) == ("record 3", "error")
    fields = json.loads(row["metadata"])
    assert (fields["ratio"], fields["even"], fields["tags"]) == (1.5, False, ["a", "b"])
    assert (fields["host.name"], fields["replicas"], fields["scope.name"]) == ("h1", 3, "shop.cart")
    assert {by_number[number]["level"] for number in range(5)} == set(LEVELS)


def test_a_batch_of_the_python_sdk_whose_response_is_lost_is_stored_once(stack: RunningStack) -> None:
    for tenant, key in accounts(stack):
        with refusing(stack.api, {0: LOST}) as proxy:
            run_python("otel", URL=proxy.url, KEY=key, NAME=f"otel-lost-{tenant}", COUNT="10")
        assert proxy.passed == [200, 200]
        stack.wait_until_settled()
        rows = stack.rows(ROWS, name=f"otel-lost-{tenant}")
        assert sorted(row["message"] for row in rows) == [f"record {number}" for number in range(10)]
        assert {row["tenant_id"] for row in rows} == {tenant}


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_a_thousand_records_of_the_javascript_sdk_arrive_with_their_fields(
    stack: RunningStack, encoding: str
) -> None:
    name = f"otel-js-{encoding}"
    settings = {"URL": stack.api, "KEY": stack.keys["ingest"], "NAME": name, "COUNT": "1000"}
    assert run_node("otel", **settings, ENCODING=encoding) == {"sent": 1000}
    stack.wait_until_settled()
    rows = stack.rows(ROWS, name=name)
    fields = [json.loads(row["metadata"]) for row in rows]
    assert sorted(each["number"] for each in fields) == list(range(1000))
    (seven,) = (each for each in fields if each["number"] == 7)
    assert (seven["half"], seven["tags"], seven["deep"]) == (3.75, ["a", "b"], {"inner": 7})
    assert (seven["scope.name"], seven["scope.version"]) == ("shop.cart", "1.2")
    assert {row["level"] for row in rows} == {"warn"}


def test_records_of_another_account_stay_with_it(stack: RunningStack) -> None:
    for keys in (stack.keys, stack.second_keys):
        run_python("otel", URL=stack.api, KEY=keys["ingest"], NAME="otel-both", COUNT="10")
    stack.wait_until_settled()
    rows = stack.rows(ROWS, name="otel-both")
    tenants = {row["tenant_id"] for row in rows}
    assert len(rows) == 20
    assert len(tenants) == 2


@pytest.mark.parametrize("language", ["python", "js"])
def test_the_programs_of_the_page_send_their_line(stack: RunningStack, tmp_path: Path, language: str) -> None:
    """Each account sends one of them: both log the same line."""
    keys = stack.keys if language == "python" else stack.second_keys
    run_page(PAGES[language], language, tmp_path, ASTRALOG_URL=stack.api, ASTRALOG_KEY=keys["ingest"])
    stack.wait_until_settled()
    (row,) = stack.rows(PAGE_ROWS, tenant_id=TENANTS[language])
    assert (row["level"], json.loads(row["metadata"])["scope.name"]) == ("warn", "shop.cart")
