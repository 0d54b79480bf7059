import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from infra.topology import Function
from local.endpoints import Endpoints
from local.execution_environment import FunctionCrashedError, FunctionFailedError, FunctionTimedOutError
from local.invoker import WAITS, Pool

ENDPOINTS = Endpoints("http://127.0.0.1:1", {"stripe": "http://127.0.0.1:2"})

Use = Callable[[Pool], Awaitable[Any]]


def run(tmp_path: Path, use: Use, handler: str = "troubled", **changes: Any) -> Any:
    given: dict[str, Any] = {"memory_mb": 128, "timeout_seconds": 5, **changes}
    function = Function(name="sample", handler=f"tests.unit.local_sample.{handler}", **given)

    async def with_pool() -> Any:
        pool = Pool(function, ENDPOINTS, tmp_path)
        try:
            return await use(pool)
        finally:
            await pool.close()

    return asyncio.run(with_pool())


def test_an_event_goes_in_and_the_answer_comes_out(tmp_path: Path) -> None:
    answer = run(tmp_path, lambda pool: pool.invoke({"a": "é"}), "echo", settings={"x": "bucket:b"})
    assert answer["event"] == {"a": "é"}
    assert 0 < answer["left_ms"] <= 5000
    assert "ASTRALOG_X" in answer["environment"]


def test_an_environment_is_used_again(tmp_path: Path) -> None:
    async def twice(pool: Pool) -> tuple[Any, Any]:
        return await pool.invoke({"do": "tell"}), await pool.invoke({"do": "tell"})

    first, second = run(tmp_path, twice)
    assert first == second


def test_an_exception_fails_the_invocation_and_keeps_the_environment(tmp_path: Path) -> None:
    async def use(pool: Pool) -> tuple[Any, Any]:
        first = await pool.invoke({"do": "tell"})
        with pytest.raises(FunctionFailedError, match="ValueError: as asked"):
            await pool.invoke({"do": "raise"})
        return first, await pool.invoke({"do": "tell"})

    first, second = run(tmp_path, use)
    assert first == second
    assert "as asked" in (tmp_path / "sample.log").read_text()


def test_a_crash_fails_one_invocation_and_the_next_gets_a_fresh_environment(tmp_path: Path) -> None:
    async def use(pool: Pool) -> tuple[Any, Any]:
        first = await pool.invoke({"do": "tell"})
        with pytest.raises(FunctionCrashedError):
            await pool.invoke({"do": "crash"})
        return first, await pool.invoke({"do": "tell"})

    first, second = run(tmp_path, use)
    assert first != second


def test_time_that_is_up_ends_the_environment(tmp_path: Path) -> None:
    async def use(pool: Pool) -> Any:
        first = await pool.invoke({"do": "tell"})
        with pytest.raises(FunctionTimedOutError, match=r"Task timed out after 1\.00 seconds"):
            await pool.invoke({"do": "sleep", "seconds": 30})
        return first

    pid = int(run(tmp_path, use, timeout_seconds=1))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert "Task timed out" in (tmp_path / "sample.log").read_text()


def test_no_more_environments_than_allowed_and_the_rest_waits_in_line(tmp_path: Path) -> None:
    async def use(pool: Pool) -> list[Any]:
        return await asyncio.gather(*(pool.invoke({"do": "sleep", "seconds": 0.1}) for _ in range(6)))

    assert len(set(run(tmp_path, use, local_concurrency=2))) == 2


def test_a_handler_that_cannot_be_imported_says_so_in_the_log(tmp_path: Path) -> None:
    async def use(pool: Pool) -> None:
        with pytest.raises(FunctionCrashedError):
            await pool.invoke({})

    run(tmp_path, use, "missing")
    assert "missing" in (tmp_path / "sample.log").read_text()


def test_an_event_that_waits_for_an_environment_notes_for_how_long(tmp_path: Path) -> None:
    async def noting(pool: Pool, event: dict[str, Any]) -> list[float]:
        waits: list[float] = []
        WAITS.set(waits)
        await pool.invoke(event)
        return waits

    async def use(pool: Pool) -> list[list[float]]:
        await pool.invoke({"do": "tell"})
        first = asyncio.create_task(noting(pool, {"do": "tell", "seconds": 0.8}))
        await asyncio.sleep(0.1)
        return [*await asyncio.gather(first, noting(pool, {"do": "tell"}))]

    (first,), (second,) = run(tmp_path, use)
    assert first < second
    assert second > 0.5
