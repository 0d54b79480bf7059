"""The pure parts of what is checked at the end."""

import json

import pytest

from rehearsal.alarms import Metric, logged_metrics, meaning
from rehearsal.checks import differences
from rehearsal.triggers import matches


def test_rows_stored_once_are_no_difference() -> None:
    assert differences("ada", ["a", "b", "a"], ["a", "a", "b"]) == []


@pytest.mark.parametrize(
    ("stored", "missing", "more"), [(["a"], 1, 0), (["a", "b", "b"], 0, 1), (["a", "c"], 1, 1)]
)
def test_missing_and_doubled_rows_are_counted(stored: list[str], missing: int, more: int) -> None:
    assert differences("ada", ["a", "b"], stored) == [f"ada: {missing} rows are missing, {more} are too many"]


API = "arn:aws:execute-api:us-east-1:000000000000:0a1b2c3d"


@pytest.mark.parametrize(
    ("pattern", "arn", "expected"),
    [
        (f"{API}/*/POST/v1/drain", f"{API}/$default/POST/v1/drain", True),
        (f"{API}/*/*/v1/keys/{{id}}/rotate", f"{API}/$default/POST/v1/keys/{{id}}/rotate", True),
        (f"{API}/*", f"{API}/$default/GET/health", True),
        (f"{API}/*/POST/v1/drain", f"{API}/$default/POST/v1/search", False),
        (f"{API}/*/POST/v1/drain", f"{API}/$default/POST/v1/drain/more", False),
        (f"{API}/?default/POST/v1/drain", f"{API}/$default/POST/v1/drain", True),
    ],
)
def test_a_source_matches_the_pattern_of_a_permission(pattern: str, arn: str, expected: bool) -> None:
    assert matches(pattern, arn) == expected


def test_metrics_are_read_from_log_lines_and_other_lines_are_not() -> None:
    names = [{"Name": "LoadedRows", "Unit": "Count"}, {"Name": "LoadMs", "Unit": "Milliseconds"}]
    block = {"Namespace": "AstraLog", "Dimensions": [["Function"]], "Metrics": names}
    line = {"_aws": {"CloudWatchMetrics": [block]}, "Function": "sync", "LoadedRows": 3, "LoadMs": [1, 2]}
    dimensions = frozenset({("Function", "sync")})
    rows, ms = (Metric("AstraLog", name, dimensions) for name in ("LoadedRows", "LoadMs"))
    found = list(logged_metrics(["START RequestId: 1", json.dumps(line), '{"event": "x"}']))
    assert found == [(rows, 3.0), (ms, 1.0), (ms, 2.0)]


@pytest.mark.parametrize(
    ("metric", "value", "expected"),
    [("Warning", 9.0, "QuarantinedRows"), ("Warning", 19.0, "Warning"), ("5xx", 9.0, "5xx")],
)
def test_the_number_of_a_warning_stands_for_the_metric_of_its_alarms_text(
    metric: str, value: float, expected: str
) -> None:
    text = "Late or lost: 8 BrokenBatches of sync, 9 QuarantinedRows of sync, 10 DroppedDead of queue-check"
    assert meaning(text, metric, value) == expected
