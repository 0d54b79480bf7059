"""docs/deployment.md grants each user of ClickHouse what its statements need, and nothing else.

The statements are those that the code sends to the real engine. The embedded engine has no users, so what a
statement needs is derived here, by the rules of ClickHouse's documentation.
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from functions.billing.reconciliation.stored_rows import StoredRows
from functions.destinations.probe import Probe
from functions.destinations.tables import missing_columns
from functions.privacy.erasure.mutations import Deletion, Mutations
from functions.privacy.erasure.rows import EventRows
from functions.privacy.erasure.subject import AllRows, Subject
from functions.privacy.export.logs import LogPeriod, Logs
from functions.query.compile import statement
from functions.query.complete import complete_request, known_statement
from functions.query.counting.counted_fields import counted_statement
from functions.query.exporting.reader import ExportedEvents, ReadPosition
from functions.query.fields import fields_request, sample_statement, size_statement
from functions.query.histogram import bucket_statement, histogram_request, value_statement
from functions.query.language.syntax_tree import EVERYTHING
from functions.query.requests.request import search
from functions.query.searching.event_id import parse_id
from functions.query.searching.event_search import EventSearch, ManagedSearch, SearchLimits
from functions.query.searching.event_statements import event_statement
from functions.query.stats import compiled_stats, stats_request
from functions.query.tailing.commit_reader import TenantBatch
from functions.query.tailing.statements import count_statement
from functions.retention.partitions import Partitions
from functions.retention.plan import Cut, Rewriting
from functions.shared.byoc.otel_view import create_otel_view
from functions.shared.byoc.table_identity import has_identity, has_table
from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.events.staged_key import IDENTITY, time_ordered_id
from functions.shared.schema.migration_files import migrations
from functions.shared.schema.schema import Schema
from functions.shared.tenancy import TenantId
from functions.shared.warehouse import Selection, Warehouse
from functions.sync.ledger import Batch
from functions.sync.load import EventsTable
from functions.sync.plan import Manifest
from infra import topology
from tests.integration.loading import load, staged
from tests.integration.warehouse_process import clickhouse

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
TODAY, LATER = date(2026, 11, 29), date(2030, 1, 1)
NOW = datetime(2026, 11, 29, tzinfo=UTC)
LIMITS = SearchLimits(20, 1 << 30, 1 << 26, 1)

METHODS = ("select", "select_json", "command", "insert")
OPEN_TO_ALL = {"system.tables", "system.columns", "system.databases", "system.settings"}
CUSTOMERS_ONLY = ("functions/destinations/", "functions/sync/byoc_", "functions/shared/byoc/")
"""What is sent to customers' own servers alone; docs/byoc.md grants it."""

Site = tuple[str, str, str]
"""Where in functions/ a statement is sent: file, function, method of Warehouse."""

Need = tuple[str, str]
"""A privilege, with its column if that is granted by column, and what it is on."""


@dataclass
class Log:
    """The statements of one user, and where they were sent from."""

    statements: list[str] = field(default_factory=list)
    sites: set[Site] = field(default_factory=set)

    def note(self, sql: str) -> None:
        frame = sys._getframe(2)
        while frame.f_back and frame.f_code.co_filename.endswith("shared/warehouse.py"):
            frame = frame.f_back
        name = Path(frame.f_code.co_filename)
        if name.is_relative_to(FUNCTIONS):
            owner = frame.f_code.co_name
            self.sites.add((str(name.relative_to(FUNCTIONS.parent)), owner, sys._getframe(1).f_code.co_name))
        self.statements.append(sql)


class Recording(Warehouse):
    """The warehouse at `address`; all it is sent is noted in `log`."""

    def __init__(self, address: ClickHouseAddress, log: Log) -> None:
        super().__init__(address, 60)
        self.log = log

    def select(self, statement: str, *others: Any, **named: Any) -> Selection:
        self.log.note(statement)
        return super().select(statement, *others, **named)

    def select_json(self, statement: str, *others: Any, **named: Any) -> bytes:
        self.log.note(statement)
        return super().select_json(statement, *others, **named)

    def command(self, statement: str, *others: Any, **named: Any) -> None:
        self.log.note(statement)
        super().command(statement, *others, **named)

    def insert(self, statement: str, body: bytes, settings: Mapping[str, Any]) -> None:
        self.log.note(statement)
        super().insert(statement, body, settings)


