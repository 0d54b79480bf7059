"""Clients that cannot be installed here: their requests as their source writes them, over a socket.

Each response is read by the client's own rule. So a batch is accepted once, sent again when a wait saves it,
and never sent again for a record that is rejected.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from functions.ingest import handler as ingesting
from functions.ingest.staging_writer import staging_unavailable
from functions.shared.errors import HttpError
from tests.contract.clients import acceptance
from tests.contract.clients.acceptance import Outcome, Rule
from tests.contract.clients.request_file import NAMES, read
from tests.contract.clients.socket_gateway import KEYS, SocketGateway
from tests.unit.ingest.protocols import InMemoryIngest

NANOSECONDS, MICROSECONDS, MILLISECONDS = "123456789", "123457000", "123000000"
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@dataclass(frozen=True)
class Contract:
    """A batch of two records. `fraction`: what is kept of a second. `row`: where the first differs."""

    rule: Rule
    fraction: str = NANOSECONDS
    row: Mapping[str, Any] = field(default_factory=dict)
    order: Any = 42


UNKNOWN = {"level": "info", "service": ""}
"""The client has no place for level and service."""

BATCHES: Mapping[str, Contract] = {
    "fluent-bit/http-json": Contract(acceptance.fluent_bit_http, MICROSECONDS),
    "fluent-bit/http-json-lines": Contract(acceptance.fluent_bit_http, MICROSECONDS),
    "fluent-bit/http-json-stream": Contract(acceptance.fluent_bit_http, MICROSECONDS),
    "fluent-bit/http-msgpack": Contract(acceptance.fluent_bit_http),
    "fluent-bit/http-msgpack-gzip": Contract(acceptance.fluent_bit_http),
    "fluent-bit/http-msgpack-zstd": Contract(acceptance.fluent_bit_http),
    "fluent-bit/es": Contract(acceptance.fluent_bit_es, MILLISECONDS),
    "fluent-bit/loki": Contract(acceptance.fluent_bit_loki, order="42"),
    "fluent-bit/splunk": Contract(acceptance.fluent_bit_splunk, MICROSECONDS),
    "vector/http-json": Contract(acceptance.vector_http),
    "vector/http-ndjson": Contract(acceptance.vector_http),
    "vector/elasticsearch": Contract(acceptance.vector_elasticsearch),
    "vector/loki": Contract(acceptance.vector_loki, order="42"),
    "vector/loki-json": Contract(acceptance.vector_loki, order="42"),
    "vector/splunk": Contract(acceptance.vector_splunk, MILLISECONDS),
    "vector/datadog": Contract(acceptance.vector_datadog, MILLISECONDS),
    "filebeat/bulk": Contract(acceptance.filebeat, MILLISECONDS),
    "logstash/elasticsearch-bulk": Contract(acceptance.logstash_elasticsearch),
    "logstash/http": Contract(acceptance.logstash_http),
    "docker/splunk-inline": Contract(acceptance.docker_splunk, MICROSECONDS, UNKNOWN, None),
    "docker/splunk-json": Contract(acceptance.docker_splunk, MICROSECONDS),
    "docker/splunk-raw": Contract(
        acceptance.docker_splunk, MICROSECONDS, {**UNKNOWN, "message": "3f2a disk full"}, None
    ),
    "alloy/loki": Contract(acceptance.alloy_loki, order="42"),
    "otel-collector/otlphttp": Contract(acceptance.collector_otlp, row={"trace_id": TRACE, "span_id": SPAN}),
    "otel-collector/otlphttp-json": Contract(
        acceptance.collector_otlp, row={"trace_id": TRACE, "span_id": SPAN}
    ),
    "otel-collector/elasticsearch": Contract(
        acceptance.collector_elasticsearch, row={"trace_id": TRACE, "span_id": SPAN}, order=None
    ),
    "otel-collector/loki": Contract(
        acceptance.collector_loki, row={"message": '{"body":"disk full","severity":"ERROR"}'}, order=None
    ),
    "otel-collector/splunk": Contract(
        acceptance.collector_splunk, row={"trace_id": TRACE, "span_id": SPAN}
    ),
    "firehose/cloudwatch-logs": Contract(acceptance.firehose, MILLISECONDS),
}  # fmt: skip
"""Request -> the client's rule, and the row of its first record."""

