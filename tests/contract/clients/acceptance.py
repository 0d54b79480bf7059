"""How each client reads a response: its own rule, from the source that the docstring names.

`ACCEPTED`: the client forgets the batch. `RETRIED`: it sends the same batch again. `DROPPED`: it discards the
batch, whatever of it is stored.
"""

import json
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from tests.contract.clients.socket_gateway import ClientResponse


class Outcome(Enum):
    ACCEPTED = auto()
    RETRIED = auto()
    DROPPED = auto()


Rule = Callable[[ClientResponse, int], Outcome]
"""By the response, and how many records the client had sent."""

RETRYABLE = frozenset({429, 502, 503, 504})
FLUENT_BIT_BUFFER = 512 * 1024


def _in(status: int, accepted: range, retried: bool) -> Outcome:
    if status in accepted:
        return Outcome.ACCEPTED
    return Outcome.RETRIED if retried else Outcome.DROPPED


_SUCCESS = range(200, 300)


def fluent_bit_http(response: ClientResponse, _sent: int) -> Outcome:
    """plugins/out_http/http.c http_request: 200 to 205; 4xx but 408 and 429 is never sent again."""
    status = response.status
    return _in(status, range(200, 206), status in (408, 429) or not 400 <= status < 500)


def fluent_bit_es(response: ClientResponse, _sent: int) -> Outcome:
    """plugins/out_es/es.c cb_es_flush, elasticsearch_error_check; the buffer for a response has 512 kB."""
    body = response.body[:FLUENT_BIT_BUFFER]
    if response.status not in (200, 201) or not body:
        return Outcome.RETRIED
    try:
        answer = json.loads(body)
    except ValueError:
        return Outcome.ACCEPTED if b'"errors":false,"items":[' in body else Outcome.RETRIED
    for name, value in answer.items():
        if name == "errors" and value is False:
            return Outcome.ACCEPTED
        if name == "items" and {200, 201} & {_status(item) for item in value}:
            return Outcome.ACCEPTED
    return Outcome.RETRIED


def fluent_bit_loki(response: ClientResponse, _sent: int) -> Outcome:
    """plugins/out_loki/loki.c send_loki_payload: 400 is not sent again, everything else but 200 to 205 is."""
    return _in(response.status, range(200, 206), response.status != 400)


def fluent_bit_splunk(response: ClientResponse, _sent: int) -> Outcome:
    """plugins/out_splunk/splunk.c cb_splunk_flush: 200 only; 4xx but 408 and 429 is not sent again."""
    status = response.status
    return _in(status, range(200, 201), status in (408, 429) or not 400 <= status < 500)


def vector_http(response: ClientResponse, _sent: int) -> Outcome:
    """src/sinks/util/http.rs RetryStrategy::Default; also sinks splunk_hec."""
    status = response.status
    return _in(status, _SUCCESS, status in (408, 429) or (status >= 500 and status != 501))


def vector_elasticsearch(response: ClientResponse, sent: int) -> Outcome:
    """src/sinks/elasticsearch/retry.rs should_retry_response, without request_retry_partial, its default."""
    if response.status not in _SUCCESS:
        return vector_http(response, sent) if response.status != 408 else Outcome.DROPPED
    return Outcome.DROPPED if b'"errors":true' in response.body else Outcome.ACCEPTED


def vector_loki(response: ClientResponse, _sent: int) -> Outcome:
    """src/sinks/loki/service.rs LokiRetryLogic."""
    status = response.status
    return _in(status, _SUCCESS, status == 429 or (status >= 500 and status != 501))


def vector_splunk(response: ClientResponse, sent: int) -> Outcome:
    """src/sinks/splunk_hec/common/service.rs: the body is JSON, whose `ackId`, if any, is a whole number."""
    if response.status in _SUCCESS:
        ack = json.loads(response.body).get("ackId")
        assert ack is None or (isinstance(ack, int) and 0 <= ack < 2**64)
    return vector_http(response, sent)


def vector_splunk_ack(response: ClientResponse, sent: int) -> Outcome:
    """src/sinks/splunk_hec/common/acknowledgements.rs: `acks` by id; at 4xx Vector asks for none any more."""
    if response.status not in _SUCCESS:
        return vector_http(response, sent)
    acks = json.loads(response.body)["acks"]
    return Outcome.ACCEPTED if all(acks[name] is True for name in acks) and acks else Outcome.RETRIED


def vector_datadog(response: ClientResponse, _sent: int) -> Outcome:
    """src/sinks/datadog/mod.rs DatadogApiError: only 400 and 413 are not sent again."""
    return _in(response.status, _SUCCESS, response.status not in (400, 413))


