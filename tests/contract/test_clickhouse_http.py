"""The embedded engine behind its HTTP face keeps what `Warehouse` and curl count on of a real ClickHouse."""

import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from backports import zstd

from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.secret_text import SecretText
from functions.shared.warehouse import (
    OutcomeUnknownError,
    Warehouse,
    WarehouseBusyError,
    WarehouseDownError,
    WarehouseRefusedError,
)
from local.naming import PROJECT_ROOT, child_environment, python_module

DATABASE = "contract"
USER, PASSWORD = "loader", "s3cret'\\"
READER = "reader"
INSERT = "INSERT INTO rows (number, text) SELECT number, text FROM input('number UInt64, text String') "
IN_ONE_BLOCK = {"async_insert": 0, "insert_deduplicate": 1, "max_insert_threads": 1}


Users = dict[str, dict[str, str]]


def _users() -> Users:
    return {
        USER: {"password": PASSWORD, "database": DATABASE},
        "default": {"password": "", "database": DATABASE},
        READER: {"password": PASSWORD, "database": DATABASE, "readonly": "2"},
    }


@dataclass
class Face:
    """A running face. `users`: changed ones are known after `end` and `start`."""

    directory: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None
    users: Users = field(default_factory=_users)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        configuration = {
            "port": self.port,
            "data": str(self.directory / "data"),
            "spool": str(self.directory / "spool"),
            "users": self.users,
        }
        self.process = subprocess.Popen(
            python_module("local.clickhouse"),
            stdin=subprocess.PIPE,
            cwd=PROJECT_ROOT,
            env=child_environment(),
        )
        assert self.process.stdin
        self.process.stdin.write(json.dumps(configuration).encode() + b"\n")
        self.process.stdin.flush()
        self._wait_until_it_answers()

    def end(self, number: int) -> None:
        assert self.process
        self.process.send_signal(number)
        self.process.wait(10)
        assert self.process.stdin
        self.process.stdin.close()

    def order(self, **fault: Any) -> None:
        """Order a fault of local.faults."""
        httpx.post(f"{self.url}/_fault", json=fault).raise_for_status()

    def _wait_until_it_answers(self) -> None:
        for _ in range(400):
            try:
                httpx.get(f"{self.url}/ping")
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("the face does not answer")


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Face]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    running = Face(tmp_path_factory.mktemp("face"), port)
    running.start()
    yield running
    running.end(signal.SIGTERM)


@pytest.fixture
def warehouse(face: Face) -> Iterator[Warehouse]:
    face.order(mode="none")
    connected = connect(face)
    connected.command("DROP TABLE IF EXISTS rows SYNC")
    connected.command(
        "CREATE TABLE rows (number UInt64, text String) ENGINE = MergeTree ORDER BY number "
        "SETTINGS non_replicated_deduplication_window = 100"
    )
    yield connected
    connected.close()


def connect(face: Face, password: str = PASSWORD, timeout_seconds: int = 5, user: str = USER) -> Warehouse:
    address = ClickHouseAddress("127.0.0.1", face.port, False, user, SecretText(password), DATABASE)
    return Warehouse(address, timeout_seconds)


def frames(*ranges: range) -> bytes:
    """A zstd frame for each range of numbers."""
    return b"".join(
        zstd.compress("".join(json.dumps({"number": n, "text": f"é{n}"}) + "\n" for n in each).encode())
        for each in ranges
    )


def count(warehouse: Warehouse) -> int:
    return int(warehouse.select("SELECT count() AS n FROM rows").rows[0]["n"])


