"""The bill of traffic: logs sent by HTTP, staged, loaded and counted, each request with as many events."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from infra.cost.bill import Line, PriceList
from infra.cost.idle import CONNECTIONS, LOG_GROUP_DAYS, MINUTES
from infra.topology import function

DAYS = 30

HTTP_API_BYTES = 512_000
"""An HTTP API charges one request for each 512 kB of a body."""

INGEST_SECONDS = 0.025
INGEST_SECONDS_AN_EVENT = 1.4e-6
"""Billed duration of ingest: waiting for S3's PUT, an assumption, and CPU for each event (performance.md)."""

AUTHORIZER_SECONDS = 0.003
"""Billed duration of the authorizer, whose cache knows the key: an assumption."""

SYNC_SECONDS_AN_OBJECT = 0.001
"""Billed duration of sync for each object of a batch: an assumption."""

MESSAGES_A_REQUEST = 10
"""Lambda receives and deletes messages by ten."""

UNITS_A_CLAIM = 1
"""Sync claims each object by an insert of its own."""

UNITS_A_COMMIT = 1
"""The append of a batch to the commit log (docs/adr/0064)."""

BATCHES_A_PAGE = 25
"""In a page of the commit log (functions.shared.tables.ledger)."""

UNITS_A_PAGE = 1 + CONNECTIONS
"""A page of the commit log: the tip, and an append of each process that finds the page full."""

UNITS_OF_METERING = 4
"""Each page, and the last one in each minute: a mark in a transaction, the index in and out. Pages share the
sums by tenant."""

BATCH_ITEM_BYTES = 320
INLINE_OBJECTS = 110
MANIFEST_BYTES_AN_OBJECT = 36
"""A batch without its manifest, and the compressed bytes of a manifest for each object. Above so many objects
a manifest is an item of its own."""

UNIT_BYTES = 1024

MAX_OBJECTS = 1_000
"""In a batch (functions.sync.plan)."""

CLAIM_DAYS = 45
CLAIM_BYTES = 290
BATCH_BYTES, BATCH_BYTES_AN_OBJECT = 520, 45
"""How long the ledger keeps claims and batches, and their sizes with DynamoDB's 100 bytes for each item."""

ENVIRONMENTS = 10
SECRET_MINUTES = 4
"""Execution environments that read a secret, an assumption; each reads it again after four minutes."""

CLOUDWATCH_BYTES = 26
"""What CloudWatch adds to each line."""

LOG_BYTES = {"ingest": 50, "access log": 192}
"""Billed bytes for each request: ingest's lines of a thousand in a minute, and one of the access log."""

CUSTOM_METRICS = 25
"""Metrics with a value in every hour, of functions with traffic: an assumption."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """`gb_day`: raw logs a day, in GB of 10^9 bytes, evenly spread. `event_bytes`: of one event."""

    gb_day: float
    events_per_request: int
    event_bytes: int = 421

    @property
    def gb_month(self) -> float:
        return self.gb_day * DAYS

    @property
    def requests(self) -> float:
        """Requests a month."""
        return self.gb_month * 1e9 / self.request_bytes

    @property
    def request_bytes(self) -> int:
        return self.event_bytes * self.events_per_request


def ledger_units(objects: int) -> int:
    """The write units with which sync records a batch of `objects`, without those of the log's pages."""
    manifest_bytes = MANIFEST_BYTES_AN_OBJECT * objects
    if objects > INLINE_OBJECTS:
        units = ceil(BATCH_ITEM_BYTES / UNIT_BYTES) + ceil(manifest_bytes / UNIT_BYTES)
    else:
        units = ceil((BATCH_ITEM_BYTES + manifest_bytes) / UNIT_BYTES)
    return UNITS_A_CLAIM * objects + units + UNITS_A_COMMIT


def batch_bytes(objects: int) -> int:
    """The stored bytes of a batch of `objects`, with its manifest."""
    return BATCH_BYTES + BATCH_BYTES_AN_OBJECT * objects


def objects_a_batch(traffic: Traffic) -> int:
    """What arrives within the window of the queue, shared by the connections that Lambda polls with.

    An assumption: under load Lambda decides how many connections there are.
    """
    source = function("sync").source
    window_seconds = source.window_seconds if source else 0
    arriving = traffic.requests / (DAYS * 86_400) * window_seconds / CONNECTIONS
    return round(min(max(arriving, 1), MAX_OBJECTS))


def usage_lines(traffic: Traffic, prices: PriceList) -> Iterator[Line]:
    """The lines of a month of `traffic`; each request becomes one staged object."""
    count = traffic.requests
    yield prices.line("API requests", count * ceil(traffic.request_bytes / HTTP_API_BYTES), "http_api")
    yield prices.line("Lambda requests: authorizer, ingest", 2 * count, "lambda_request")
    yield prices.line("Lambda duration: authorizer, ingest, sync", _gb_seconds(traffic), "lambda_gb_second")
    yield prices.line("S3 PUT of staged objects", count, "s3_write")
    yield prices.line("S3 GET of staged objects", count, "s3_read")
    yield prices.line("SQS: send, receive, delete", count * (1 + 2 / MESSAGES_A_REQUEST), "sqs_request")
    objects = objects_a_batch(traffic)
    batches = count / objects
    units = ledger_units(objects) - objects * UNITS_A_CLAIM
    pages = batches / BATCHES_A_PAGE * (UNITS_A_PAGE + UNITS_OF_METERING) + MINUTES * UNITS_OF_METERING
    yield prices.line("DynamoDB: claims of the ledger", count * UNITS_A_CLAIM, "dynamodb_write")
    yield prices.line("DynamoDB: batches, and their metering", batches * units + pages, "dynamodb_write")
    stored_gb = (count * CLAIM_BYTES + batches * batch_bytes(objects)) * CLAIM_DAYS / DAYS / 1e9
    yield prices.line("stored claims and batches", stored_gb, "dynamodb_storage")
    yield prices.line("their point-in-time recovery", stored_gb, "dynamodb_recovery")
    yield prices.line("reads of secrets", ENVIRONMENTS * MINUTES / SECRET_MINUTES, "secret_request")
    log_gb = count * sum(LOG_BYTES.values()) / 1e9
    yield prices.line("log lines", log_gb, "log_ingestion")
    yield prices.line("stored log lines", log_gb * LOG_GROUP_DAYS / DAYS, "log_storage")
    yield prices.line("custom metrics", CUSTOM_METRICS, "custom_metric")


def _gb_seconds(traffic: Traffic) -> float:
    seconds = {
        "authorizer": AUTHORIZER_SECONDS,
        "ingest": INGEST_SECONDS + INGEST_SECONDS_AN_EVENT * traffic.events_per_request,
        "sync": SYNC_SECONDS_AN_OBJECT,
    }
    return sum(traffic.requests * each * function(name).memory_mb / 1024 for name, each in seconds.items())
