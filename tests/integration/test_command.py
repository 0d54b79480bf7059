"""`astralog search|stats|tail` against a whole service: two accounts, pipes, errors, and nothing of a key."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from local.naming import PROJECT_ROOT
from tests.integration.sending import drain, new_run
from tests.integration.stack import RunningStack

SOURCE = PROJECT_ROOT / "clients" / "python" / "src"
COMMAND = [sys.executable, "-m", "astralog"]


def environment(stack: RunningStack, key: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(SOURCE), "ASTRALOG_URL": stack.api, "ASTRALOG_KEY": key}


def command(stack: RunningStack, key: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(stack, key),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def run(stack: RunningStack) -> str:
    """Twelve events of one account, and one of another account with the same words."""
    name = new_run()
    with stack.client() as client:
        ours = [
            {"message": f"{name} line {n}", "level": "error", "service": "shop", "metadata": {"price": 1.5}}
            for n in range(12)
        ]
        theirs = [{"message": f"{name} secret", "level": "error", "service": "theirs"}]
        assert drain(client, stack.keys["ingest"], ours, wait=True).status_code == 200
        assert drain(client, stack.second_keys["ingest"], theirs, wait=True).status_code == 200
    return name


def test_events_are_printed_in_order_and_only_the_accounts_own(stack: RunningStack, run: str) -> None:
    ended = command(stack, stack.keys["read"], "search", run, "--order", "asc", "--fields", "price")
    lines = ended.stdout.splitlines()
    assert [line.partition("line ")[2] for line in lines] == [f"{n}  price=1.5" for n in range(12)]
    assert all("  ERROR  shop  " in line for line in lines)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_script_gets_a_json_object_a_line_and_as_many_as_it_asks_for(stack: RunningStack, run: str) -> None:
    ended = command(stack, stack.second_keys["read"], "search", run, "--json", "--from=-1h", "--limit", "5")
    assert [json.loads(line)["message"] for line in ended.stdout.splitlines()] == [f"{run} secret"]
    ended = command(stack, stack.keys["read"], "search", run, "--json", "--limit", "5")
    assert len(ended.stdout.splitlines()) == 5


def test_a_query_with_pipes_makes_a_table(stack: RunningStack, run: str) -> None:
    query = f"{run} | stats count() as n, avg(price) by service"
    ended = command(stack, stack.keys["read"], "stats", query)
    assert [line.split() for line in ended.stdout.splitlines()] == [
        ["service", "n", "avg_price"],
        ["shop", "12", "1.5"],
    ]
    ended = command(stack, stack.keys["read"], "stats", query, "--json")
    assert json.loads(ended.stdout) == {"service": "shop", "n": 12, "avg_price": 1.5}


def test_a_wrong_query_a_wrong_key_and_no_service_have_a_sentence_and_a_status(stack: RunningStack) -> None:
    ended = command(stack, stack.keys["read"], "search", "level:errr")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Column 7: expected trace, debug, info" in ended.stderr
    key = "ak_" + "x" * 40
    ended = command(stack, key, "search", "x")
    assert ended.returncode == 2
    assert key not in ended.stderr
    ended = command(stack, "", "search", "x")
    assert (ended.returncode, ended.stderr) == (2, "astralog: No API key: pass `key`, or set ASTRALOG_KEY.\n")


def test_a_tail_prints_what_is_stored_from_now_on_until_it_is_interrupted(stack: RunningStack) -> None:
    name = new_run()
    command_line = [*COMMAND, "tail", name]
    tail = subprocess.Popen(
        command_line, env=environment(stack, stack.keys["read"]), stdout=subprocess.PIPE, text=True
    )
    assert tail.stdout is not None
    shown: list[str] = []
    reading = threading.Thread(target=shown.extend, args=(iter(tail.stdout.readline, ""),))
    reading.start()
    try:
        with stack.client() as client:
            deadline, sent = time.monotonic() + 60, 0
            while not shown and time.monotonic() < deadline:
                drain(client, stack.second_keys["ingest"], [{"message": f"{name} secret"}], wait=True)
                events = [{"message": f"{name} {sent}", "service": "shop"}]
                drain(client, stack.keys["ingest"], events, wait=True)
                sent += 1
                time.sleep(0.5)
        tail.send_signal(signal.SIGINT)
        assert tail.wait(30) == 130
    finally:
        if tail.poll() is None:
            tail.kill()
            tail.wait()
        reading.join()
    assert shown
    assert all(f"shop  {name} " in line for line in shown)