def curl(face: Face, path: str, body: bytes | None = None, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.request("GET" if body is None else "POST", face.url + path, content=body, headers=named)


def code_of(answer: httpx.Response) -> str | None:
    return answer.headers.get("X-ClickHouse-Exception-Code")


def test_three_concatenated_frames_are_loaded_whole(warehouse: Warehouse) -> None:
    warehouse.insert(
        INSERT + "FORMAT JSONEachRow",
        frames(range(1000), range(1000, 2000), range(2000, 3000)),
        IN_ONE_BLOCK,
    )
    rows = warehouse.select("SELECT sum(number) AS total, max(text) AS last FROM rows").rows
    assert count(warehouse) == 3000
    assert int(rows[0]["total"]) == sum(range(3000))
    assert rows[0]["last"] == "é999"


def test_an_insert_without_a_select_is_loaded_too(warehouse: Warehouse) -> None:
    body = frames(range(3), range(3, 5))
    warehouse.insert("INSERT INTO rows (number, text) FORMAT JSONEachRow", body, {})
    assert count(warehouse) == 5


def test_the_same_token_twice_is_one_block_of_rows(warehouse: Warehouse) -> None:
    for token in ("a", "a", "b"):
        settings = {**IN_ONE_BLOCK, "insert_deduplication_token": token}
        warehouse.insert(INSERT + "FORMAT JSONEachRow", frames(range(10)), settings)
    assert count(warehouse) == 20


def test_parameters_are_bound_whatever_they_hold(warehouse: Warehouse) -> None:
    hostile = "' OR 1=1; \\ \t\n {x:String} é"
    result = warehouse.select(
        "SELECT {text:String} AS text, {list:Array(String)} AS list, {moment:DateTime64(3, 'UTC')} AS moment",
        {"text": hostile, "list": [hostile, ""], "moment": "2026-11-23 01:02:03.004"},
    )
    assert result.rows == [{"text": hostile, "list": [hostile, ""], "moment": "2026-11-23 01:02:03.004"}]


def test_what_the_select_adds_reaches_every_row(warehouse: Warehouse) -> None:
    statement = INSERT.replace("SELECT number, text", "SELECT number, 'it is mine'") + "FORMAT JSONEachRow"
    warehouse.insert(statement, frames(range(2)), {})
    assert warehouse.select("SELECT DISTINCT text FROM rows").rows == [{"text": "it is mine"}]


def test_an_unknown_table_is_refused_with_its_code(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseRefusedError) as refused:
        warehouse.select("SELECT * FROM nowhere")
    assert refused.value.engine_code == 60


def test_a_row_that_is_no_json_is_refused_and_nothing_of_its_insert_stays(warehouse: Warehouse) -> None:
    body = frames(range(10)) + zstd.compress(b'{"number": "no number"}\n')
    with pytest.raises(WarehouseRefusedError):
        warehouse.insert(INSERT + "FORMAT JSONEachRow", body, IN_ONE_BLOCK)
    assert count(warehouse) == 0


def test_busy_is_reported_and_nothing_is_written(face: Face, warehouse: Warehouse) -> None:
    face.order(mode="busy", code=252, statement="INSERT")
    with pytest.raises(WarehouseBusyError) as busy:
        warehouse.insert(INSERT + "FORMAT JSONEachRow", frames(range(3)), {})
    assert busy.value.engine_code == 252
    assert count(warehouse) == 0


def test_a_lost_answer_is_an_unknown_outcome_and_the_rows_are_there(face: Face, warehouse: Warehouse) -> None:
    face.order(mode="lose_answer", statement="INSERT")
    with pytest.raises(OutcomeUnknownError):
        warehouse.insert(INSERT + "FORMAT JSONEachRow", frames(range(3)), {})
    assert count(warehouse) == 3


def test_an_insert_the_client_gave_up_on_still_takes_place(face: Face, warehouse: Warehouse) -> None:
    face.order(mode="slow", seconds=1.5, statement="INSERT")
    impatient = connect(face, timeout_seconds=1)
    with pytest.raises(OutcomeUnknownError):
        impatient.insert(INSERT + "FORMAT JSONEachRow", frames(range(3)), {})
    assert count(warehouse) == 0
    time.sleep(1.5)
    assert count(warehouse) == 3


def test_down_is_recognised_and_passes(face: Face, warehouse: Warehouse) -> None:
    warehouse.close()
    face.order(mode="down", seconds=1)
    time.sleep(0.3)
    with pytest.raises(WarehouseDownError):
        connect(face).select("SELECT 1")
    time.sleep(1.2)
    assert count(warehouse) == 0


def test_a_wrong_password_gets_nothing(face: Face) -> None:
    # 516 is among the codes that pass: a rotated password is wrong only for a while.
    with pytest.raises(WarehouseBusyError) as refused:
        connect(face, password="wrong").select("SELECT 1")
    assert refused.value.engine_code == 516


def test_readonly_leaves_nothing_behind(warehouse: Warehouse) -> None:
    warehouse.select("SELECT 1", settings={"readonly": 1, "max_execution_time": 5})
    with pytest.raises(WarehouseBusyError) as refused:
        warehouse.command("INSERT INTO rows VALUES (1, 'a')", settings={"readonly": 1})
    assert refused.value.engine_code == 164
    warehouse.command("INSERT INTO rows VALUES (1, 'a')")
    assert count(warehouse) == 1


def test_inserts_and_searches_pass_side_by_side(face: Face, warehouse: Warehouse) -> None:
    def work(part: int) -> None:
        own = connect(face)
        own.insert(INSERT + "FORMAT JSONEachRow", frames(range(part * 500, part * 500 + 500)), IN_ONE_BLOCK)
        assert count(own) >= 500
        own.close()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, range(12)))
    assert count(warehouse) == 6000


def test_values_that_no_url_could_hold_are_bound(warehouse: Warehouse) -> None:
    values = [f"{number:0100}" for number in range(1000)]
    result = warehouse.select(
        "SELECT length({list:Array(String)}) AS size, {list:Array(String)}[1000] AS last", {"list": values}
    )
    assert (result.whole("size"), result.text("last")) == (1000, values[-1])


