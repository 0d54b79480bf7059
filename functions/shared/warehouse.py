"""ClickHouse over HTTP: the one module that imports its client.

Errors are classified by what they mean for the work: `WarehouseDownError` (nothing reached the engine),
`WarehouseBusyError` (the engine rejected it for now; nothing was written), `WarehouseRefusedError` (it will
reject it again) and `OutcomeUnknownError` (the answer was lost; a write may yet take place). Behind the
egress filter answers are bounded: `LongResultError` for a SELECT, `UnusableAnswerError` for anything else. An
answer that is not in ClickHouse's format is an `UnusableAnswerError` too, whatever a customer's server sends.

The client sends bound values of more than 4 KB in the request's body, as a form, because ClickHouse and
proxies limit a URL to less than a thousand values need. Such a statement has at most 128 KiB, any other
16 MiB.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error
from urllib3 import PoolManager

from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.egress.response_limits import (
    SMALL_ANSWER_BYTES,
    AnswerRefusedError,
    AnswerTooLongError,
    bounded,
)
from functions.shared.errors import PermanentError, RetryableError

BUSY_CODES = frozenset({159, 160, 164, 202, 209, 210, 236, 241, 242, 243, 252, 285, 319, 425, 473, 516, 999})
"""Timeouts, too many queries, read-only, memory, too many parts, no disk space, keeper: all temporary."""

TOO_LARGE_RESULT = 396
"""ClickHouse's code for a result above `max_result_bytes`."""

_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})\.")

_NEVER_CONNECTED = frozenset({"NewConnectionError", "ConnectTimeoutError", "NameResolutionError"})


class WarehouseDownError(RetryableError):
    """No connection: nothing reached the engine."""


class WarehouseBusyError(RetryableError):
    """The engine rejected the statement for now; `engine_code` is ClickHouse's."""

    def __init__(self, message: str, engine_code: int) -> None:
        super().__init__(message)
        self.engine_code = engine_code


class OutcomeUnknownError(RetryableError):
    """The answer was lost: the statement may have run, or may still be running."""


class UnusableAnswerError(OutcomeUnknownError):
    """The answer is not ClickHouse's: too long, compressed unasked, or not in the statement's format.

    The statement may have run.
    """


class TooLongAnswerError(UnusableAnswerError):
    """The answer is longer than its limit."""


class WarehouseRefusedError(PermanentError):
    """The engine rejects the statement or the rows; a retry cannot help. `engine_code` is ClickHouse's."""

    def __init__(self, message: str, engine_code: int) -> None:
        super().__init__(message)
        self.engine_code = engine_code


class LongResultError(WarehouseRefusedError):
    """A SELECT found more than the limit; `engine_code` is ClickHouse's code for it."""

    def __init__(self) -> None:
        super().__init__("the result is too long", TOO_LARGE_RESULT)


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows of a SELECT and their cost."""

    rows: list[dict[str, Any]]
    rows_read: int
    elapsed_ms: float

    def whole(self, name: str) -> int:
        """The whole number under `name` in the only row of an aggregate.

        Raises
        ------
        UnusableAnswerError: not exactly one row, or no such value.
        """
        try:
            (row,) = self.rows
            return int(row[name])
        except (ValueError, LookupError, TypeError, OverflowError):
            raise UnusableAnswerError(f"the answer has no whole number '{name}'") from None

    def text(self, name: str) -> str:
        """The text under `name` in the only row; raises as `whole` does."""
        value = self.rows[0].get(name) if len(self.rows) == 1 else None
        if not isinstance(value, str):
            raise UnusableAnswerError(f"the answer has no text '{name}'")
        return value


class _Opaque(bytes):
    """A body that the client cannot decode, to look for SQL at a quarter of the insert's cost."""

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002
        return ""


