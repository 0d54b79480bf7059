"""ClickHouse's HTTP interface as handlers around one embedded engine; local.clickhouse says how much."""

import asyncio
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

from aiohttp import web

from local import clickhouse_wire as wire
from local.engine import Engine, EngineError, Outcome, Statement
from local.faults import Fault, FaultOrderError, Faults
from local.statement import (
    NOT_IMPLEMENTED,
    StatementRefusedError,
    checked,
    format_of,
    is_insert,
    reading_from,
)

MAX_STATEMENTS_AT_ONCE = 8
CHUNK_BYTES = 1024 * 1024


class Face:
    """The HTTP handlers around one engine."""

    def __init__(self, engine: Engine, spool: Path, users: Mapping[str, Mapping[str, str]]) -> None:
        self._engine = engine
        self._spool = spool
        self._users = users
        self._faults = Faults()
        self._threads = ThreadPoolExecutor(MAX_STATEMENTS_AT_ONCE, thread_name_prefix="statement")
        self.take_down: Callable[[float], object] = lambda _seconds: None

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_get("/ping", self._ping)
        application.router.add_post("/_fault", self._order_fault)
        application.router.add_route("*", "/", self._answer)
        return application

    async def _ping(self, _request: web.Request) -> web.Response:
        return web.Response(text="Ok.\n")

    async def _order_fault(self, request: web.Request) -> web.Response:
        try:
            fault = Fault(**json.loads(await request.text()))
        except (TypeError, ValueError, FaultOrderError) as wrong:
            return web.Response(status=400, text=f"{wrong}\n")
        if fault.mode == "down":
            self.take_down(fault.seconds)
        else:
            self._faults.order(fault)
        return web.Response(text="Ok.\n")

    async def _answer(self, request: web.Request) -> web.Response:
        query_id = request.query.get("query_id") or str(uuid4())
        spooled: list[Path] = []
        try:
            statement = await self._statement(request, spooled)
            fault = self._faults.next(statement.sql)
            outcome = await self._run(statement, fault)
        except (EngineError, StatementRefusedError) as refused:
            return _exception(refused, query_id)
        finally:
            for path in spooled:
                path.unlink(missing_ok=True)
        if fault.mode == "lose_answer" and request.transport:
            request.transport.abort()
        return _success(statement, outcome, query_id)

    async def _run(self, statement: Statement, fault: Fault) -> Outcome:
        if fault.mode == "busy":
            raise StatementRefusedError(fault.code, "Ordered by a test")
        if fault.mode == "slow":
            await asyncio.sleep(fault.seconds)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._engine.run, statement)

    async def _statement(self, request: web.Request, spooled: list[Path]) -> Statement:
        query = {name: ",".join(request.query.getall(name)) for name in request.query}
        database = self._database(*wire.credentials(request.headers, query))
        sql = checked(query.get("query", ""))
        encoding = wire.compression(request.headers.get("Content-Encoding", ""))
        if is_insert(sql) and request.body_exists:
            spooled.append(await self._spool_body(request))
            sql = reading_from(sql, str(spooled[0]), encoding)
        elif request.body_exists:
            sql = checked("\n".join(filter(None, (sql, await _text(request, encoding)))))
        return Statement(
            sql=sql,
            database=query.get("database") or database,
            default_format=query.get("default_format") or wire.DEFAULT_FORMAT,
            settings=wire.settings(query, may_write=request.method == "POST"),
            parameters=wire.parameters(query),
        )

    def _database(self, user: str, password: str) -> str:
        known = self._users.get(user)
        if known is None or known["password"] != password:
            reason = "Authentication failed: password is incorrect, or there is no user with such name"
            raise StatementRefusedError(wire.AUTHENTICATION_FAILED, f"{user}: {reason}")
        return known["database"]

    async def _spool_body(self, request: web.Request) -> Path:
        handle, name = tempfile.mkstemp(dir=self._spool)
        with os.fdopen(handle, "wb") as file:
            async for chunk in request.content.iter_chunked(CHUNK_BYTES):
                file.write(chunk)
        return Path(name)


async def _text(request: web.Request, encoding: str) -> str:
    if encoding != "none":
        raise StatementRefusedError(
            NOT_IMPLEMENTED, "A compressed body must be the data of an INSERT in the URL"
        )
    return (await request.content.read()).decode(errors="surrogateescape")


def _success(statement: Statement, outcome: Outcome, query_id: str) -> web.Response:
    return web.Response(
        body=outcome.body,
        headers={
            "Content-Type": "text/plain; charset=UTF-8",
            "X-ClickHouse-Format": format_of(statement.sql) or statement.default_format,
            "X-ClickHouse-Query-Id": query_id,
            "X-ClickHouse-Summary": wire.summary(outcome),
            "X-ClickHouse-Timezone": "UTC",
        },
    )


def _exception(refused: EngineError | StatementRefusedError, query_id: str) -> web.Response:
    text = str(refused)
    if not text.startswith("Code:"):
        text = f"Code: {refused.code}. DB::Exception: {text}."
    return web.Response(
        status=wire.status_of(refused.code),
        text=f"{text}\n",
        headers={"X-ClickHouse-Exception-Code": str(refused.code), "X-ClickHouse-Query-Id": query_id},
    )
