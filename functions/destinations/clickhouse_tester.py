"""Test a customer's ClickHouse with the statements of the pipeline, and create our tables there."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from functions.destinations.clickhouse_fixes import ACCESS_DENIED, clickhouse_failure
from functions.destinations.guarantee import Guarantee, guarantee_of, not_kept
from functions.destinations.probe import Probe
from functions.destinations.reach import address_failure, reach
from functions.destinations.steps import (
    StepFailedError,
    StepPassed,
    StepResult,
    StepRunner,
    StepSkippedError,
    TimeBudget,
)
from functions.destinations.tables import grants, missing_columns
from functions.shared.byoc.destination_store import Destination
from functions.shared.byoc.otel_view import create_otel_view
from functions.shared.byoc.table_identity import has_identity, has_table
from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.egress.egress_filter import AddressRefusedError, EgressFilter
from functions.shared.egress.pools import pool_manager
from functions.shared.errors import PermanentError, RetryableError
from functions.shared.events.staged_key import IDENTITY
from functions.shared.schema.migration_files import migrations
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
class ClickHouseTester:
    """The test of one candidate's ClickHouse. `guarantee` is set by a successful run."""

    candidate: Destination
    guard: EgressFilter
    budget: TimeBudget
    ca_certs: str | None = None
    guarantee: Guarantee | None = None
    runner: StepRunner = field(init=False)
    _warehouse: Warehouse = field(init=False)
    _probe: Probe = field(init=False)
    _version: str = field(init=False, default="")
    _partition_key: str = field(init=False, default="")
    _kept: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.runner = StepRunner(self.candidate.tenant, STEPS, self.budget)
        self._warehouse = self._connect(self.candidate.warehouse)
        self._probe = Probe(self._warehouse, self.candidate.tenant)

    def run(self) -> None:
        """Run every step that can be run; no row is left behind unless `clickhouse.delete` reports it."""
        try:
            self.runner.run(REACH, self._reach)
            self.runner.run(AUTHENTICATE, self._authenticate, after=REACH)
            self.runner.run(VERSION, self._check_version, after=AUTHENTICATE)
            self.runner.run(TABLE, self._bring_up_to_date, after=VERSION)
            self.runner.run(WRITE, self._write, after=TABLE)
            self.runner.run(READ, self._read, after=WRITE)
            self.runner.run(DELETE, self._delete, after=TABLE, always=True)
            self.runner.run(GUARANTEE, self._judge, after=READ)
        finally:
            self._warehouse.close()

    def report(self) -> list[StepResult]:
        return self.runner.report()

    def _connect(self, address: ClickHouseAddress) -> Warehouse:
        settings: dict[str, Any] = {"ca_certs": self.ca_certs} if self.ca_certs else {}
        return Warehouse(address, STATEMENT_SECONDS, pool_manager=pool_manager(self.guard, **settings))

    def _reach(self) -> StepPassed:
        at = self.candidate.warehouse
        return reach(self.guard, at.host, at.port, encrypted=at.secure, ca_certs=self.ca_certs)

    def _authenticate(self) -> StepPassed:
        """Sign in to a database that every server has; the step `table` tests the candidate's database."""
        server = self._connect(replace(self.candidate.warehouse, database="system"))
        try:
            self._version = self._call(lambda: server.select("SELECT version() AS version").text("version"))
        finally:
            server.close()
        return StepPassed("The user and password are valid.")

    def _check_version(self) -> StepPassed:
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
        return StepPassed(f"ClickHouse {found[0]}.")

    def _bring_up_to_date(self) -> StepPassed:
        applied = self._applied()
        if missing := self._call(lambda: missing_columns(self._warehouse)):
            raise StepFailedError(
                f"The tables lack {', '.join(missing)}.",
                "Use an empty database, or rename its existing tables: our SQL creates ours.",
            )
        self._partition_key = self._table()["partition_key"]
        self._probe.with_identity = self._call(lambda: has_identity(self._warehouse))
        with_view = self._call(lambda: create_otel_view(self._warehouse))
        if not self._probe.with_identity:
            return _without_identity()
        return _created(applied, with_view=with_view)

    def _applied(self) -> list[str] | None:
        """The migrations applied now; None when an existing table is used as it is.

        That is when the user may not change it, or it is the customer's own and rejects the change; later
        steps show whether it can be used.
        """
        schema = Schema(self.candidate.warehouse, connect=self._connect)
        try:
            return schema.bring_up_to_date(migrations())
        except WarehouseRefusedError as fault:
            denied = fault.engine_code == ACCESS_DENIED
            failure = self._failure(fault)
        except (PermanentError, RetryableError) as fault:
            raise self._failure(fault) from None
        is_usable = self._lacks_nothing() if denied else self._has_table()
        if is_usable:
            return None
        raise failure

    def _lacks_nothing(self) -> bool:
        return not self._call(lambda: missing_columns(self._warehouse))

    def _has_table(self) -> bool:
        try:
            return has_table(self._warehouse)
        except (PermanentError, RetryableError):
            return False  # the error of the change says more

    def _write(self) -> StepPassed:
        try:
            self._erase()
        except StepFailedError:
            raise StepSkippedError(f"Not run: test rows could not be deleted, see {DELETE}.") from None
        self._call(self._probe.write)
        return StepPassed("Rows can be written.")

    def _read(self) -> StepPassed:
        self._kept = self._call(self._probe.found)
        if self._kept == 0:
            raise StepFailedError(
                "A row that was just written is missing or different when read.",
                "Use a MergeTree table with our columns as events, without a row policy for this user.",
            )
        return StepPassed("Rows are read as they were written.")

    def _delete(self) -> StepPassed:
        try:
            self._erase()
            left = self._call(self._probe.left)
        except StepFailedError as failed:
            if not self.runner.passed(WRITE):
                raise
            raise StepFailedError(f"{failed.detail} {self._left()}", failed.fix) from None
        if left:
            raise StepFailedError(
                f"A row was not deleted. {self._left()}",
                "Check system.mutations for the reason.",
            )
        return StepPassed("Rows can be deleted permanently; no test row is left.")

    def _judge(self) -> StepPassed:
        table = self._table()
        judged = guarantee_of(table["engine"], table["engine_full"])
        self.guarantee = not_kept(judged) if self._kept > 1 else judged
        return StepPassed(f"{self.guarantee.name}: {self.guarantee.why}", self.guarantee.advice)

    def _erase(self) -> None:
        self._call(lambda: self._probe.erase(self._partition_key))

    def _left(self) -> str:
        return f"A row of tenant_id '{self._probe.tenant_id}' may be left in events."

    def _table(self) -> dict[str, str]:
        statement = (
            "SELECT engine, engine_full, partition_key FROM system.tables "
            "WHERE database = currentDatabase() AND name = 'events'"
        )
        row: dict[str, str] = self._call(lambda: self._warehouse.select(statement).rows[0])
        return row

    def _call(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except AddressRefusedError as fault:
            raise address_failure(fault) from None
        except (PermanentError, RetryableError) as fault:
            raise self._failure(fault) from None

    def _failure(self, fault: Exception) -> StepFailedError:
        if isinstance(fault, AddressRefusedError):
            return address_failure(fault)
        return clickhouse_failure(fault, grants(self.candidate.warehouse.database), STATEMENT_SECONDS)


def _without_identity() -> StepPassed:
    return StepPassed(
        f"The tables lack {' and '.join(IDENTITY)}: events of equal time have no id and come in any order.",
        "Grant ALTER ADD COLUMN and ALTER ADD INDEX to the user, or run our SQL yourself.",
    )


def _created(applied: list[str] | None, *, with_view: bool) -> StepPassed:
    if applied is None:
        return StepPassed(
            "All tables and columns exist; the user may not create tables.",
            "Run our SQL yourself when we announce a change, or grant CREATE TABLE.",
        )
    return StepPassed(
        "The tables were created or brought up to date." if applied else "The tables are up to date.",
        None if with_view else "To read the logs with Grafana or HyperDX, grant CREATE VIEW to the user.",
    )
