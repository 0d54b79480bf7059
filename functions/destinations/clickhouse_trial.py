"""Test a customer's ClickHouse with the statements of the pipeline, and create our tables there."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from functions.destinations.clickhouse_fixes import ACCESS_DENIED, clickhouse_failure
from functions.destinations.probe import Probe
from functions.destinations.reach import reach, refused
from functions.destinations.steps import Budget, Passed, Step, StepFailedError, StepSkippedError, Trial
from functions.destinations.tables import grants, missing_columns
from functions.shared.address import Address
from functions.shared.custody.destinations import Destination
from functions.shared.custody.guarantee import Guarantee, guarantee_of, not_kept
from functions.shared.errors import PermanentError, RetryableError
from functions.shared.guarded.guard import AddressRefusedError, Guard
from functions.shared.guarded.pools import pool_manager
from functions.shared.schema.numbered import migrations
from functions.shared.schema.schema import Schema
from functions.shared.warehouse import Warehouse, WarehouseRefusedError

STEPS = tuple(
    f"clickhouse.{name}"
    for name in ("reach", "authenticate", "version", "table", "write", "read", "delete", "guarantee")
)
REACH, AUTHENTICATE, VERSION, TABLE, WRITE, READ, DELETE, GUARANTEE = STEPS

STATEMENT_SECONDS = 6

OLDEST = (26, 2)
"""The first version whose text index, which metadata searches need, works without an experimental setting."""

_VERSION = re.compile(r"(\d{2,3})\.(\d{1,3})(\.\d+)*")

T = TypeVar("T")


@dataclass(slots=True)
class ClickHouseTrial:
    """The test of one candidate's ClickHouse. `guarantee` is set by a successful run."""

    candidate: Destination
    guard: Guard
    budget: Budget
    ca_certs: str | None = None
    guarantee: Guarantee | None = None
    trial: Trial = field(init=False)
    _warehouse: Warehouse = field(init=False)
    _probe: Probe = field(init=False)
    _version: str = field(init=False, default="")
    _partition_key: str = field(init=False, default="")
    _kept: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.trial = Trial(self.candidate.tenant, STEPS, self.budget)
        self._warehouse = self._connect(self.candidate.warehouse)
        self._probe = Probe(self._warehouse, self.candidate.tenant)

    def run(self) -> None:
        """Run every step that can be run; no row is left behind unless `clickhouse.delete` reports it."""
        try:
            self.trial.run(REACH, self._reach)
            self.trial.run(AUTHENTICATE, self._authenticate, after=REACH)
            self.trial.run(VERSION, self._check_version, after=AUTHENTICATE)
            self.trial.run(TABLE, self._bring_up_to_date, after=VERSION)
            self.trial.run(WRITE, self._write, after=TABLE)
            self.trial.run(READ, self._read, after=WRITE)
            self.trial.run(DELETE, self._delete, after=TABLE, always=True)
            self.trial.run(GUARANTEE, self._judge, after=READ)
        finally:
            self._warehouse.close()

    def report(self) -> list[Step]:
        return self.trial.report()

    def _connect(self, address: Address) -> Warehouse:
        settings: dict[str, Any] = {"ca_certs": self.ca_certs} if self.ca_certs else {}
        return Warehouse(address, STATEMENT_SECONDS, pool_manager=pool_manager(self.guard, **settings))

    def _reach(self) -> Passed:
        at = self.candidate.warehouse
        return reach(self.guard, at.host, at.port, encrypted=at.secure, ca_certs=self.ca_certs)

    def _authenticate(self) -> Passed:
        """Sign in to a database that every server has; the step `table` tests the candidate's database."""
        server = self._connect(replace(self.candidate.warehouse, database="system"))
        try:
            self._version = self._asked(lambda: server.select("SELECT version() AS version").text("version"))
        finally:
            server.close()
        return Passed("The user and password are valid.")

    def _check_version(self) -> Passed:
        found = _VERSION.fullmatch(self._version)
        if not found:
            raise StepFailedError(
                "The version is not a ClickHouse version.", "Use the address of ClickHouse 26.2 or later."
            )
        if (int(found[1]), int(found[2])) < OLDEST:
            raise StepFailedError(
                f"ClickHouse {found[0]} is too old: it has no text index.",
                "Upgrade ClickHouse to 26.2 or later.",
            )
        return Passed(f"ClickHouse {found[0]}.")

    def _bring_up_to_date(self) -> Passed:
        applied = self._applied()
        if missing := self._asked(lambda: missing_columns(self._warehouse)):
            raise StepFailedError(
                f"The tables lack {', '.join(missing)}.",
                "Use an empty database, or rename its existing tables: our SQL creates ours.",
            )
        self._partition_key = self._table()["partition_key"]
        return _created(applied)

    def _applied(self) -> list[str] | None:
        """The migrations applied now; None when the user may not apply them, and nothing is missing."""
        schema = Schema(self.candidate.warehouse, connect=self._connect)
        try:
            return schema.bring_up_to_date(migrations())
        except WarehouseRefusedError as fault:
            denied = fault.engine_code == ACCESS_DENIED
            failure = self._failure(fault)
        except (PermanentError, RetryableError) as fault:
            raise self._failure(fault) from None
        if denied and not self._asked(lambda: missing_columns(self._warehouse)):
            return None
        raise failure

    def _write(self) -> Passed:
        try:
            self._erase()
        except StepFailedError:
            raise StepSkippedError(f"Not run: test rows could not be deleted, see {DELETE}.") from None
        self._asked(self._probe.write)
        return Passed("Rows can be written.")

    def _read(self) -> Passed:
        self._kept = self._asked(self._probe.found)
        if self._kept == 0:
            raise StepFailedError(
                "A row that was just written is missing or different when read.",
                "Use a MergeTree table with our columns as events, without a row policy for this user.",
            )
        return Passed("Rows are read as they were written.")

    def _delete(self) -> Passed:
        try:
            self._erase()
            left = self._asked(self._probe.left)
        except StepFailedError as failed:
            if not self.trial.passed(WRITE):
                raise
            raise StepFailedError(f"{failed.detail} {self._left()}", failed.fix) from None
        if left:
            raise StepFailedError(
                f"A row was not deleted. {self._left()}",
                "Check system.mutations for the reason.",
            )
        return Passed("Rows can be deleted permanently; no test row is left.")

    def _judge(self) -> Passed:
        table = self._table()
        judged = guarantee_of(table["engine"], table["engine_full"])
        self.guarantee = not_kept(judged) if self._kept > 1 else judged
        return Passed(f"{self.guarantee.name}: {self.guarantee.why}", self.guarantee.advice)

    def _erase(self) -> None:
        by_day = self._partition_key == "expires_on"
        self._asked(lambda: self._probe.erase(own_partition=by_day))

    def _left(self) -> str:
        return f"A row of tenant_id '{self._probe.tenant_id}' may be left in events."

    def _table(self) -> dict[str, str]:
        statement = (
            "SELECT engine, engine_full, partition_key FROM system.tables "
            "WHERE database = currentDatabase() AND name = 'events'"
        )
        row: dict[str, str] = self._asked(lambda: self._warehouse.select(statement).rows[0])
        return row

    def _asked(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except AddressRefusedError as fault:
            raise refused(fault) from None
        except (PermanentError, RetryableError) as fault:
            raise self._failure(fault) from None

    def _failure(self, fault: Exception) -> StepFailedError:
        if isinstance(fault, AddressRefusedError):
            return refused(fault)
        return clickhouse_failure(fault, grants(self.candidate.warehouse.database), STATEMENT_SECONDS)


def _created(applied: list[str] | None) -> Passed:
    if applied is None:
        return Passed(
            "All tables and columns exist; the user may not create tables.",
            "Run our SQL yourself when we announce a change, or grant CREATE TABLE.",
        )
    return Passed(
        "The tables were created or brought up to date." if applied else "The tables are up to date."
    )
