"""What the benchmarks against VictoriaLogs need no server for."""

import json
from pathlib import Path

import pytest

from bench.events import ndjson
from bench.peer_answers import our_buckets, our_rows, our_times, their_buckets, their_rows, their_times
from bench.victorialogs import VARIABLE, as_sent, binary, pending_work


def test_without_the_variable_there_is_no_peer() -> None:
    assert binary({}) is None
    assert binary({VARIABLE: ""}) is None


def test_the_variable_names_an_executable_file(tmp_path: Path) -> None:
    program = tmp_path / "victoria-logs"
    for wrong in (program, tmp_path):
        with pytest.raises(RuntimeError, match="is no executable file"):
            binary({VARIABLE: str(wrong)})
    program.write_text("")
    with pytest.raises(RuntimeError, match="is no executable file"):
        binary({VARIABLE: str(program)})
    program.chmod(0o755)
    assert binary({VARIABLE: str(program)}) == program


def test_an_event_as_sent_has_all_fields_but_ours() -> None:
    staged = ndjson(250, "acme")
    sent = as_sent(staged)
    rows, events = (list(map(json.loads, each.splitlines())) for each in (staged, sent))
    assert len(events) == len(rows) == 250
    for row, event in zip(rows, events, strict=True):
        assert event["timestamp"] == row["timestamp"].replace(" ", "T") + "Z"
        ours = {"tenant_id", "received_at", "object_id", "position", "timestamp"}
        assert event == {
            "timestamp": event["timestamp"],
            **{name: value for name, value in row.items() if name not in ours},
        }


def test_work_is_pending_while_rows_are_in_memory_or_merged() -> None:
    idle = (
        "vl_active_force_merges 0\n"
        'vl_active_merges{type="storage/inmemory"} 0\n'
        'vl_active_merges{type="storage/small"} 0\n'
        'vl_storage_rows{type="storage/inmemory"} 0\n'
        'vl_storage_rows{type="storage/small"} 600000\n'
    )
    assert pending_work(idle) == 0
    for name in ("vl_active_force_merges", '{type="storage/small"}', 'rows{type="storage/inmemory"}'):
        assert pending_work(idle.replace(f"{name} 0", f"{name} 7")) == 7


def test_times_of_both_are_comparable_and_newest_first() -> None:
    ours = {"events": [{"timestamp": f"2026-11-07T00:00:0{second}Z"} for second in ("2.5", "1")]}
    theirs = b'{"_time":"2026-11-07T00:00:01Z"}\n{"_time":"2026-11-07T00:00:02.500Z"}\n'
    times = ["2026-11-07T00:00:02.500000000Z", "2026-11-07T00:00:01.000000000Z"]
    assert our_times(json.dumps(ours).encode()) == times == their_times(theirs)


def test_buckets_of_both_are_comparable() -> None:
    starts = ["2026-11-07T00:00:00.000000000Z", "2026-11-07T00:01:00.000000000Z"]
    ours = {"starts": starts, "series": [{"value": "info", "counts": [3, 0]}]}
    theirs = {"hits": [{"fields": {"level": "info"}, "timestamps": ["2026-11-07T00:00:00Z"], "values": [3]}]}
    counts = {(starts[0], "info"): 3}
    assert our_buckets(json.dumps(ours).encode()) == counts == their_buckets(json.dumps(theirs).encode())


def test_rows_of_both_are_comparable_in_any_order() -> None:
    ours = {"rows": [["web", 2], ["api", 10]]}
    theirs = b'{"service":"web","hits":"2","rank":"2"}\n{"service":"api","hits":"10"}\n'
    rows = [("api", "10"), ("web", "2")]
    assert our_rows(json.dumps(ours).encode()) == rows == their_rows(theirs, ("service", "hits"))
