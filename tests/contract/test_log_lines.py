"""Log lines and metrics: the light writer of ingest and the authorizer writes what Powertools writes."""

import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from functions.shared import journal
from functions.shared.journal import LightWriter, LineWriter
from functions.shared.powertools import SERVICE, PowertoolsWriter, instrumented
from functions.shared.secret_text import SecretText

NOW_NS = 1_795_950_000_123_000_000
WRITERS = {"light": LightWriter, "powertools": PowertoolsWriter}

Lines = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def _same_time_and_lambdas_trace(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lambda sets a trace id for each invocation; Powertools would add it to each line."""
    monkeypatch.setattr(journal.time, "time_ns", lambda: NOW_NS)
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1")
    before = journal._writer
    yield
    journal.use(before)


@pytest.fixture(params=WRITERS)
def writer(request: pytest.FixtureRequest) -> None:
    journal.use(WRITERS[request.param]())


by_both_writers = pytest.mark.usefixtures("writer")


def lines_of(capsys: pytest.CaptureFixture[str]) -> Lines:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def some_lines(writer: LineWriter) -> None:
    journal.use(writer)
    journal.write("purged", tenant_id="acme", rows=3, expires_on="2026-11-29")
    journal.write("true", tenant_id="globex", reason="the key “ä\ud800”", duration_ms=0.5)
    journal.measure("sync", {"Rows": (3, "Count"), "Failed": (0, "Count")}, tenant_id="acme")
    journal.measure("sync", {"LoadMs": (0, "Milliseconds"), "Bytes": (1.5, "Bytes")}, tenant_id="globex")
    journal.measure("retention", {"PurgesFailed": (0, "Count")}, tenant_id="acme")
    journal.measure("ingest", {"RequestMs": ([0, 7.5, 7.5], "Milliseconds")})
    with journal.bound("req-1"):
        journal.write("purged", tenant_id="acme")
        journal.measure("sync", {"Rows": (1, "Count")}, tenant_id="globex")


def test_both_writers_write_the_same_lines(capsys: pytest.CaptureFixture[str]) -> None:
    some_lines(LightWriter())
    light = lines_of(capsys)
    some_lines(PowertoolsWriter())
    powertools = lines_of(capsys)

    assert len(light) == 8
    assert light[5]["RequestMs"] == [0, 7.5, 7.5]
    assert _without_times(powertools) == _without_times(light)


@by_both_writers
def test_a_line_has_the_event_its_time_and_the_fields_in_this_order(
    capsys: pytest.CaptureFixture[str],
) -> None:
    journal.write("purged", tenant_id="acme", rows=3)
    journal.write("purged", tenant_id="globex", rows=4)

    assert capsys.readouterr().out.splitlines() == [
        '{"event":"purged","at_ms":1795950000123,"tenant_id":"acme","rows":3}',
        '{"event":"purged","at_ms":1795950000123,"tenant_id":"globex","rows":4}',
    ]


@by_both_writers
def test_a_metric_has_the_dimension_function_only_and_a_zero_is_no_metric(
    capsys: pytest.CaptureFixture[str],
) -> None:
    journal.measure("sync", {"Rows": (3, "Count"), "Failed": (0, "Count")}, tenant_id="acme")
    journal.measure("sync", {"Failed": (0, "Count")}, tenant_id="globex")
    first, second = lines_of(capsys)

    assert first["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "AstraLog",
            "Dimensions": [["Function"]],
            "Metrics": [{"Name": "Rows", "Unit": "Count"}],
        }
    ]
    assert {name: value for name, value in first.items() if name != "_aws"} == {
        "Function": "sync",
        "Rows": 3,
        "Failed": 0,
        "tenant_id": "acme",
    }
    assert second == {"Function": "sync", "Failed": 0, "tenant_id": "globex"}


@by_both_writers
def test_a_zero_duration_is_a_metric_because_means_are_taken_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    journal.measure("sync", {"Failed": (0, "Count"), "LoadMs": (0, "Milliseconds")}, tenant_id="acme")
    (entry,) = lines_of(capsys)

    (directive,) = entry["_aws"]["CloudWatchMetrics"]
    assert directive["Metrics"] == [{"Name": "LoadMs", "Unit": "Milliseconds"}]
    assert (entry["LoadMs"], entry["Failed"]) == (0, 0)


@by_both_writers
@pytest.mark.parametrize("field", ["message", "email", "password", "service", "level"])
def test_a_field_that_is_not_on_the_list_raises_and_nothing_is_written(
    field: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match=field):
        journal.measure("sync", {"Rows": (1, "Count")}, **{field: "x"})
    with pytest.raises(ValueError, match=field):
        journal.write("something", **{field: "x"})

    assert capsys.readouterr().out == ""


@by_both_writers
def test_a_value_that_is_not_json_raises_and_is_not_written(
    capsys: pytest.CaptureFixture[str],
) -> None:
    secret: Any = SecretText("sk_live_1")

    with pytest.raises(TypeError):
        journal.write("something", reason=secret)
    with pytest.raises(TypeError):
        journal.measure("sync", {"Rows": (1, "Count")}, reason=secret)

    assert capsys.readouterr().out == ""


def test_the_formatter_rejects_what_loggers_own_methods_would_add(capsys: pytest.CaptureFixture[str]) -> None:
    """The list holds also for a direct use of Powertools' Logger."""
    logger = PowertoolsWriter().logger

    with pytest.raises(ValueError, match="email"):
        logger.info("signed_up", email="ada@example.com")
    fault = RuntimeError("the customer's payload")
    with pytest.raises(ValueError, match="exception"):
        logger.error("unexpected_error", exc_info=(RuntimeError, fault, None))
    logger.append_keys(password="hunter2")
    with pytest.raises(ValueError, match="password"):
        logger.info("signed_up")
    logger.remove_keys(["password"])

    assert capsys.readouterr().out == ""


@by_both_writers
def test_a_line_is_written_once_when_the_root_logger_writes_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    records: list[logging.LogRecord] = []
    root = logging.Handler()
    root.emit = records.append  # type: ignore[method-assign]
    logging.root.addHandler(root)
    try:
        journal.write("purged", tenant_id="acme")
        journal.write("purged", tenant_id="globex")
    finally:
        logging.root.removeHandler(root)

    assert [each["tenant_id"] for each in lines_of(capsys)] == ["acme", "globex"]
    assert [each for each in records if each.name == SERVICE] == []


@pytest.mark.parametrize("silence", [journal.silence_libraries, lambda: instrumented(print)])
def test_a_library_writes_no_information_where_lambda_lowers_the_level_of_the_root_logger(
    silence: Callable[[], object],
) -> None:
    """Lambda does with the log format JSON: botocore would log where it found its credentials."""
    library, before = logging.getLogger("some.library"), logging.root.level
    logging.root.setLevel(logging.INFO)
    try:
        assert library.isEnabledFor(logging.INFO)
        silence()
        assert library.getEffectiveLevel() == logging.WARNING
    finally:
        logging.root.setLevel(before)


@by_both_writers
def test_a_line_is_json_in_itself_so_that_lambda_passes_it_on_as_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lambda's JSON format wraps what its own handler of the root logger writes, and nothing else."""
    monkeypatch.setenv("AWS_LAMBDA_LOG_FORMAT", "JSON")
    monkeypatch.setenv("AWS_LAMBDA_LOG_LEVEL", "INFO")
    journal.write("purged", tenant_id="acme")
    journal.measure("sync", {"Rows": (3, "Count")}, tenant_id="globex")

    first, second = lines_of(capsys)
    assert first["event"] == "purged"
    assert second["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [{"Name": "Rows", "Unit": "Count"}]
    assert {"timestamp", "level", "message"} & {*first, *second} == set()


@by_both_writers
def test_lines_of_threads_do_not_mix(capsys: pytest.CaptureFixture[str]) -> None:
    def work(number: int) -> None:
        tenant = ("acme", "globex")[number % 2]
        journal.write("purged", tenant_id=tenant, count=number)
        journal.measure("sync", {"Rows": (number, "Count")}, tenant_id=tenant)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(1, 201)))

    entries = lines_of(capsys)
    assert sorted(each["count"] for each in entries if "event" in each) == [*range(1, 201)]
    assert sorted(each["Rows"] for each in entries if "_aws" in each) == [*range(1, 201)]


def test_each_line_of_a_request_has_its_id_and_no_line_after_it(capsys: pytest.CaptureFixture[str]) -> None:
    class Context:
        aws_request_id = "invocation-1"

    @instrumented
    def handler(event: dict[str, Any], _context: Any) -> None:
        journal.write("purged", tenant_id=event.get("tenant", "acme"))
        if "fails" in event:
            raise RuntimeError

    handler({}, Context())
    handler({"requestContext": {"requestId": "gateway-1"}, "tenant": "globex"}, Context())
    with pytest.raises(RuntimeError):
        handler({"fails": True}, Context())
    journal.write("purged", tenant_id="acme")

    assert [(each["tenant_id"], each.get("request_id")) for each in lines_of(capsys)] == [
        ("acme", "invocation-1"),
        ("globex", "gateway-1"),
        ("acme", "invocation-1"),
        ("acme", None),
    ]


def _without_times(lines: Lines) -> Lines:
    """Powertools reads another clock for the timestamp of metrics."""
    for each in lines:
        if "_aws" in each:
            assert each["_aws"].pop("Timestamp") > 0
    return lines
