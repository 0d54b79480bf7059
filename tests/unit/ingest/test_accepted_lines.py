"""The log lines of accepted requests: fewer than requests, and the same metrics."""

import json
from collections import Counter
from typing import Any

import pytest

from functions.ingest import metrics
from functions.ingest.accept import Accepted
from functions.ingest.metrics import MAX_REQUESTS_A_LINE, AcceptedLines
from functions.ingest.protocols.contract import IngestResult
from functions.shared.access import principal
from functions.shared.errors import SettingsError
from infra.cost.usage import CLOUDWATCH_BYTES, LOG_BYTES
from infra.topology import function
from tests.integration.http_events import drain_event

REQUESTS = 1_000

DEPLOYED = int(function("ingest").settings["requests_a_line"])

SUMS = ("AcceptedEvents", "RejectedEvents", "AcceptedBytes")

Lines = list[dict[str, Any]]


class Clock:
    """The monotonic clock of the lines, in seconds."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(metrics, "time", made)
    return made


def add(lines: AcceptedLines, number: int, tenant: str = "acme") -> None:
    """One request with 100 events, `number` of which are bad."""
    result = IngestResult(1)
    result.rows, result.rejected = 100 - number % 3, number % 3
    key = f"staging/v1/{tenant}/2026/11/30/09/019ade5c-7e6f-7000-8000-{number:012}-97-42100.zst"
    lines.add(Accepted(result, raw_bytes=42_100), principal(drain_event(b"", tenant=tenant)), key, number)


def log_lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def sums(lines: Lines) -> dict[str, float]:
    return {name: sum(line[name] for line in lines) for name in SUMS}


def durations(lines: Lines) -> Counter[float]:
    found = (line["RequestMs"] for line in lines)
    return Counter(ms for each in found for ms in (each if isinstance(each, list) else [each]))


@pytest.mark.usefixtures("clock")
def test_a_thousand_requests_have_a_tenth_of_the_lines_and_the_same_metrics(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for number in range(REQUESTS):
        add(AcceptedLines(), number)
    each = log_lines(capsys)
    few = AcceptedLines(DEPLOYED)
    for number in range(REQUESTS):
        add(few, number)
    fewer = log_lines(capsys)

    assert (len(each), len(fewer)) == (1_000, 109)
    assert sums(fewer) == sums(each)
    assert durations(fewer) == durations(each)


@pytest.mark.usefixtures("clock")
def test_the_bill_counts_the_bytes_of_the_lines(capsys: pytest.CaptureFixture[str]) -> None:
    lines = AcceptedLines(DEPLOYED)
    for number in range(REQUESTS):
        add(lines, number)
    output = capsys.readouterr().out

    billed = len(output) - output.count("\n") + CLOUDWATCH_BYTES * output.count("\n")
    assert billed / REQUESTS == pytest.approx(LOG_BYTES["ingest"], rel=0.05)


@pytest.mark.usefixtures("clock")
def test_a_line_of_one_request_names_its_tenant_and_object_and_a_line_of_several_names_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = AcceptedLines(3)
    for number, tenant in enumerate(("acme", "globex") * 7):
        add(lines, number, tenant)
    *own, together = log_lines(capsys)

    assert [line["tenant_id"] for line in own] == ["acme", "globex"] * 5
    assert all(f"/{line['tenant_id']}/" in line["key"] for line in own)
    assert together.keys() & {"tenant_id", "key"} == set()
    assert together["RequestMs"] == [10, 11, 12]


def test_requests_of_the_last_minute_are_in_the_first_line_of_the_next(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = AcceptedLines(2)
    for number in range(11):
        add(lines, number)
    log_lines(capsys)
    clock.now += metrics.PERIOD_SECONDS
    add(lines, 11, "globex")
    add(lines, 12, "globex")

    late, own = log_lines(capsys)
    assert late["RequestMs"] == [10, 11]
    assert "tenant_id" not in late
    assert (own["RequestMs"], own["tenant_id"]) == (12, "globex")


@pytest.mark.usefixtures("clock")
def test_a_line_has_no_more_values_than_cloudwatch_accepts(capsys: pytest.CaptureFixture[str]) -> None:
    lines = AcceptedLines(MAX_REQUESTS_A_LINE)
    for number in range(2 * MAX_REQUESTS_A_LINE):
        add(lines, number)

    assert len(log_lines(capsys)[-1]["RequestMs"]) == 100


@pytest.mark.parametrize("requests", [0, -1, MAX_REQUESTS_A_LINE + 1])
def test_a_number_of_requests_out_of_bounds_is_rejected(requests: int) -> None:
    with pytest.raises(SettingsError, match="ASTRALOG_REQUESTS_A_LINE"):
        AcceptedLines(requests)
