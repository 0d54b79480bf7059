"""The system as plain data: functions, routes, queues, tables, buckets, schedules, settings.

The CDK stacks and the local stack are both built from this page, and a test holds the synthesized template
against it: what runs on one machine is what is deployed. It imports nothing of AWS and nothing of ours.
"""

from dataclasses import dataclass, field

PYTHON = "python3.13"
ARCHITECTURE = "arm64"

METRICS_NAMESPACE = "AstraLog"

HTTP_TIMEOUT_SECONDS = 29
"""An HTTP API cuts an answer off at 30 s."""

MAX_BODY_BYTES = 10 * 1024 * 1024
"""An HTTP API refuses larger bodies with 413 before any function sees them."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """`expire_days`: prefix -> days after which S3 deletes what lies there, whatever became of it."""

    name: str
    expire_days: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Table:
    """A DynamoDB table, billed on demand, with point-in-time recovery. Keys are strings."""

    name: str
    partition_key: str
    ttl_attribute: str | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """An SQS standard queue and its dead-letter queue `<name>-dead`.

    `visibility_seconds` is at least six times the consumer's timeout, as Lambda asks.
    """

    name: str
    visibility_seconds: int
    max_receives: int
    retention_days: int


@dataclass(frozen=True, slots=True)
class Notification:
    """S3 tells `queue` of every object created in `bucket` under `prefix`."""

    bucket: str
    prefix: str
    queue: str


@dataclass(frozen=True, slots=True)
class QueueSource:
    """Lambda polls `queue`; a function gets up to `batch_size` messages gathered over `window_seconds`."""

    queue: str
    batch_size: int
    window_seconds: int
    max_concurrency: int


@dataclass(frozen=True, slots=True)
class Route:
    """`auth`: the authorizer is asked first. Methods and paths are those of an HTTP API."""

    method: str
    path: str
    auth: bool = True


@dataclass(frozen=True, slots=True)
class Function:
    """One Lambda function: one folder of `functions/`, one zip, one handler.

    `settings`: its settings' names without the ASTRALOG_ prefix -> what they stand for: a resource's kind
    and name (`bucket:staging`, `table:ledger`, `queue:staged`, `secret:warehouse`) or a plain value.
    `grants`: what it may do, as `verb:resource`; the deployed role allows this and nothing else.
    """

    name: str
    handler: str
    memory_mb: int
    timeout_seconds: int
    settings: dict[str, str] = field(default_factory=dict)
    grants: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    source: QueueSource | None = None
    schedule_minutes: int | None = None
    local_concurrency: int = 1
    """How many execution environments the local stack runs at the most."""

    @property
    def folder(self) -> str:
        """The folder below `functions/` that goes into its zip."""
        return self.handler.split(".")[1]


@dataclass(frozen=True, slots=True)
class Signal:
    """A metric that a function writes into its own log, and above which somebody is told."""

    function: str
    metric: str
    above: float
    tells: str


BUCKETS = (
    # A staged object is deleted once ClickHouse has it; quarantined rows stay the longest plan's days.
    Bucket("staging", expire_days={"idempotency/": 2, "quarantine/": 30}),
)

TABLES = (
    Table("accounts", partition_key="tenant_id"),
    Table("keys", partition_key="key_hash"),
    Table("ledger", partition_key="entry", ttl_attribute="forget_at"),
)

SECRETS = ("warehouse",)
"""Secrets Manager secrets; `warehouse` holds the JSON of functions.shared.warehouse.Address."""

QUEUES = (Queue("staged", visibility_seconds=360, max_receives=1000, retention_days=14),)

NOTIFICATIONS = (Notification(bucket="staging", prefix="staged/", queue="staged"),)

AUTHORIZER = "authorizer"

UNKNOWN_ROUTES = "ingest"
"""The function that answers what no route matches, so that even this 404 has the contract's form."""

MIGRATE = "migrate"
"""The function that every deploy runs before those that count on its schema."""

