import asyncio
import os
import signal
import socket
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest

from local.stack import Places, PortTakenError, new_stack, publish
from local.supervisor import Child, StackError, Supervisor, start_module

SAMPLE = "tests.unit.local_sample"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def sample(port: int) -> Child:
    return Child("sample", SAMPLE, {"port": port}, ready_url=f"http://127.0.0.1:{port}/")


def pid_behind(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2) as answer:
        return int(answer.read())


def has_ended(pid: int) -> bool:
    for _ in range(40):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_a_killed_child_is_back_on_its_port_within_a_second_or_so(tmp_path: Path) -> None:
    restarts: list[Mapping[str, int]] = []

    async def scenario() -> tuple[int, int]:
        supervisor, port = Supervisor(tmp_path, restarts.append), free_port()
        await supervisor.start(sample(port))
        first = pid_behind(port)
        os.kill(first, signal.SIGKILL)
        while not restarts:
            await asyncio.sleep(0.02)
        await asyncio.sleep(1)
        second = await asyncio.to_thread(pid_behind, port)
        await supervisor.stop()
        return first, second

    first, second = asyncio.run(scenario())
    assert first != second
    assert restarts == [{"sample": second}]
    assert has_ended(second)


def test_a_child_ends_when_its_supervisor_is_gone(tmp_path: Path) -> None:
    async def scenario() -> int:
        with (tmp_path / "log").open("wb") as log:
            process = await start_module(SAMPLE, {"port": free_port()}, log)
        await asyncio.sleep(0.5)
        assert process.returncode is None
        assert process.stdin is not None
        process.stdin.close()  # what the kernel does when the supervisor dies
        return await asyncio.wait_for(process.wait(), 5)

    assert asyncio.run(scenario()) == 0


def test_a_child_that_cannot_start_names_its_log(tmp_path: Path) -> None:
    async def scenario() -> None:
        child = Child("broken", SAMPLE, {"nonsense": 1}, ready_url=f"http://127.0.0.1:{free_port()}/")
        await Supervisor(tmp_path, lambda _pids: None).start(child)

    with pytest.raises(StackError, match=r"broken\.log"):
        asyncio.run(scenario())


def test_a_port_in_use_is_reported(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with pytest.raises(PortTakenError, match=str(listener.getsockname()[1])):
            new_stack(Places(tmp_path), listener.getsockname()[1])


def test_the_page_has_what_is_promised_and_is_replaced_in_one_step(tmp_path: Path) -> None:
    stack = new_stack(Places(tmp_path), 0)
    page = stack.page({"supervisor": 1, "gateway": 2})
    assert set(page) == {
        "api", "keys", "second_account", "byoc_account", "clickhouse", "aws_endpoint", "staging_bucket",
        "drop_bucket", "drop_prefix", "mail", "stripe", "pids",
    }  # fmt: skip
    scopes = {"ingest", "read", "admin"}
    assert set(page["keys"]) == set(page["second_account"]["keys"]) == scopes
    own = {"keys", "bucket", "database", "destination", "drop_bucket", "drop_prefix"}
    assert set(page["byoc_account"]) == own
    assert set(page["byoc_account"]["keys"]) == scopes
    publish(page, stack.places.page)
    publish(page, stack.places.page)
    assert [each.name for each in tmp_path.iterdir()] == ["stack.json"]