class Warehouse:
    """One ClickHouse database. Not thread-safe; connects on first use.

    Parameters
    ----------
    address: host and credentials, or a function that returns them for each statement.
    timeout_seconds: for one statement, from sending it to its answer; behind the egress filter to the last
        byte, connecting included, else to the next byte.
    pool_manager: opens the connections; its owner closes it. A customer's address needs one with egress
        filter (docs/adr/0009): then every method may raise AddressRefusedError. It limits the results of a
        SELECT; all other answers have at most SMALL_ANSWER_BYTES.
    """

    def __init__(
        self,
        address: ClickHouseAddress | Callable[[], ClickHouseAddress],
        timeout_seconds: int,
        pool_manager: PoolManager | None = None,
    ) -> None:
        self._address = address
        self._connected_to: ClickHouseAddress | None = None
        self._timeout_seconds = timeout_seconds
        self._pool_manager = pool_manager
        self._client: Client | None = None

    def insert(self, statement: str, body: bytes, settings: Mapping[str, Any]) -> None:
        """Send `body`, zstd frames that are passed on unchanged, as the data of an INSERT.

        On return the rows are committed. Sent once: the caller decides about retries.
        """
        self._run(
            lambda client: client.command(
                statement,
                data=_Opaque(body),
                settings=dict(settings),
                transport_settings={"Content-Encoding": "zstd"},
            )
        )

    def command(
        self,
        statement: str,
        parameters: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        """Run a statement that returns no rows: DDL, ALTER."""
        self._run(
            lambda client: client.command(
                statement, parameters=dict(parameters or {}), settings=dict(settings or {})
            )
        )

    def select(
        self,
        statement: str,
        parameters: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Selection:
        """Run a SELECT; values are as in JSON (64-bit integers and times as text).

        `parameters` are bound by the engine as `{name:Type}`; they never become SQL text here.

        Raises
        ------
        LongResultError: the result exceeds the limit of `pool_manager`.
        UnusableAnswerError: the answer is not in ClickHouse's FORMAT JSON.
        All methods' other errors, too.
        """
        return _selection(self.select_json(statement, parameters, settings))

    def select_json(
        self,
        statement: str,
        parameters: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Like `select`, but returns the answer undecoded, for callers that decode large ones themselves."""
        try:
            answer: bytes = self._run(
                lambda client: client.raw_query(
                    statement, parameters=dict(parameters or {}), settings=dict(settings or {}), fmt="JSON"
                ),
                math.inf,
            )
        except TooLongAnswerError:
            raise LongResultError from None
        return answer

    def engine_version(self) -> tuple[int, int]:
        """Year and month of the engine's version, such as (26, 9), as it said when the connection began.

        (0, 0) for a version of another form. Raises as `command`; sends nothing on an open connection.
        """
        text = self._run(lambda client: client.server_version)
        found = _VERSION.match(str(text))
        return (int(found[1]), int(found[2])) if found else (0, 0)

    def close(self) -> None:
        if self._client:
            self._client.close()
            self._client = None

    def _connect(self) -> Client:
        at = self._address() if callable(self._address) else self._address
        if at != self._connected_to:
            self.close()
        if self._client is None:
            self._connected_to = at
            self._client = clickhouse_connect.get_client(
                host=at.host,
                port=at.port,
                interface="https" if at.secure else "http",
                username=at.user,
                password=at.password.reveal(),
                database=at.database,
                connect_timeout=5,
                send_receive_timeout=self._timeout_seconds,
                pool_mgr=self._pool_manager,
                autogenerate_session_id=False,
                query_retries=0,
                compress=False,
                client_name="astralog",
            )
        return self._client

    def _run(self, call: Callable[[Client], Any], max_answer_bytes: float = SMALL_ANSWER_BYTES) -> Any:
        try:
            with bounded(max_answer_bytes, self._timeout_seconds):
                return call(self._connect())
        except Error as fault:
            self.close()
            raise _classify_error(fault) from None
        except AnswerRefusedError as fault:
            self.close()
            raise _unusable(fault) from None


def _selection(answer: bytes) -> Selection:
    try:
        result = json.loads(answer)
        rows, statistics = result["data"], result["statistics"]
        found = Selection(rows, int(statistics["rows_read"]), float(statistics["elapsed"]) * 1000)
    except (ValueError, LookupError, TypeError, OverflowError, RecursionError):
        raise UnusableAnswerError("the answer is not of ClickHouse's form") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UnusableAnswerError("the answer's rows are not of ClickHouse's form")
    return found


def _classify_error(fault: Error) -> Exception:
    """Classify `fault`. The engine's text is dropped: it quotes the rows it could not read."""
    if fault.code is not None:
        return refusal(fault.code, fault.name)
    causes = {type(cause).__name__ for cause in _causes(fault)}
    if causes & _NEVER_CONNECTED:
        return WarehouseDownError("ClickHouse cannot be reached")
    return OutcomeUnknownError("the answer of ClickHouse was lost")


def _unusable(fault: AnswerRefusedError) -> UnusableAnswerError:
    return (TooLongAnswerError if isinstance(fault, AnswerTooLongError) else UnusableAnswerError)(str(fault))


def refusal(engine_code: int, name: str | None = None) -> WarehouseBusyError | WarehouseRefusedError:
    """The error for ClickHouse's code: temporary or permanent."""
    if engine_code in BUSY_CODES:
        return WarehouseBusyError(f"ClickHouse is busy: code {engine_code} ({name})", engine_code)
    return WarehouseRefusedError(f"ClickHouse refused: code {engine_code} ({name})", engine_code)


def _causes(fault: BaseException) -> Iterator[BaseException]:
    """`fault`, its causes, and what urllib3 wraps as `reason`; at most 10 deep."""
    seen: BaseException | None = fault
    for _ in range(10):
        if seen is None:
            return
        yield seen
        reason = getattr(seen, "reason", None)
        seen = reason if isinstance(reason, BaseException) else seen.__cause__ or seen.__context__