CHECKS: Mapping[str, Rule] = {
    "vector/http-healthcheck": acceptance.healthy,
    "vector/elasticsearch-healthcheck": acceptance.healthy,
    "vector/elasticsearch-version": acceptance.elasticsearch_root,
    "vector/loki-healthcheck": acceptance.healthy,
    "vector/splunk-healthcheck": acceptance.healthy,
    "vector/splunk-ack": acceptance.vector_splunk_ack,
    "vector/datadog-healthcheck": acceptance.healthy,
    "filebeat/version": acceptance.elasticsearch_root,
    "filebeat/license": acceptance.elasticsearch_license,
    "filebeat/policy": acceptance.healthy,
    "logstash/elasticsearch-health": acceptance.healthy,
    "logstash/elasticsearch-root": acceptance.elasticsearch_root,
    "logstash/elasticsearch-license": acceptance.elasticsearch_license,
    "logstash/elasticsearch-template": acceptance.healthy,
    "logstash/elasticsearch-sniff": acceptance.healthy,
    "docker/splunk-options": acceptance.healthy,
    "otel-collector/splunk-health": acceptance.healthy,
    "firehose/control-message": acceptance.firehose,
}
"""Requests that bring no logs -> the client's rule."""

ACME, GLOBEX = KEYS

ONCE = ("/loki", "/loki-json", "/otlphttp", "/otlphttp-json", "/cloudwatch-logs")
"""What is recognised when it is sent again: Firehose by its request id, the others by their bytes."""

_BAD_PROJECT = ('"cart opened"', '"cart opened","project_id":7')

ONE_BAD: Mapping[str, tuple[str, str]] = {
    "vector/http-json": _BAD_PROJECT,
    "vector/http-ndjson": _BAD_PROJECT,
    "vector/elasticsearch": _BAD_PROJECT,
    "vector/datadog": _BAD_PROJECT,
    "filebeat/bulk": _BAD_PROJECT,
    "logstash/elasticsearch-bulk": _BAD_PROJECT,
    "logstash/http": _BAD_PROJECT,
    "fluent-bit/http-msgpack-gzip": _BAD_PROJECT,
    "fluent-bit/es": ('"cart opened"}', '"cart opened","project_id":7}'),
    "fluent-bit/loki": ('["1795946401500000000",', '["no time",'),
    "otel-collector/otlphttp": ('"cart opened"', f'"{"x" * 2**20}"'),
    "otel-collector/elasticsearch": ('{"text":"cart opened"}', '{"text":"cart opened"},"project_id":7'),
    "otel-collector/splunk": ('"event":"cart opened"', '"event":""'),
    "vector/splunk": ('"event":{"message":"cart opened"}', '"event":""'),
    "docker/splunk-json": ('"line":"cart opened"', '"line":"cart opened","project_id":7'),
}  # fmt: skip
"""Request -> what makes its second record one that is rejected."""

FAULTS: Mapping[str, HttpError] = {"the bucket fails": staging_unavailable("Timeout")}
WAITS: Mapping[str, Mapping[str, str]] = {
    "over rate": {"bytes_per_second": "0"},
    "over quota": {"refusal": "quota_exceeded"},
    "no payment": {"refusal": "payment_overdue"},
}
"""What ends by itself, or with a payment: what the client keeps until then is not lost."""


@pytest.fixture(scope="module")
def gateway() -> Iterator[SocketGateway]:
    with SocketGateway().running() as running:
        yield running


@pytest.fixture
def ingest(monkeypatch: pytest.MonkeyPatch, gateway: SocketGateway) -> Iterator[InMemoryIngest]:
    here = InMemoryIngest()
    monkeypatch.setattr(ingesting, "_ingest", lambda: here.parts)
    yield here
    gateway.invoker.verdict.clear()


