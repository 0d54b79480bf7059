"""The embedded ClickHouse engine, one statement at a time: the one module that imports chdb.

A process has one engine and one data directory. Each statement gets its own connection, because settings
persist on a connection and a leftover `readonly=1` would lock the engine permanently.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

_CODE = re.compile(r"Code: (\d+)\.")
_SETTING_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
UNKNOWN_EXCEPTION = 1002
UNKNOWN_SETTING = 115

_AS_A_SERVER = {"implicit_select": "0"}
"""Defaults that differ from a server's: the embedded engine accepts `1 + 1` as a statement."""


class EngineError(Exception):
    """The engine rejected a statement; `code` is ClickHouse's, the text its message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement with its inputs; `parameters` are values in ClickHouse's escaped text form."""

    sql: str
    database: str
    default_format: str
    settings: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result and cost of a statement."""

    body: bytes
    rows_read: int
    rows_written: int
    elapsed_seconds: float


class Engine:
    """Thread-safe.

    Parameters
    ----------
    directory: holds the tables; committed data survives kill -9.
    databases: created if missing.
    """

    def __init__(self, directory: Path, databases: set[str]) -> None:
        import chdb  # it takes half a second: only where an engine runs

        self._connect = partial(chdb.connect, str(directory))
        # Kept open so that the engine, its caches and its merges survive between statements.
        self._anchor = self._connect()
        for name in sorted(databases):
            self._anchor.query(f"CREATE DATABASE IF NOT EXISTS {_identifier(name)}")

    def run(self, statement: Statement) -> Outcome:
        """Run `statement`; when it returns, its writes are committed.

        Raises
        ------
        EngineError: with ClickHouse's code.
        """
        connection = self._connect()
        try:
            connection.query(f"USE {_identifier(statement.database)}")
            connection.query(_set({**_AS_A_SERVER, **statement.settings}))
            answer = connection.query(
                statement.sql, statement.default_format, params=dict(statement.parameters)
            )
            return Outcome(
                body=answer.bytes(),
                rows_read=answer.rows_read() or answer.storage_rows_read(),
                rows_written=answer.rows_written(),
                elapsed_seconds=answer.elapsed(),
            )
        except RuntimeError as fault:
            raise _engine_error(fault) from None
        finally:
            connection.close()

    def close(self) -> None:
        self._anchor.close()


def _set(settings: Mapping[str, str]) -> str:
    """One SET for all settings: the engine checks them together, so `readonly` does not block the others."""
    for name in settings:
        if not _SETTING_NAME.fullmatch(name):
            raise EngineError(UNKNOWN_SETTING, f"Code: {UNKNOWN_SETTING}. DB::Exception: Unknown setting.")
    return "SET " + ", ".join(f"{name} = {_text(value)}" for name, value in settings.items())


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _identifier(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def _engine_error(fault: RuntimeError) -> EngineError:
    code = _CODE.search(str(fault))
    return EngineError(int(code[1]) if code else UNKNOWN_EXCEPTION, str(fault))