FUNCTIONS = Path(topology.__file__).parents[2] / "functions"
COLUMNS = [
    *re.findall(
        r"^    (\w+) ",
        (FUNCTIONS / "shared/schema/sql/0001_events.sql").read_text().partition("INDEX")[0],
        re.M,
    ),
    *IDENTITY,
]
ALTERED = {"COLUMN": "ALTER ADD COLUMN", "INDEX": "ALTER ADD INDEX"}


SEARCHING = ("query", "search-exporter", "tail")
"""The functions that sign in as the user of searches."""


def searches(warehouse: Warehouse) -> None:
    event_search = ManagedSearch(EventSearch(warehouse, LIMITS), 1)
    exported = ExportedEvents(ACME, EVERYTHING, 0, 10**18, 10**18)
    event_search.find(ACME, exported.statement(ReadPosition(0), 10**18, "managed", with_identity=True))
    for body in (b"{}", b'{"q": "a", "order": "asc", "where": [{"field": "metadata.a", "op": "exists"}]}'):
        event_search.find(ACME, statement(search(body), ACME))
    wanted = parse_id(f"{time_ordered_id()}-0")
    assert wanted
    event_search.find(ACME, event_statement(ACME, wanted))
    table = compiled_stats(stats_request(b'{"query": "a.b:>5 | stats count() by c | sort c"}'), ACME)
    names = known_statement(complete_request(b"{}"), ACME)
    assert names
    counted = histogram_request(b'{"split_by": "a.b"}')
    assert counted.split_by
    listed = fields_request(b"{}")
    series = (value_statement(counted, counted.split_by, ACME), bucket_statement(counted, ACME, ["x", None]))
    sample = (size_statement(listed, ACME), sample_statement(listed, ACME, 5))
    by_hours = counted_statement(fields_request(b'{"fields": ["level", "service", "project"]}'), ACME)
    followed = count_statement(ACME, [TenantBatch("b1", 1, LATER.isoformat(), 0.0)])
    for each in (table.statement, names, *series, *sample, by_hours, followed):
        event_search.answer(ACME, each, lambda content: content)


def loads(warehouse: Warehouse) -> None:
    loader, batch = EventsTable(warehouse), Batch(Manifest("managed", LATER, ()), "b9", "sealed", ())
    frames = zstd.compress(staged(), 1)
    loader.insert(batch, frames)
    loader.accepts(frames)
    loader.erase(batch)
    loader.swallowed(batch)


def purges(warehouse: Warehouse) -> None:
    partitions, cut = Partitions(warehouse), Cut((ACME,), TODAY)
    partitions.oldest_received()
    partitions.expired(TODAY)
    partitions.of([ACME], TODAY)
    (first, *_) = partitions.all()
    partitions.rewrite([Rewriting(first, (cut,), True, 1), Rewriting(first, (cut,), False, 1)])
    partitions.drop(first)


def checks_retention(warehouse: Warehouse) -> None:
    partitions = Partitions(warehouse)
    partitions.census()
    partitions.rows_before([Cut((ACME,), TODAY)])


def reconciles(warehouse: Warehouse) -> None:
    stored = StoredRows(warehouse)
    stored.by_day(TODAY, TODAY, [ACME])
    stored.by_batch(ACME, TODAY, TODAY)


def exports(warehouse: Warehouse) -> None:
    logs = Logs(warehouse, ACME, LogPeriod(0, 2 * 10**18, 2 * 10**15), rows_a_page=1)
    position = logs.page().after
    for _ in range(3):
        if position is None:
            break
        position = logs.page(position).after


def erases(warehouse: Warehouse) -> None:
    rows = EventRows(warehouse)
    for whose in (AllRows(GLOBEX), Subject(GLOBEX, "message", "x"), Subject(GLOBEX, "metadata.a.b", "7")):
        rows.count(whose, NOW)
        rows.erase(whose, NOW)
    rows.now()
    rows.texts(GLOBEX)
    rows.old_parts(rows.now())
    rows.forget_texts(GLOBEX)
    erases_on_all_replicas(warehouse)


def erases_on_all_replicas(warehouse: Warehouse) -> None:
    """What the eraser sends where the table has replicas, which the embedded engine cannot have."""
    mutations = Mutations(warehouse)
    mutations.apply(Deletion(*AllRows(GLOBEX).condition()))
    mutations.replace_finished()


def serves_a_customer(warehouse: Warehouse) -> None:
    """What a BYOC destination is sent: tested, loaded, searched, exported, and a person erased in it."""
    missing_columns(warehouse)
    has_identity(warehouse)
    has_table(warehouse)
    create_otel_view(warehouse)
    probe = Probe(warehouse, ACME)
    probe.write()
    probe.found()
    probe.erase("expires_on, bulk")
    probe.left()
    loads(warehouse)
    searches(warehouse)
    exports(warehouse)
    rows, person = EventRows(warehouse), Subject(ACME, "message", "x")
    rows.count(person, NOW)
    rows.erase(person, NOW)
    rows.now()


