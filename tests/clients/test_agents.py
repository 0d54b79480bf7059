"""Agents of Debian and of Fluentd's forward protocol, with the configuration of their pages."""

import json
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgpack
import pytest

from tests.clients.debian import libraries, modules, program
from tests.clients.programs import run_python
from tests.clients.refusing_proxy import refusing
from tests.clients.rows import accounts, columns, new_run, stored
from tests.integration.stack import RunningStack, bearer

PAGES = Path(__file__).parents[2] / "docs" / "clients"
SYSLOG_NG, HTTP_MODULE = program("syslog-ng"), modules("libhttp.so")
JOURNAL_UPLOAD, JOURNAL_REMOTE = program("systemd-journal-upload"), program("systemd-journal-remote")
COUNT = 1000
OPTIONS = "options { keep-hostname(yes); };"

ROWS = (
    "SELECT tenant_id, service, level, message, metadata FROM events WHERE startsWith(message, {run:String}) "
    "ORDER BY toUInt32OrZero(splitByChar(' ', message)[-1])"
)


def of_run(stack: RunningStack, run: str) -> list[dict[str, str]]:
    stack.wait_until_settled()
    return stack.rows(ROWS, run=run)


@pytest.mark.skipif(not (SYSLOG_NG and HTTP_MODULE), reason="needs syslog-ng-mod-http: `make clients-debian`")
def test_syslog_ng_ships_a_file_by_the_configuration_of_its_page(stack: RunningStack, tmp_path: Path) -> None:
    for tenant, key in accounts(stack):
        run, folder = new_run("syslog-ng"), tmp_path / tenant
        folder.mkdir()
        (folder / "shipped.log").write_text(
            "".join(
                f"<{8 + number % 8}>Nov 29 10:00:00 host shop[42]: {run} {number}\n"
                for number in range(COUNT)
            )
        )
        page = (PAGES / "syslog-ng.md").read_text().split("```\n", 2)[1]
        page = page.replace("YOUR-KEY", key).replace("time-reopen(10)", "time-reopen(1)")
        source = f'source s_src {{ file("{folder}/shipped.log" follow-freq(1)); }};'
        with refusing(stack.api, {0: 429, 1: 503}) as proxy:
            page = page.replace("https://YOUR-ENDPOINT", proxy.url)
            (folder / "syslog-ng.conf").write_text(f"@version: 3.35\n{OPTIONS}\n{source}\n{page}")
            with syslog_ng(folder):
                deadline = time.monotonic() + 60
                while len(of_run(stack, run)) < COUNT and time.monotonic() < deadline:
                    time.sleep(0.5)
            assert proxy.refused == [429, 503]
        rows = of_run(stack, run)
        assert [row["message"] for row in rows] == [f"{run} {number}" for number in range(COUNT)]
        assert {(row["tenant_id"], row["service"]) for row in rows} == {(tenant, "shop")}
        levels = ["fatal", "fatal", "fatal", "error", "warn", "info", "info", "debug"]
        assert [row["level"] for row in rows[:8]] == levels
        assert json.loads(rows[0]["metadata"])["procid"] == "42"


@contextmanager
def syslog_ng(folder: Path) -> Iterator[None]:
    """Run syslog-ng in the foreground, with all its files in `folder`."""
    command = [str(SYSLOG_NG), "--foreground", "--no-caps", f"--module-path={HTTP_MODULE}"]
    command += [f"--cfgfile={folder}/syslog-ng.conf", f"--persist-file={folder}/persist"]
    command += [f"--pidfile={folder}/pid", f"--control={folder}/control"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=libraries())
    try:
        time.sleep(1)
        assert process.poll() is None, (folder / "log").read_text()
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.mark.skipif(
    not (JOURNAL_UPLOAD and JOURNAL_REMOTE), reason="needs systemd-journal-remote: `make clients-debian`"
)
def test_systemd_journal_upload_ships_a_journal(stack: RunningStack, tmp_path: Path) -> None:
    url = re.search(r"^URL=(.*)$", (PAGES / "journald.md").read_text(), re.MULTILINE)
    assert url
    for tenant, key in accounts(stack):
        run = new_run("journal")
        journal = tmp_path / f"{tenant}.journal"
        write_journal(journal, run)
        address = url[1].replace("https://", "http://").replace("YOUR-KEY", key)
        address = address.replace("YOUR-ENDPOINT", stack.api.partition("://")[2])
        command = [str(JOURNAL_UPLOAD), f"--url={address}", f"--file={journal}", "--follow=no"]
        command.append(f"--save-state={tmp_path}/{tenant}.state")
        ended = subprocess.run(
            command, env=libraries(), capture_output=True, text=True, timeout=60, check=False
        )
        assert ended.returncode == 0, ended.stderr
        rows = of_run(stack, run)
        assert [row["message"] for row in rows] == [f"{run} {number}" for number in range(COUNT)]
        assert {(row["tenant_id"], row["service"], row["level"]) for row in rows} == {
            (tenant, "shop", "warn")
        }
        assert json.loads(rows[5]["metadata"])["ORDER"] == "5"