def test_each_file_names_its_source_and_has_a_rule() -> None:
    assert sorted([*BATCHES, *CHECKS]) == NAMES
    for name in NAMES:
        file = read(name)
        assert file.source
        assert file.declared_length in (None, len(file.body)), name


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_is_accepted_by_its_client_and_stored_as_the_records_that_it_holds(
    gateway: SocketGateway, ingest: InMemoryIngest, name: str
) -> None:
    contract = BATCHES[name]
    for key, tenant in KEYS.items():
        response = gateway.send(read(name).raw(key))
        assert contract.rule(response, 2) is Outcome.ACCEPTED, response
        ((first, second),) = ingest.staged(tenant)
        expected = {
            "tenant_id": tenant,
            "message": "disk full",
            "level": "error",
            "service": "shop",
            "timestamp": f"2026-11-29T10:00:00.{contract.fraction}Z",
            **contract.row,
        }
        assert _padded(first) | expected == _padded(first)
        assert first["metadata"].get("order") == contract.order
        assert _padded(second)["timestamp"] == "2026-11-29T10:00:01.500000000Z"
        assert "cart opened" in second["message"]


@pytest.mark.parametrize("name", CHECKS)
def test_a_request_without_logs_is_answered_as_its_client_expects(
    gateway: SocketGateway, ingest: InMemoryIngest, name: str
) -> None:
    response = gateway.send(read(name).raw(ACME))
    assert CHECKS[name](response, 0) is Outcome.ACCEPTED, response
    assert ingest.staged() == []


@pytest.mark.parametrize("cause", [*WAITS, *FAULTS])
@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_that_a_wait_saves_is_sent_again(
    gateway: SocketGateway,
    ingest: InMemoryIngest,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    cause: str,
) -> None:
    gateway.invoker.verdict.update(WAITS.get(cause, {}))
    if cause in FAULTS:
        monkeypatch.setattr(ingesting, "_put", _raise(FAULTS[cause]))
    response = gateway.send(read(name).raw(ACME))
    assert BATCHES[name].rule(response, 2) is Outcome.RETRIED, response
    assert ingest.staged() == []


@pytest.mark.parametrize("name", BATCHES)
def test_a_closed_account_and_a_bad_key_store_nothing(
    gateway: SocketGateway, ingest: InMemoryIngest, name: str
) -> None:
    gateway.invoker.verdict.update(refusal="account_closing")
    closed = gateway.send(read(name).raw(ACME))
    unknown = gateway.send(read(name).raw("ast_sk_live_unknown"))
    rule = BATCHES[name].rule
    assert Outcome.ACCEPTED not in (rule(closed, 2), rule(unknown, 2))
    assert (closed.status, unknown.status) in {(402, 401), (403, 401)}
    assert ingest.staged() == []


@pytest.mark.parametrize("name", ONE_BAD)
def test_a_batch_with_one_bad_record_is_not_sent_again(
    gateway: SocketGateway, ingest: InMemoryIngest, name: str
) -> None:
    old, new = ONE_BAD[name]
    response = gateway.send(read(name, old, new).raw(ACME))
    assert BATCHES[name].rule(response, 2) is not Outcome.RETRIED, response
    ((stored,),) = ingest.staged()
    assert "disk full" in stored["message"]


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_whose_answer_was_lost_is_doubled_only_where_the_page_says_so(
    gateway: SocketGateway, ingest: InMemoryIngest, name: str
) -> None:
    for key in (*KEYS, *KEYS):
        assert BATCHES[name].rule(gateway.send(read(name).raw(key)), 2) is Outcome.ACCEPTED
    copies = 1 if name.endswith(ONCE) else 2
    assert [len(ingest.staged(tenant)) for tenant in KEYS.values()] == [copies, copies]


def _padded(row: dict[str, Any]) -> dict[str, Any]:
    """The row with nine digits of its second."""
    whole, _, fraction = row["timestamp"].rstrip("Z").partition(".")
    return {**row, "timestamp": f"{whole}.{fraction:0<9}Z"}


def _raise(error: HttpError) -> Any:
    def put(*_given: Any) -> str:
        raise error

    return put