FUNCTIONS = (
    Function(
        name=AUTHORIZER,
        handler="functions.accounts.authorizer.handler",
        memory_mb=512,
        timeout_seconds=5,
        settings={"accounts_table": "table:accounts", "keys_table": "table:keys"},
        grants=("read:table:accounts", "read:table:keys", "write:table:keys"),
        local_concurrency=1,
    ),
    Function(
        name="ingest",
        handler="functions.ingest.handler.handler",
        memory_mb=1024,
        timeout_seconds=29,
        settings={"staging_bucket": "bucket:staging"},
        grants=("put:bucket:staging", "read:bucket:staging"),
        routes=(Route("POST", "/v1/drain"), Route("GET", "/health", auth=False)),
        local_concurrency=4,
    ),
    Function(
        name="sync",
        handler="functions.sync.handler.handler",
        memory_mb=1024,
        timeout_seconds=60,
        settings={
            "staging_bucket": "bucket:staging",
            "ledger_table": "table:ledger",
            "staged_queue": "queue:staged",
            "warehouse_secret": "secret:warehouse",
            "insert_timeout_seconds": "30",
        },
        grants=(
            "read:bucket:staging",
            "put:bucket:staging",
            "delete:bucket:staging",
            "read:table:ledger",
            "write:table:ledger",
            "consume:queue:staged",
            "read:secret:warehouse",
        ),
        source=QueueSource("staged", batch_size=10_000, window_seconds=2, max_concurrency=10),
        local_concurrency=2,
    ),
    Function(
        name="query",
        handler="functions.query.handler.handler",
        memory_mb=1024,
        timeout_seconds=29,
        settings={"warehouse_secret": "secret:warehouse", "query_timeout_seconds": "20"},
        grants=("read:secret:warehouse",),
        routes=(Route("POST", "/v1/search"),),
        local_concurrency=2,
    ),
    Function(
        name="quarantine",
        handler="functions.quarantine.handler.handler",
        memory_mb=512,
        timeout_seconds=29,
        settings={"staging_bucket": "bucket:staging"},
        grants=("put:bucket:staging", "read:bucket:staging", "delete:bucket:staging"),
        routes=(Route("GET", "/v1/quarantine"), Route("POST", "/v1/quarantine/{id}/replay")),
    ),
    Function(
        name="retention",
        handler="functions.retention.handler.handler",
        memory_mb=512,
        timeout_seconds=300,
        settings={"warehouse_secret": "secret:warehouse"},
        grants=("read:secret:warehouse",),
        schedule_minutes=60,
    ),
    Function(
        name="sweeper",
        handler="functions.retention.sweeper.handler",
        memory_mb=512,
        timeout_seconds=300,
        settings={"staging_bucket": "bucket:staging", "staged_queue": "queue:staged"},
        grants=("read:bucket:staging", "send:queue:staged"),
        schedule_minutes=5,
    ),
    Function(
        name=MIGRATE,
        handler="functions.migrate.handler.handler",
        memory_mb=512,
        timeout_seconds=300,
        settings={"warehouse_secret": "secret:warehouse", "warehouse_engine": "MergeTree"},
        grants=("read:secret:warehouse",),
    ),
)


SIGNALS = (
    Signal(
        "sync", "BrokenBatches", 0, "A batch had some of its rows but not all: it was erased and loaded anew"
    ),
    Signal("sync", "QuarantinedRows", 0, "ClickHouse refused rows: they are set aside, and can be replayed"),
    Signal("sync", "VanishedObjects", 0, "Staged objects vanished between two attempts to load them"),
    Signal("sweeper", "OldestStagedSeconds", 1800, "A staged object waits for over half an hour"),
    Signal("retention", "PurgesFailed", 0, "An expired day could not be dropped; the next hour tries again"),
    Signal("retention", "PartitionsOverdue", 0, "Rows outlive their plan by more than a day"),
)


def function(name: str) -> Function:
    """The function of that name."""
    return next(each for each in FUNCTIONS if each.name == name)
