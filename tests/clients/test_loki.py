"""The clients of Loki, unmodified, in protobuf and JSON: nothing is lost or doubled."""

import json
from pathlib import Path

import pytest

from tests.clients.programs import run_node, run_page, run_python
from tests.clients.rows import accounts, columns, new_run, of_message, stored
from tests.integration.stack import RunningStack


@pytest.mark.parametrize("version", ["0", "1"])
def test_python_logging_loki_sends_both_forms(stack: RunningStack, version: str) -> None:
    for tenant, key in accounts(stack):
        run = new_run(f"logging-loki-{tenant}")
        settings = {"URL": stack.api, "KEY": key, "RUN": run, "COUNT": "100", "VERSION": version}
        assert run_python("loki_handler", **settings) == {"errors": []}
        rows = stored(stack, run, 100)
        assert [(row["event_id"], row["message"]) for row in rows] == [
            (str(number), f'line "{number}"') for number in range(100)
        ]
        assert columns(rows) == {(tenant, "shop", "error")}
        assert {json.loads(row["metadata"])["logger"] for row in rows} == {"shop.cart"}


def test_pino_loki_sends_structured_metadata(stack: RunningStack) -> None:
    for tenant, key in accounts(stack):
        run = new_run(f"pino-loki-{tenant}")
        found = run_node("pino_loki", URL=stack.api, KEY=key, RUN=run, COUNT="1000")
        assert found == {"errors": []}
        rows = stored(stack, run, 1000)
        assert [row["event_id"] for row in rows] == [str(number) for number in range(1000)]
        assert [json.loads(row["message"])["msg"] for row in rows] == [f"line {each}" for each in range(1000)]
        assert columns(rows) == {(tenant, "shop", "error")}


@pytest.mark.parametrize("json_form", ["no", "yes"])
def test_winston_loki_sends_protobuf_and_json(stack: RunningStack, json_form: str) -> None:
    for tenant, key in accounts(stack):
        run = new_run(f"winston-loki-{tenant}")
        settings = {"URL": stack.api, "KEY": key, "RUN": run, "COUNT": "1000", "JSON_FORM": json_form}
        assert run_node("winston_loki", **settings) == {"errors": [], "type": _TYPES[json_form]}
        rows = stored(stack, run, 1000)
        messages = sorted(json.loads(row["message"])["message"] for row in rows)
        assert messages == sorted(f"line {number}" for number in range(1000))
        assert columns(rows) == {(tenant, "shop", "error")}
        assert len({json.loads(row["metadata"])["part"] for row in rows}) == 10


_PAGES = {"python": "loki", "js": "pino"}
_TYPES = {"no": "application/x-protobuf", "yes": "application/json"}


@pytest.mark.parametrize(
    ("language", "message", "kept"),
    [
        ("python", "the queue grows", {"logger": "shop.cart", "queue": "mails", "severity": "warning"}),
        ("js", "the cache is cold", {"cache": "pages", "level": "warning"}),
    ],
)
def test_the_programs_of_the_page_store_their_lines(
    stack: RunningStack, tmp_path: Path, language: str, message: str, kept: dict[str, str]
) -> None:
    for _, key in accounts(stack):
        run_page(_PAGES[language], language, tmp_path, ASTRALOG_URL=stack.api, ASTRALOG_KEY=key)
    rows = of_message(stack, message)
    assert sorted(row[:3] for row in rows) == [(tenant, "shop", "warn") for tenant, _ in accounts(stack)]
    assert all(metadata.items() >= kept.items() for *_, metadata in rows)
