"""Clients of Splunk, Datadog, Better Stack, Logstash and Graylog, unmodified: every record, once."""

import uuid
from urllib.parse import urlsplit

import pytest

from tests.clients.programs import run_node, run_python
from tests.integration.stack import RunningStack

COUNT = 1000
FEW = 200
"""Of clients that send one request for each record."""


def settings_of(stack: RunningStack, key: str, run: str, count: int) -> dict[str, str]:
    address = urlsplit(stack.api)
    return {
        "URL": stack.api,
        "HOST": address.hostname or "",
        "PORT": str(address.port),
        "KEY": key,
        "RUN": run,
        "COUNT": str(count),
    }


def stored(stack: RunningStack, run: str) -> list[dict[str, str]]:
    """The rows of a run, in the order of their numbers."""
    stack.wait_until_settled()
    rows = stack.rows(
        "SELECT message, toString(level) AS level, service, tenant_id, metadata FROM events "
        "WHERE startsWith(message, {run:String})",
        run=run,
    )
    return sorted(rows, key=lambda row: int(row["message"].rpartition(" ")[2]))


@pytest.mark.parametrize(
    ("kind", "program", "count", "level", "service"),
    [
        ("python", "splunk", COUNT, "info", ""),
        ("python", "datadog", COUNT, "warn", "shop"),
        ("python", "better_stack", COUNT, "warn", ""),
        ("python", "logstash_http", COUNT, "warn", None),
        ("python", "graylog", FEW, "warn", ""),
        ("node", "splunk_logging", COUNT, "warn", ""),
        ("node", "better_stack", COUNT, "warn", ""),
    ],
)
def test_an_unmodified_client_stores_every_record_once_for_each_account(
    stack: RunningStack, kind: str, program: str, count: int, level: str, service: str | None
) -> None:
    run_program = run_python if kind == "python" else run_node
    keys = {"first": stack.keys["ingest"], "second": stack.second_keys["ingest"]}
    tenants = set()
    for key, number in ((keys["first"], count), (keys["second"], 5)):
        run = f"{program}-{uuid.uuid4().hex}"
        output = run_program(program, **settings_of(stack, key, run, number))
        assert output["sent"] == number, output
        rows = stored(stack, run)
        assert [row["message"] for row in rows] == [f"{run} {each}" for each in range(number)], output
        assert {row["level"] for row in rows} == {level}
        if service is not None:
            assert {row["service"] for row in rows} == {service}
        (tenant,) = {row["tenant_id"] for row in rows}
        tenants.add(tenant)
    assert len(tenants) == 2