EVERY_FUNCTION = "astralog"
CUSTOMER = "a customer's"

USERS: dict[str, Callable[[Warehouse], None]] = {
    "astralog_search": searches,
    "astralog_sync": loads,
    "astralog_retention": purges,
    "astralog_retention_check": checks_retention,
    "astralog_reconcile": reconciles,
    "astralog_exporter": exports,
    "astralog_eraser": erases,
    "astralog_eraser_byoc": erases,
}


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Log]]:
    """What each user sends, when the functions that sign in as it do everything they do."""
    found: dict[str, Log] = defaultdict(Log)
    with clickhouse(tmp_path_factory.mktemp("clickhouse")) as at:
        # The database may be missing, which a migration then creates.
        address = replace(at, database="made_by_migrate")
        migrate = found["astralog_migrate"]
        Schema(address, None, lambda each: Recording(each, migrate)).bring_up_to_date(migrations())
        plain = Warehouse(address, 60)
        for tenant in (ACME, GLOBEX):
            load(plain, [staged(tenant_id=tenant, message=f"{tenant} {n}") for n in range(3)], f"{tenant}1")
        plain.close()
        for user, act in {**USERS, CUSTOMER: serves_a_customer}.items():
            warehouse = Recording(address, found[user])
            act(warehouse)
            warehouse.close()
        customer = found[CUSTOMER]
        Schema(address, None, lambda each: Recording(each, customer)).bring_up_to_date(migrations())
        customer.statements += found["astralog_migrate"].statements
        yield found


class UnknownStatementError(Exception):
    """Nothing is known of what a statement of this kind needs."""


def needs(sql: str) -> set[Need]:
    """What a statement needs to be granted; of `events` by column."""
    text = re.sub(r"'(?:[^'\\]|\\.)*'", "''", re.sub(r"--[^\n]*", "", sql))
    found = {("CREATE TEMPORARY TABLE", "*.*")} if re.search(r"\binput\(", text) else set()
    for table in re.findall(r"\bFROM\s+(system\.\w+|[a-z_]+)\b(?!\()", text):
        found |= _read(table, text)
    match text.split():
        case ["SELECT", *_]:
            return found
        case ["INSERT", "INTO", table, *_]:
            return {*found, ("INSERT", table)}
        case ["CREATE", "DATABASE" | "TABLE" | "VIEW" as what, *_]:
            return {*found, (f"CREATE {what}", "*")}
        case ["ALTER", "TABLE", table, "DELETE", *_] | ["ALTER", "TABLE", table, "DROP", "PARTITION", *_]:
            return {*found, ("ALTER DELETE", table)}
        case ["ALTER", "TABLE", table, "ADD", *_]:
            kinds = re.findall(r"^\s*ADD (\w+) IF NOT EXISTS", text, re.M)
            return {*found, *((ALTERED[kind], table) for kind in kinds)}
        case ["ALTER", "TABLE", table, "MODIFY", "SETTING", *_]:
            return {*found, ("ALTER SETTINGS", table)}
        case ["KILL", "MUTATION", *_]:
            # What is killed has to be permitted; the engine looks for it as the user.
            return {*found, ("ALTER DELETE", "events"), ("SELECT", "system.mutations")}
    raise UnknownStatementError(sql)


def _read(table: str, text: str) -> set[Need]:
    if table in OPEN_TO_ALL:
        return set()
    if table != "events":
        return {("SELECT", table)}
    named = {column for column in COLUMNS if re.search(rf"(?<!\{{)\b{column}\b(?!:)", text)}
    return {(f"SELECT({column})", "events") for column in named}


@cache
def granted() -> dict[str, set[Need]]:
    """The GRANT statements of docs/deployment.md, user by user."""
    page = Path("docs/deployment.md").read_text()
    found: dict[str, set[Need]] = defaultdict(set)
    for privileges, on, user in re.findall(r"^GRANT (.+) ON (\S+) TO (\w+);", page, re.M):
        place = on.removeprefix("astralog.")
        for each in re.findall(r"[A-Z][A-Z ]*[A-Z](?:\([^)]*\))?", privileges):
            name, _, columns = each.rstrip(")").partition("(")
            for column in columns.split(", ") if columns else [None]:
                found[user].add((f"{name}({column})" if column else name, place))
    return found


