"""The programs and commands of the pages of docs/clients that no other module runs, as they stand there."""

import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients.programs import blocks_of, run_block
from tests.clients.rows import accounts, new_run, of_message
from tests.integration.stack import RunningStack, bearer

MESSAGE = "disk is almost full"
STRUCTLOG, LOGURU, JSON_LOGGER = 2, 3, 4
"""Places of the programs of python.md; tests/integration runs those before."""


def settings(stack: RunningStack, key: str) -> dict[str, str]:
    return {"ASTRALOG_URL": stack.api, "ASTRALOG_KEY": key, "TZ": "UTC"}


@pytest.mark.parametrize(
    ("number", "fields"),
    [
        (STRUCTLOG, {"logger": "shop.cart", "disk": "sda"}),
        (LOGURU, {"logger": "__main__", "extra": {"disk": "sda"}}),
    ],
)
def test_structlog_and_loguru_send_through_the_handler(
    stack: RunningStack, tmp_path: Path, number: int, fields: dict[str, Any]
) -> None:
    run, program = new_run("python"), blocks_of("python", "python")[number]
    assert MESSAGE in program
    for _, key in accounts(stack):
        run_block(program.replace(MESSAGE, run), "python", tmp_path, **settings(stack, key))
    rows = sorted(of_message(stack, run), key=str)
    assert [row[:3] for row in rows] == [(tenant, "shop", "warn") for tenant, _ in accounts(stack)]
    assert all(metadata == fields for *_, metadata in rows)


def test_lines_of_python_json_logger_are_read_as_they_are(stack: RunningStack, tmp_path: Path) -> None:
    """An agent sends them; here it is the test."""
    run, program = new_run("json-logger"), blocks_of("python", "python")[JSON_LOGGER]
    for _, key in accounts(stack):
        lines = run_block(program.replace(MESSAGE, run), "python", tmp_path, **settings(stack, key))
        headers = {**bearer(key), "content-type": "application/x-ndjson"}
        assert httpx.post(f"{stack.api}/v1/drain", content=lines, headers=headers).status_code == 202
    rows = sorted(of_message(stack, run), key=str)
    assert [row[:3] for row in rows] == [(tenant, "shop", "warn") for tenant, _ in accounts(stack)]
    assert all(metadata == {"name": "shop.cart", "disk": "sda"} for *_, metadata in rows)


@pytest.mark.parametrize(
    ("number", "message", "level", "fields"),
    [
        (0, MESSAGE, "warn", {"disk": "sda"}),
        (1, "the mail queue grows", "warn", {"queue": "mails"}),
    ],
)
def test_both_transports_of_winston_send_their_line(
    stack: RunningStack, tmp_path: Path, number: int, message: str, level: str, fields: dict[str, str]
) -> None:
    run, program = new_run("winston"), blocks_of("winston", "js")[number]
    assert message in program
    for _, key in accounts(stack):
        run_block(program.replace(message, run), "js", tmp_path, **settings(stack, key))
    rows = sorted(of_message(stack, run), key=str)
    assert [row[:3] for row in rows] == [(tenant, "shop", level) for tenant, _ in accounts(stack)]
    assert all(metadata.items() >= fields.items() for *_, metadata in rows)


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("logger")), reason="needs curl and logger")
@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_commands_of_curl_store_what_they_send(stack: RunningStack, tmp_path: Path, number: int) -> None:
    run, command = new_run("curl"), blocks_of("curl", "sh")[number]
    (tmp_path / "app.ndjson").write_text(
        "".join(
            json.dumps({"msg": run, "level": "warn", "service": "shop", "n": each}) + "\n"
            for each in range(3)
        )
    )
    times = 2 if "Idempotency-Key" in command else 1
    for _, key in accounts(stack):
        for _ in range(times):  # with the key, what is sent again is stored once
            run_block(command.replace(MESSAGE, run), "sh", tmp_path, **settings(stack, key))
    rows = sorted(of_message(stack, run), key=str)
    expected = [(tenant, "shop") for tenant, _ in accounts(stack) for _ in range(3 if number == 1 else 1)]
    assert [row[:2] for row in rows] == expected


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("splunk", "order 42 shipped"),
        ("datadog", "order 42 shipped"),
        ("logtail", "order 42 shipped"),
        ("syslog", MESSAGE),
    ],
)
def test_the_curl_command_of_a_protocol_stores_its_event(
    stack: RunningStack, tmp_path: Path, page: str, message: str
) -> None:
    run = new_run(page)
    (command,) = (block for block in blocks_of(page, "sh") if block.startswith("curl "))
    assert message in command
    for _, key in accounts(stack):
        sent = command.replace("https://YOUR-ENDPOINT", stack.api).replace("YOUR-KEY", key)
        run_block(sent.replace(message, run).replace("curl ", "curl --fail ", 1), "sh", tmp_path)
    assert sorted(row[0] for row in of_message(stack, run)) == [tenant for tenant, _ in accounts(stack)]


def test_the_node_program_of_logtail_stores_its_record(stack: RunningStack, tmp_path: Path) -> None:
    run, program = new_run("logtail"), blocks_of("logtail", "js")[0]
    assert MESSAGE in program
    for _, key in accounts(stack):
        run_block(program.replace(MESSAGE, run), "js", tmp_path, **settings(stack, key))
    rows = sorted(of_message(stack, run), key=str)
    assert [(row[0], row[2]) for row in rows] == [(tenant, "warn") for tenant, _ in accounts(stack)]
    assert all(metadata["disk"] == "sda" for *_, metadata in rows)