def test_a_value_longer_than_a_field_may_be_is_refused(warehouse: Warehouse) -> None:
    assert (
        warehouse.select("SELECT length({a:String}) AS size", {"a": "x" * 131_072}).whole("size") == 131_072
    )
    with pytest.raises(WarehouseRefusedError):
        warehouse.select("SELECT length({a:String}) AS size", {"a": "x" * 131_073})


def test_one_query_of_an_id_runs_at_a_time_for_all_users(face: Face, warehouse: Warehouse) -> None:
    face.order(mode="slow", seconds=1.5, statement="SELECT 1 AS slow")
    same = {"query_id": "search/acme/0"}
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(connect(face).select, "SELECT 1 AS slow", None, same)
        time.sleep(0.5)
        with pytest.raises(WarehouseRefusedError) as refused:
            connect(face, user=READER).select("SELECT 2 AS other", None, same)
        assert refused.value.engine_code == 216
        assert warehouse.select("SELECT 3 AS n", None, {"query_id": "search/acme/1"}).whole("n") == 3
        assert first.result().whole("slow") == 1
    assert warehouse.select("SELECT 4 AS n", None, same).whole("n") == 4


def test_an_id_is_free_again_after_its_query_failed(warehouse: Warehouse) -> None:
    for _ in range(2):
        with pytest.raises(WarehouseRefusedError) as refused:
            warehouse.select("SELECT * FROM nowhere", None, {"query_id": "fails"})
        assert refused.value.engine_code == 60


def test_a_user_whose_profile_is_read_only_can_neither_write_nor_leave_it(
    face: Face, warehouse: Warehouse
) -> None:
    reader = connect(face, user=READER)
    assert reader.select("SELECT count() AS n FROM rows", None, {"readonly": 2}).whole("n") == 0
    with pytest.raises(WarehouseBusyError) as refused:
        reader.command("INSERT INTO rows VALUES (1, 'a')")
    assert refused.value.engine_code == 164
    signed_in = {"X_ClickHouse_User": READER, "X_ClickHouse_Key": PASSWORD}
    for name in ("0", "1"):
        assert code_of(curl(face, f"/?readonly={name}", b"SELECT 1", **signed_in)) == "164"
    assert count(warehouse) == 0


def test_no_spooled_body_stays(face: Face, warehouse: Warehouse) -> None:
    warehouse.insert(INSERT + "FORMAT JSONEachRow", frames(range(3)), {})
    assert list((face.directory / "spool").iterdir()) == []


def test_curl_asks_in_the_url_and_may_not_write_by_get(face: Face) -> None:
    answer = curl(face, "/?query=SELECT+1")
    assert (answer.status_code, answer.text) == (200, "1\n")
    assert answer.headers["X-ClickHouse-Format"] == "TabSeparated"
    assert answer.headers["X-ClickHouse-Timezone"] == "UTC"
    refused = curl(face, "/?query=CREATE+TABLE+by_get+(a+Int8)+ENGINE=Memory")
    assert (refused.status_code, code_of(refused)) == (500, "164")


def test_curl_sends_rows_plain_and_gets_their_number(face: Face, warehouse: Warehouse) -> None:
    answer = curl(face, "/?query=INSERT+INTO+rows+FORMAT+CSV", b'1,"a;b"\n2,"file(x)"\n')
    assert answer.status_code == 200
    assert json.loads(answer.headers["X-ClickHouse-Summary"])["written_rows"] == "2"
    assert count(warehouse) == 2


@pytest.mark.parametrize(
    ("statement", "status", "code"),
    [
        (b"SELEC 1", 400, "62"),
        (b"SELECT * FROM nowhere", 404, "60"),
        (b"SELECT * FROM nowhere.rows", 404, "81"),
        (b"SELECT 1 SETTINGS nonsense = 1", 404, "115"),
        (b"SELECT throwIf(1)", 500, "395"),
        (b"SELECT * FROM file('/etc/hosts', 'LineAsString')", 500, "497"),
    ],
)
def test_exceptions_have_clickhouse_s_status_and_code(
    face: Face, statement: bytes, status: int, code: str
) -> None:
    answer = curl(face, "/", statement)
    assert (answer.status_code, code_of(answer)) == (status, code)
    assert answer.text.startswith(f"Code: {code}. DB::Exception: ")


def test_credentials_come_in_headers_too(face: Face) -> None:
    good = {"X_ClickHouse_User": "default", "X_ClickHouse_Key": ""}
    assert curl(face, "/", b"SELECT currentDatabase()", **good).text == f"{DATABASE}\n"
    refused = curl(face, "/", b"SELECT 1", X_ClickHouse_User=USER, X_ClickHouse_Key="wrong")
    assert (refused.status_code, code_of(refused)) == (403, "516")


def test_what_was_committed_survives_kill_9(face: Face, warehouse: Warehouse) -> None:
    warehouse.insert(INSERT + "FORMAT JSONEachRow", frames(range(100)), IN_ONE_BLOCK)
    warehouse.close()
    face.end(signal.SIGKILL)
    face.start()
    assert count(warehouse) == 100