@pytest.mark.parametrize("user", [*USERS, "astralog_migrate"])
def test_a_user_is_granted_what_its_statements_need_and_nothing_else(logs: dict[str, Log], user: str) -> None:
    needed = {need for sql in logs[user].statements for need in needs(sql)}
    whole = {place for privilege, place in granted()[user] if privilege == "SELECT"}
    needed = {
        ("SELECT" if privilege.startswith("SELECT(") and place in whole else privilege, place)
        for privilege, place in needed
    }
    assert needed == granted()[user]


def test_one_user_for_every_function_has_the_grants_of_all_but_searches() -> None:
    """The users of step 3: with fewer, the first purge or erasure fails, days after the deployment."""
    others = (user for user in granted() if user not in (EVERY_FUNCTION, "astralog_search"))
    needed = {need for user in others for need in granted()[user]}
    whole = {place for privilege, place in needed if privilege == "SELECT"}

    assert ("SELECT", "system.parts") in needed
    assert granted()[EVERY_FUNCTION] == {
        need for need in needed if not (need[0].startswith("SELECT(") and need[1] in whole)
    }


def test_a_customers_user_is_granted_what_we_send_to_the_customers_clickhouse(logs: dict[str, Log]) -> None:
    page = Path("docs/byoc.md").read_text()
    grants = {
        (privilege.strip(), "*.*" if on == "*.*" else on)
        for privileges, on in re.findall(r"^GRANT (.+) ON (\S+) TO astralog;", page, re.M)
        for privilege in privileges.split(",")
    }
    sent = {need for sql in logs[CUSTOMER].statements for need in needs(sql)}
    needed = {
        (privilege.partition("(")[0], on if on.startswith("system.") or on == "*.*" else "logs.*")
        for privilege, on in sent
        if privilege != "CREATE DATABASE"
    }
    assert grants == needed


def test_every_user_of_the_page_is_one_of_a_function_that_has_an_address() -> None:
    assert set(granted()) == {*USERS, "astralog_migrate", EVERY_FUNCTION}
    readers = {
        f"astralog_{'search' if each.name in SEARCHING else each.name.replace('-', '_')}"
        for each in topology.FUNCTIONS
        if {"secret:warehouse", "secret:search"} & set(each.settings.values())
    }
    assert readers == set(granted()) - {EVERY_FUNCTION}


def test_only_searches_sign_in_as_their_user_and_they_only_read(logs: dict[str, Log]) -> None:
    readers = [each.name for each in topology.FUNCTIONS if "secret:search" in each.settings.values()]
    assert readers == list(SEARCHING)
    assert {sql.split()[0] for sql in logs["astralog_search"].statements} == {"SELECT"}


def test_no_place_in_the_code_that_sends_a_statement_was_left_out(logs: dict[str, Log]) -> None:
    recorded = {site for user, log in logs.items() if user != CUSTOMER for site in log.sites}
    written = {site for path in sorted(FUNCTIONS.rglob("*.py")) for site in _sites(path)}
    assert {site for site in written if not site[0].startswith(CUSTOMERS_ONLY)} == recorded


def _sites(path: Path) -> Iterator[Site]:
    """Calls of the methods of a warehouse, by the names that one has in the code."""
    name = str(path.relative_to(FUNCTIONS.parent))
    for outer in ast.walk(ast.parse(path.read_text())):
        if not isinstance(outer, ast.FunctionDef):
            continue
        for call in ast.walk(outer):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                receiver = ast.unparse(call.func.value)
                if call.func.attr in METHODS and receiver in (
                    "self._warehouse", "warehouse", "database", "server",
                ):  # fmt: skip
                    yield name, outer.name, call.func.attr


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT message FROM events", {("SELECT(message)", "events")}),
        ("SELECT count() FROM system.merges", {("SELECT", "system.merges")}),
        ("SELECT name FROM system.tables WHERE name = 'events'", set()),
        ("ALTER TABLE events DROP PARTITION '2026-01-01'", {("ALTER DELETE", "events")}),
        ("INSERT INTO other SELECT 1", {("INSERT", "other")}),
    ],
)
def test_needs_are_derived_from_statements(sql: str, expected: set[Need]) -> None:
    assert needs(sql) == expected


@pytest.mark.parametrize(
    "sql", ["TRUNCATE TABLE events", "DROP TABLE events", "ALTER TABLE events UPDATE a = 1"]
)
def test_a_statement_of_an_unknown_kind_is_noticed(sql: str) -> None:
    with pytest.raises(UnknownStatementError):
        needs(sql)
