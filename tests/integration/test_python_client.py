"""The package of clients/python against the whole service: every record once, whatever happens on the way."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from uuid import uuid4

import pytest

import astralog
from astralog._delivery import Backoff
from local.naming import PROJECT_ROOT
from tests.clients.refusing_proxy import LOST, RefusingProxy, refusing
from tests.integration.stack import RunningStack
from tests.unit.client_python.quick_handler import fresh_logger

COUNT = 10_000
ROWS = (
    "SELECT tenant_id, service, level, project_id, message, trace_id, metadata FROM events "
    "WHERE JSONExtractString(metadata, 'run') = {run:String}"
)
FAULTS = {1: 429, 2: 503, 3: LOST, 6: 500, 9: LOST, 10: LOST, 12: 502}
"""Number of the request -> its fault."""


class QuickHandler(astralog.Handler):
    """Does not wait between its retries, unless the answer says so."""

    _backoff = Backoff(0.01, 0.1)


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    with fresh_logger("shop") as made:
        yield made


def test_ten_thousand_records_arrive_once_through_faults(stack: RunningStack, logger: logging.Logger) -> None:
    run = uuid4().hex
    with refusing(stack.api, dict(FAULTS)) as proxy:
        handler = handler_to(proxy, stack.keys["ingest"], run)
        logger.addHandler(handler)
        for number in range(COUNT):
            logger.log(10 * (1 + number % 5), "record %d", number, extra={"number": number, "tags": ["a"]})
        assert handler.flush(120)
    assert sorted(proxy.refused) == [429, 500, 502, 503]
    assert handler.statistics._replace(retries=0) == (COUNT, 0, 0, 0, 0)
    assert handler.statistics.retries == len(FAULTS)
    stack.wait_until_settled()
    rows = stack.rows(ROWS, run=run)
    by_number = {json.loads(row["metadata"])["number"]: row for row in rows}
    assert len(rows) == len(by_number) == COUNT
    assert {(row["tenant_id"], row["service"], row["project_id"]) for row in rows} == {
        ("acme", "shop", "web")
    }
    levels = [by_number[number]["level"] for number in range(5)]
    assert levels == ["debug", "info", "warn", "error", "fatal"]
    assert json.loads(by_number[7]["metadata"]) == {
        "logger": logger.name,
        "number": 7,
        "tags": ["a"],
        "run": run,
    }


def test_another_account_has_its_own_records_with_their_exceptions(
    stack: RunningStack, logger: logging.Logger
) -> None:
    run = uuid4().hex
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    for key in (stack.keys["ingest"], stack.second_keys["ingest"]):
        with astralog.Handler(stack.api, key, metadata={"run": run}) as handler:
            logger.addHandler(handler)
            try:
                int("many")
            except ValueError:
                logger.exception("the order is broken", extra={"trace_id": trace})
            logger.removeHandler(handler)
        assert handler.statistics == (1, 0, 0, 0, 0)
    stack.wait_until_settled()
    rows = stack.rows(ROWS, run=run)
    assert sorted(row["tenant_id"] for row in rows) == ["acme", "globex"]
    for row in rows:
        assert (row["message"], row["level"], row["trace_id"]) == ("the order is broken", "error", trace)
        assert json.loads(row["metadata"])["exception_type"] == "ValueError"


@pytest.mark.parametrize("number", [0, 1])
def test_the_programs_of_the_page_store_their_record(stack: RunningStack, number: int) -> None:
    """With the handler alone; tests/clients runs those with other packages."""
    text = (PROJECT_ROOT / "docs" / "clients" / "python.md").read_text()
    program = text.split("```python\n")[1 + number].split("```")[0]
    run = uuid4().hex
    for key in (stack.keys["ingest"], stack.second_keys["ingest"]):
        settings = {"ASTRALOG_URL": stack.api, "ASTRALOG_KEY": key, "PYTHONPATH": "clients/python/src"}
        command = [sys.executable, "-c", program.replace("disk is almost full", run)]
        subprocess.run(command, cwd=PROJECT_ROOT, env=settings, check=True, timeout=60)
    stack.wait_until_settled()
    statement = "SELECT tenant_id, service, level, metadata FROM events WHERE message = {run:String}"
    rows = stack.rows(statement, run=run)
    assert sorted(row["tenant_id"] for row in rows) == ["acme", "globex"]
    for row in rows:
        assert (row["service"], row["level"]) == ("shop", "warn")
        assert json.loads(row["metadata"]) == {"logger": "shop.cart", "disk": "sda"}


def test_a_key_without_the_scope_is_reported(stack: RunningStack, logger: logging.Logger) -> None:
    errors: list[astralog.DeliveryError] = []
    with astralog.Handler(stack.api, stack.keys["read"], on_error=errors.append) as handler:
        logger.addHandler(handler)
        logger.info("nothing of this is stored")
    assert handler.statistics == (0, 1, 0, 0, 0)
    assert (errors[0].status, errors[0].code, errors[0].lost) == (403, "forbidden_scope", 1)


def handler_to(proxy: RefusingProxy, key: str, run: str) -> astralog.Handler:
    return QuickHandler(
        proxy.url, key, service="shop", project="web", metadata={"run": run}, on_error=lambda _error: None
    )