def write_journal(path: Path, run: str) -> None:
    """A journal of COUNT entries, made by systemd from its export format."""
    entries = "".join(
        f"__REALTIME_TIMESTAMP={1_795_946_400_000_000 + number}\n__MONOTONIC_TIMESTAMP={number + 1}\n"
        f"_BOOT_ID={'1' * 32}\nMESSAGE={run} {number}\nPRIORITY=4\nSYSLOG_IDENTIFIER=shop\nORDER={number}\n\n"
        for number in range(COUNT)
    )
    command = [str(JOURNAL_REMOTE), f"--output={path}", "-"]
    subprocess.run(
        command, input=entries, env=libraries(), capture_output=True, text=True, timeout=60, check=True
    )


def test_records_of_fluent_logger_arrive_through_a_forwarder(stack: RunningStack) -> None:
    """fluent-logger speaks the forward protocol over TCP only: Fluentd or Fluent Bit sends on what it gets.

    The forwarder here is this test: `[tag, time, record]` in, `[time, record]` out, as Fluent Bit's `http`
    output with `format msgpack`. The time stays the client's EventTime, to the nanosecond.
    """
    for tenant, key in accounts(stack):
        run = new_run("fluent")
        with socket.create_server(("127.0.0.1", 0)) as server:
            received: list[bytes] = []
            thread = threading.Thread(target=receive, args=(server, received))
            thread.start()
            address = {"HOST": "127.0.0.1", "PORT": str(server.getsockname()[1])}
            assert run_python("fluent_forward", RUN=run, COUNT=str(COUNT), **address) == {"sent": COUNT}
            thread.join(timeout=20)
        unpacker = msgpack.Unpacker(ext_hook=msgpack.ExtType)
        unpacker.feed(b"".join(received))
        events = [(tag, moment, record) for tag, moment, record in unpacker]
        assert {tag for tag, _, _ in events} == {"shop.cart"}
        assert {moment.code for _, moment, _ in events} == {0}
        body = b"".join(msgpack.packb([moment, record]) for _, moment, record in events)
        headers = {**bearer(key), "content-type": "application/msgpack"}
        assert httpx.post(f"{stack.api}/v1/drain", content=body, headers=headers).status_code == 202
        rows = stored(stack, run, COUNT)
        assert [row["message"] for row in rows] == [f"line {number}" for number in range(COUNT)]
        assert columns(rows) == {(tenant, "", "warn")}


def receive(server: socket.socket, received: list[bytes]) -> None:
    """All bytes of one connection."""
    server.settimeout(60)
    connection, _ = server.accept()
    with connection:
        while data := connection.recv(65_536):
            received.append(data)


@pytest.mark.parametrize("form", ["datasets", "edge"])
def test_axiom_py_stores_each_event_through_refusals(stack: RunningStack, form: str) -> None:
    for tenant, key in accounts(stack):
        run = new_run("axiom")
        with refusing(stack.api, {0: 503, 2: 503}) as proxy:
            found = run_python("axiom", URL=proxy.url, KEY=key, RUN=run, COUNT=str(COUNT), FORM=form)
            assert proxy.refused == [503, 503]
        assert found["ingested"] == [COUNT // 2, COUNT // 2]
        assert (found["failed"], found["errors"]) == ([0, 1], ["event 500"])
        assert found["bytes"] > COUNT * 50
        rows = stored(stack, run, COUNT)
        assert [row["message"] for row in rows] == [f"line {number}" for number in range(COUNT)]
        assert columns(rows) == {(tenant, "shop", "warn")}
        assert [row["timestamp"] for row in rows[::500]] == [
            "2026-11-29 10:00:00.000000000",
            "2026-11-29 10:00:00.500000000",
        ]
        assert json.loads(rows[7]["metadata"])["dataset"] == "shop"


def test_axiom_pys_handler_stores_each_record_with_its_time(stack: RunningStack) -> None:
    for tenant, key in accounts(stack):
        run = new_run("axiom")
        found = run_python("axiom_handler", URL=stack.api, KEY=key, RUN=run, COUNT=str(COUNT))
        rows = stored(stack, run, COUNT)
        assert [row["message"] for row in rows] == [f"line {number}" for number in range(COUNT)]
        assert columns(rows) == {(tenant, "shop", "error")}
        times = [row["timestamp"] for row in rows]
        assert times == sorted(times)
        assert found["first"] <= times[0] <= times[-1] <= found["last"]


def test_axiom_py_reports_a_wrong_key_and_csv(stack: RunningStack) -> None:
    for _, key in accounts(stack):
        run = new_run("axiom")
        wrong, csv = run_python("axiom_refused", URL=stack.api, KEY=key, RUN=run)
        assert (wrong["status"], csv["status"]) == (401, 400)
        assert "API key" in wrong["text"]
        assert "CSV is not accepted" in csv["text"]
        assert of_run(stack, run) == []