def filebeat(response: ClientResponse, sent: int) -> Outcome:
    """libbeat/outputs/elasticsearch/client.go publishEvents, bulkCollectPublishFails; bulk.go: item by item.

    413 splits the batch. With fewer items than documents the rest counts as delivered.
    """
    if response.status != 200:
        return Outcome.RETRIED
    statuses = [_status(item) for item in json.loads(response.body)["items"]]
    if len(statuses) < sent:
        return Outcome.DROPPED
    if any(status == 429 or status >= 500 for status in statuses):
        return Outcome.RETRIED
    return Outcome.ACCEPTED if all(status < 300 or status == 409 for status in statuses) else Outcome.DROPPED


def logstash_elasticsearch(response: ClientResponse, sent: int) -> Outcome:
    """plugin_mixins/elasticsearch/common.rb submit, safe_bulk: as many items as actions; 413 is final."""
    if response.status not in _SUCCESS:
        return Outcome.DROPPED if response.status == 413 else Outcome.RETRIED
    answer = json.loads(response.body)
    if not answer["errors"]:
        return Outcome.ACCEPTED
    statuses = [_status(item) for item in answer["items"]]
    if len(statuses) != sent or not set(statuses) <= {200, 201, 400, 404, 409}:
        return Outcome.RETRIED
    return Outcome.DROPPED


def logstash_http(response: ClientResponse, _sent: int) -> Outcome:
    """lib/logstash/outputs/http.rb response_success?, retryable_codes by default."""
    return _in(response.status, _SUCCESS, response.status in RETRYABLE | {500})


def docker_splunk(response: ClientResponse, _sent: int) -> Outcome:
    """daemon/logger/splunk/splunk.go tryPostMessages: 200 only; else it keeps the messages."""
    return _in(response.status, range(200, 201), retried=True)


def alloy_loki(response: ClientResponse, _sent: int) -> Outcome:
    """internal/component/common/loki/client/shards.go sendBatch, which is promtail's."""
    return _in(response.status, _SUCCESS, response.status == 429 or response.status // 100 == 5)


def collector_otlp(response: ClientResponse, _sent: int) -> Outcome:
    """exporter/otlphttpexporter/otlp.go export: a body that is not of its type is a permanent error."""
    if response.status in _SUCCESS:
        if response.headers["content-type"] == "application/x-protobuf":
            ExportLogsServiceResponse.FromString(response.body)
        else:
            json.loads(response.body)
    return _in(response.status, _SUCCESS, response.status in RETRYABLE)


def collector_elasticsearch(response: ClientResponse, sent: int) -> Outcome:
    """elastic/go-docappender bulk_indexer.go Flush: items by position; Retry.RetryOnStatus is 429 only."""
    if response.status > 299:
        return Outcome.RETRIED if response.status == 429 else Outcome.DROPPED
    items = json.loads(response.body)["items"]
    assert len(items) == sent
    return Outcome.ACCEPTED if all(_status(item) <= 201 for item in items) else Outcome.DROPPED


def collector_loki(response: ClientResponse, _sent: int) -> Outcome:
    """exporter/lokiexporter/exporter.go sendPushRequest."""
    return _in(response.status, _SUCCESS, response.status == 429 or response.status >= 500)


def collector_splunk(response: ClientResponse, _sent: int) -> Outcome:
    """internal/splunk/httprequest.go HandleHTTPCode: only 400 and 401 are permanent."""
    return _in(response.status, _SUCCESS, response.status not in (400, 401))


def firehose(response: ClientResponse, _sent: int) -> Outcome:
    """AWS: 200 with the request's id and a time in milliseconds; anything else is retried."""
    answer = json.loads(response.body)
    is_fitting = answer["requestId"] and isinstance(answer["timestamp"], int)
    return _in(response.status if is_fitting else 0, range(200, 201), retried=True)


def healthy(response: ClientResponse, _sent: int) -> Outcome:
    """A check of the connection: 200 only, or the client does not start."""
    return _in(response.status, range(200, 201), retried=False)


def elasticsearch_root(response: ClientResponse, _sent: int) -> Outcome:
    """pool.rb elasticsearch?, connection.go getVersion, common.rs get_version: version and product."""
    version = json.loads(response.body)["version"]
    is_known = (
        response.headers["x-elastic-product"] == "Elasticsearch" and version["build_flavor"] == "default"
    )
    is_known = is_known and int(version["number"].partition(".")[0]) >= 8
    return _in(response.status if is_known else 0, range(200, 201), retried=False)


def elasticsearch_license(response: ClientResponse, _sent: int) -> Outcome:
    """license_checker.rb appropriate_license?, licenser/elastic_fetcher.go: an active licence."""
    is_active = json.loads(response.body)["license"]["status"] == "active"
    return _in(response.status if is_active else 0, range(200, 201), retried=False)


def _status(item: dict[str, Any]) -> int:
    """The status of an item, an object with one member."""
    ((_, result),) = item.items()
    status: int = result["status"]
    return status
