"""Log lines that are metrics as well: in CloudWatch's embedded format, and only where there is something."""

import json

import pytest

from functions.shared.journal import measure, write


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    (line,) = capsys.readouterr().out.splitlines()
    entry: dict[str, object] = json.loads(line)
    return entry


def declared(entry: dict[str, object]) -> list[dict[str, str]]:
    (directive,) = entry["_aws"]["CloudWatchMetrics"]  # type: ignore[index]
    assert (directive["Namespace"], directive["Dimensions"]) == ("AstraLog", [["Function"]])
    metrics: list[dict[str, str]] = directive["Metrics"]
    return metrics


def test_what_is_measured_is_in_the_line_and_what_is_not_zero_is_a_metric(
    capsys: pytest.CaptureFixture[str],
) -> None:
    measure("sync", {"Rows": (3, "Count"), "Failed": (0, "Count"), "LoadMs": (0, "Milliseconds")}, attempt=1)
    entry = told(capsys)
    assert declared(entry) == [
        {"Name": "Rows", "Unit": "Count"},
        {"Name": "LoadMs", "Unit": "Milliseconds"},
    ], "a load of no milliseconds is one of the loads that a mean is taken of"
    assert (entry["Function"], entry["Rows"], entry["Failed"], entry["LoadMs"]) == ("sync", 3, 0, 0)
    assert entry["attempt"] == 1


def test_where_all_is_zero_there_is_no_metric_to_pay_for(capsys: pytest.CaptureFixture[str]) -> None:
    measure("retention", {"PurgesFailed": (0, "Count"), "OldestSeconds": (0.0, "Seconds")})
    assert told(capsys) == {"Function": "retention", "PurgesFailed": 0, "OldestSeconds": 0.0}


@pytest.mark.parametrize("field", ["message", "email", "password"])
def test_a_field_that_is_not_on_the_list_is_refused(field: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match=field):
        measure("sync", {"Rows": (1, "Count")}, **{field: "x"})
    with pytest.raises(ValueError, match=field):
        write("something", **{field: "x"})
    assert capsys.readouterr().out == ""
