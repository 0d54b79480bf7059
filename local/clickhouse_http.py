"""ClickHouse's HTTP interface as handlers around one embedded engine; see local.clickhouse for its scope."""

import asyncio
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from aiohttp import BodyPartReader, web

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


class ClickHouseHttp:
    """The HTTP handlers around one engine.

    `users`: name -> {"password", "database"}; "readonly" as well if the user's profile sets it.
    """

    def __init__(self, engine: Engine, spool: Path, users: Mapping[str, Mapping[str, str]]) -> None:
        self._engine = engine
        self._spool = spool
        self._users = users
        self._faults = Faults()
        self._query_ids: set[str] = set()
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
            with self._running(query_id):
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

    @contextmanager
    def _running(self, query_id: str) -> Iterator[None]:
        """Allow one running statement per query id over all users, as ClickHouse does."""
        if query_id in self._query_ids:
            reason = f"Query with id = {query_id} is already running."
            raise StatementRefusedError(wire.QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING, reason)
        self._query_ids.add(query_id)
        try:
            yield
        finally:
            self._query_ids.discard(query_id)

    async def _run(self, statement: Statement, fault: Fault) -> Outcome:
        if fault.mode == "busy":
            raise StatementRefusedError(fault.code, "Ordered by a test")
        if fault.mode == "slow":
            await asyncio.sleep(fault.seconds)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._engine.run, statement)

    async def _statement(self, request: web.Request, spooled: list[Path]) -> Statement:
        query = {name: ",".join(request.query.getall(name)) for name in request.query}
        user = self._user(*wire.credentials(request.headers, query))
        if request.content_type == wire.FORM:
            query |= await _form(request)
            sql = checked(query.get("query", ""))
        else:
            sql = await self._sql(query.get("query", ""), request, spooled)
        return Statement(
            sql=sql,
            database=query.get("database") or user["database"],
            default_format=query.get("default_format") or wire.DEFAULT_FORMAT,
            settings=wire.settings(
                query, may_write=request.method == "POST", profile_readonly=user.get("readonly")
            ),
            parameters=wire.parameters(query),
        )

    async def _sql(self, in_url: str, request: web.Request, spooled: list[Path]) -> str:
        """The statement: the URL's and the body's text, or the URL's with the body as its data."""
        sql = checked(in_url)
        encoding = wire.compression(request.headers.get("Content-Encoding", ""))
        if is_insert(sql) and request.body_exists:
            spooled.append(await self._spool_body(request))
            return reading_from(sql, str(spooled[0]), encoding)
        if request.body_exists:
            return checked("\n".join(filter(None, (sql, await _text(request, encoding)))))
        return sql

    def _user(self, name: str, password: str) -> Mapping[str, str]:
        known = self._users.get(name)
        if known is None or known["password"] != password:
            reason = "Authentication failed: password is incorrect, or there is no user with such name"
            raise StatementRefusedError(wire.AUTHENTICATION_FAILED, f"{name}: {reason}")
        return known

    async def _spool_body(self, request: web.Request) -> Path:
        handle, name = tempfile.mkstemp(dir=self._spool)
        with os.fdopen(handle, "wb") as file:
            async for chunk in request.content.iter_chunked(CHUNK_BYTES):
                file.write(chunk)
        return Path(name)


async def _form(request: web.Request) -> dict[str, str]:
    """The fields of a form, which may hold what the URL may hold."""
    fields: dict[str, str] = {}
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise StatementRefusedError(NOT_IMPLEMENTED, "Form parts must be named fields")
        content = await part.read()
        if len(content) > wire.MAX_FIELD_BYTES:
            raise StatementRefusedError(wire.POCO_EXCEPTION, "HTML Form Exception: Field value too long")
        fields[part.name] = content.decode(errors="surrogateescape")
    return fields


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
