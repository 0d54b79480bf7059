import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from local.demo.client import ApiError, Client
from local.demo.figures import Figures
from local.demo.machine import MAX_LINE_CHARACTERS, machine_sources
from local.demo.own_lines import own_source
from local.demo.shop import DECLINED, shop_source
from local.demo.verification import Missing, wait_until_stored

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_newest_of_the_machines_lines_are_read_up_to_the_limit(tmp_path: Path) -> None:
    write(tmp_path, "dpkg.log", "one\ntwo\n\nthree\n")
    write(tmp_path, "apt/term.log", "four\nfive\n")
    sources = machine_sources(4, NOW, tmp_path)
    messages = [[event["message"] for event in source.events] for source in sources]
    assert messages == [["one", "two", "three"], ["five"]]
    assert sources[0].origin == str(tmp_path / "dpkg.log")


def test_a_machine_without_readable_logs_has_no_lines(tmp_path: Path) -> None:
    (tmp_path / "syslog").mkdir()
    assert machine_sources(10, NOW, tmp_path) == []


def test_a_line_without_a_time_has_that_of_the_line_before(tmp_path: Path) -> None:
    write(tmp_path, "dpkg.log", "before\n2026-10-16 23:03:12 installed\nunpacking\n")
    first, second, third = machine_sources(10, NOW, tmp_path)[0].events
    assert "timestamp" not in first
    moment = datetime(2026, 10, 16, 23, 3, 12).astimezone()
    assert datetime.fromisoformat(second["timestamp"]) == moment
    assert third["timestamp"] == second["timestamp"]


@pytest.mark.parametrize("time", ["2027-01-01 00:00:00", "1970-01-01 00:00:00", "2026-13-01 00:00:00"])
def test_a_time_no_clock_could_have_said_is_left_out(tmp_path: Path, time: str) -> None:
    write(tmp_path, "syslog", f"{time} started\n")
    assert "timestamp" not in machine_sources(10, NOW, tmp_path)[0].events[0]


def test_a_line_that_speaks_of_failure_is_an_error_and_a_long_one_is_cut(tmp_path: Path) -> None:
    write(tmp_path, "syslog", f"unit failed\nwarning: old\nfine\n{'x' * 5000}\n")
    events = machine_sources(10, NOW, tmp_path)[0].events
    assert [event["level"] for event in events] == ["error", "warn", "info", "info"]
    assert len(events[3]["message"]) == MAX_LINE_CHARACTERS


def test_the_shop_logs_the_same_for_the_same_seed() -> None:
    assert shop_source(500, NOW, seed=1).events == shop_source(500, NOW, seed=1).events
    assert shop_source(500, NOW, seed=1).events != shop_source(500, NOW, seed=2).events


def test_the_shops_lines_are_of_the_last_hour_in_order() -> None:
    times = [datetime.fromisoformat(event["timestamp"]) for event in shop_source(1000, NOW).events]
    assert times == sorted(times)
    assert NOW - timedelta(hours=1) <= times[0]
    assert times[-1] <= NOW


def test_the_shop_has_declined_payments_however_few_its_lines() -> None:
    assert any(DECLINED in event["message"] for event in shop_source(500, NOW).events)


def test_only_structured_lines_of_the_stack_are_taken(tmp_path: Path) -> None:
    measured = json.dumps({"_aws": {"Timestamp": 5}, "Function": "sync", "LoadedRows": 3})
    written = json.dumps({"event": "purged", "at_ms": 7, "rows": 2})
    write(tmp_path, "sync.log", f"{measured}\nTraceback\n[1]\n{written}\n{measured[:20]}")
    events = own_source(tmp_path, 10).events
    assert [event["message"] for event in events] == [measured, written]
    assert [event["timestamp"] for event in events] == [5, 7]
    assert events[0]["metadata"] == {"Function": "sync", "LoadedRows": 3}


def line(message: str) -> dict[str, Any]:
    return {"message": message, "service": "s", "metadata": {"a": 1}}


def test_equal_lines_are_found_one_by_one_and_altered_or_strange_ones_not_at_all() -> None:
    missing = Missing([line("a"), line("a"), line("b")])
    assert missing.strike([line("a"), line("c")]) == 1
    assert missing.strike([line("a"), line("a")]) == 1
    assert missing.strike([{**line("b"), "metadata": {"a": "1"}}]) == 0


def test_waiting_ends_when_all_is_stored_and_shows_each_growth() -> None:
    counts, growth = iter([0, 2, None, 2, 5]), list[int]()
    assert wait_until_stored(lambda: next(counts), 5, growth.append) == 5
    assert growth == [2, 3]


GOOD = Figures({}, 10, 10, 0, 10, 10, 1, 0, 99, 1.0, 2.0, 1.0, 4.0, {"errors": 3})


def test_figures_that_agree_are_complete() -> None:
    assert GOOD.as_json()["complete"] is True
    assert GOOD.synced_a_second == 5


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"accepted": 9}, "10 lines were sent, but 9 accepted"),
        ({"stored": 11}, "10 lines were sent, but 11 stored"),
        ({"found": 9}, "10 lines were sent, but 9 found"),
        ({"searches": {"errors": 0}}, "the search 'errors' found nothing"),
    ],
)
def test_figures_that_differ_say_which(changed: dict[str, Any], says: str) -> None:
    assert replace(GOOD, **changed).differences == [says]


@contextmanager
def server(*answers: tuple[int, dict[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Answers each request with the next of `answers`; gives its address and the keys it was sent."""
    left, keys = list(answers), list[str]()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            keys.append(self.headers["Idempotency-Key"])
            status, headers = left.pop(0)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b'{"accepted": 1}')

        log_message: Callable[..., None] = staticmethod(lambda *_: None)

    with HTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}", keys
        finally:
            listening.shutdown()
            thread.join()


def test_a_rejected_request_is_sent_again_after_its_retry_after(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    with server((429, {"Retry-After": "2"}), (503, {}), (202, {})) as (address, keys):
        client = Client(address, "key")
        assert client.post("/v1/drain", b"{}", {"Idempotency-Key": "k"}) == {"accepted": 1}
    assert [pause for pause in pauses if pause >= 0.5] == [2, 0.5]
    assert keys == ["k", "k", "k"]
    assert client.retries == 2


def test_a_request_refused_for_good_is_not_sent_again() -> None:
    with server((401, {})) as (address, keys), pytest.raises(ApiError, match="401"):
        Client(address, "key").post("/v1/drain", b"{}", {})
    assert len(keys) == 1
