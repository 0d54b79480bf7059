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
    """A DynamoDB table, billed on demand. Keys are strings.

    `recoverable`: with point-in-time recovery, which keeps what was deleted for 35 days.
    """

    name: str
    partition_key: str
    sort_key: str | None = None
    ttl_attribute: str | None = None
    recoverable: bool = True


@dataclass(frozen=True, slots=True)
class Queue:
    """An SQS standard queue and its dead-letter queue `<name>-dead`.

    `visibility_seconds` is at least six times the consumer's timeout, as Lambda asks. Logs are searchable
    seconds after they were accepted: a message older than `late_after_seconds` wakes somebody. None where it
    may wait for a customer, who is told instead.
    `open_to_customers`: buckets in the AWS accounts that the operator names may send to it.
    """

    name: str
    visibility_seconds: int
    max_receives: int
    retention_days: int
    late_after_seconds: int | None = 300
    open_to_customers: bool = False


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
    and name (`bucket:staging`, `table:ledger`, `queue:staged`, `secret:warehouse`, `key:credentials`,
    `identity:pool`) or a plain value.
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
    # How far a file was read is of no use once its message has died.
    Bucket("staging", expire_days={"idempotency/": 2, "quarantine/": 30, "uploads/": 30}),
    # Files that were put in: deleted when they are read, kept so long when their owner wants that.
    Bucket("drop", expire_days={"dropin/": 30}),
)

TABLES = (
    Table("accounts", partition_key="tenant_id"),
    Table("people", partition_key="subject", ttl_attribute="forget_at"),
    Table("keys", partition_key="key_hash", ttl_attribute="forget_at"),
    Table("key-lists", partition_key="tenant_id", sort_key="key_id", ttl_attribute="forget_at"),
    Table("audit", partition_key="tenant_id", sort_key="entry"),
    Table("announcements", partition_key="tenant_id", sort_key="announcement", ttl_attribute="forget_at"),
    # Failed attempts to sign in; a quarter of an hour of them is no loss.
    Table("attempts", partition_key="counter", ttl_attribute="forget_at", recoverable=False),
    Table("destinations", partition_key="tenant_id"),
    # What makes a customer's sealed credentials readable; destroyed, so must its copies be (docs/adr/0008).
    Table("shards", partition_key="tenant_id", recoverable=False),
    Table("health", partition_key="destination"),
    Table("ledger", partition_key="entry", ttl_attribute="forget_at"),
    Table("uploads", partition_key="tenant_id", sort_key="entry", ttl_attribute="forget_at"),
)

KEYS = ("credentials",)
"""KMS keys beside the one that encrypts everything at rest; `credentials` seals what customers entrust."""

SECRETS = ("warehouse",)
"""Secrets Manager secrets; `warehouse` holds the JSON of functions.shared.address.Address."""

QUEUES = (
    Queue("staged", visibility_seconds=360, max_receives=1000, retention_days=14),
    Queue(
        "staged-byoc", visibility_seconds=360, max_receives=1000, retention_days=14, late_after_seconds=None
    ),
    # A file may wait for others to be read first; half an hour is a backlog.
    Queue("dropped", visibility_seconds=1800, max_receives=100, retention_days=14, late_after_seconds=1800),
    Queue(
        "dropped-byoc",
        visibility_seconds=1800,
        max_receives=1000,
        retention_days=14,
        late_after_seconds=None,
        open_to_customers=True,
    ),
)

NOTIFICATIONS = (
    Notification(bucket="staging", prefix="staged/", queue="staged"),
    Notification(bucket="drop", prefix="dropin/", queue="dropped"),
)

AUTHORIZER = "authorizer"

UNKNOWN_ROUTES = "ingest"
"""The function that answers what no route matches, so that even this 404 has the contract's form."""

MIGRATE = "migrate"
"""The function that every deploy runs before those that count on its schema."""

MAIL_FROM = "no-reply@astralog.example"
"""Stands for the address that an installation chooses (`-c mail_from=…`) and has verified with SES."""

IDENTITY = {
    "identity_client": "identity:client",
    "identity_issuer": "identity:issuer",
    "identity_keys_url": "identity:keys_url",
}
"""What it takes to verify that a token is of our own pool of people."""

CUSTODY = {
    "destinations_table": "table:destinations",
    "shards_table": "table:shards",
    "credentials_key": "key:credentials",
    "allow_loopback_destinations": "false",
}
"""What it takes to reach a customer's own bucket and ClickHouse."""

MAY_REACH_CUSTOMERS = ("read:table:destinations", "read:table:shards", "open:key:credentials")

FUNCTIONS = (
    Function(
        name=AUTHORIZER,
        handler="functions.accounts.authorizer.handler",
        memory_mb=512,
        timeout_seconds=5,
        settings={
            "accounts_table": "table:accounts",
            "keys_table": "table:keys",
            "people_table": "table:people",
            "attempts_table": "table:attempts",
            **IDENTITY,
        },
        grants=(
            "read:table:accounts",
            "read:table:keys",
            "write:table:keys",
            "read:table:people",
            "read:table:attempts",
            "write:table:attempts",
        ),
        local_concurrency=1,
    ),
    Function(
        name="sign-in",
        handler="functions.accounts.sign_in.handler",
        memory_mb=512,
        timeout_seconds=20,
        settings={
            "accounts_table": "table:accounts",
            "keys_table": "table:keys",
            "people_table": "table:people",
            "attempts_table": "table:attempts",
            "audit_table": "table:audit",
            "identity_pool": "identity:pool",
            "identity_client": "identity:client",
            "mail_from": MAIL_FROM,
            "attempts_an_address": "50",
            "even_ms": "1000",
        },
        grants=(
            "read:table:accounts",
            "write:table:accounts",
            "read:table:people",
            "write:table:people",
            "read:table:attempts",
            "write:table:attempts",
            "append:table:audit",
            "sign-in:identity:pool",
            "send:mail:notices",
        ),
        routes=(
            Route("POST", "/v1/signup", auth=False),
            Route("POST", "/v1/signup/confirm", auth=False),
            Route("POST", "/v1/signup/resend", auth=False),
            Route("POST", "/v1/login", auth=False),
            Route("POST", "/v1/password/forgot", auth=False),
            Route("POST", "/v1/password/reset", auth=False),
        ),
    ),
    Function(
        name="accounts",
        handler="functions.accounts.handler.handler",
        memory_mb=512,
        timeout_seconds=20,
        settings={
            "accounts_table": "table:accounts",
            "keys_table": "table:keys",
            "key_lists_table": "table:key-lists",
            "people_table": "table:people",
            "audit_table": "table:audit",
            "announcements_table": "table:announcements",
            "attempts_table": "table:attempts",
            "identity_pool": "identity:pool",
            "identity_client": "identity:client",
            "attempts_an_address": "50",
            "even_ms": "1000",
        },
        grants=(
            "read:table:accounts",
            "write:table:accounts",
            "read:table:keys",
            "write:table:keys",
            "read:table:key-lists",
            "write:table:key-lists",
            "read:table:people",
            "write:table:people",
            "read:table:audit",
            "append:table:audit",
            "read:table:announcements",
            "read:table:attempts",
            "write:table:attempts",
        ),
        routes=(
            Route("GET", "/v1/account"),
            Route("PATCH", "/v1/account"),
            Route("POST", "/v1/account/email/confirm"),
            Route("GET", "/v1/keys"),
            Route("POST", "/v1/keys"),
            Route("POST", "/v1/keys/{id}/rotate"),
            Route("DELETE", "/v1/keys/{id}"),
            Route("GET", "/v1/audit"),
            Route("GET", "/v1/announcements"),
        ),
    ),
    Function(
        name="destinations",
        handler="functions.destinations.handler.handler",
        memory_mb=512,
        timeout_seconds=29,
        settings={"health_table": "table:health", "audit_table": "table:audit", **CUSTODY},
        grants=(
            *MAY_REACH_CUSTOMERS,
            "write:table:destinations",
            "write:table:shards",
            "seal:key:credentials",
            "read:table:health",
            "write:table:health",
            "append:table:audit",
        ),
        routes=(
            Route("GET", "/v1/destination"),
            Route("PUT", "/v1/destination"),
            Route("DELETE", "/v1/destination"),
            Route("POST", "/v1/destination/test"),
        ),
    ),
    Function(
        name="watch",
        handler="functions.destinations.watch.handler",
        memory_mb=512,
        timeout_seconds=120,
        settings={
            "destinations_table": "table:destinations",
            "health_table": "table:health",
            "announcements_table": "table:announcements",
            "people_table": "table:people",
            "mail_from": MAIL_FROM,
        },
        grants=(
            "scan:table:destinations",
            "read:table:destinations",
            "read:table:health",
            "write:table:health",
            "write:table:announcements",
            "scan:table:people",
            "send:mail:notices",
        ),
        schedule_minutes=5,
    ),
    Function(
        name="ingest",
        handler="functions.ingest.handler.handler",
        memory_mb=1024,
        timeout_seconds=29,
        settings={"staging_bucket": "bucket:staging", "byoc_queue": "queue:staged-byoc", **CUSTODY},
        grants=(
            "put:bucket:staging",
            "read:bucket:staging",
            "send:queue:staged-byoc",
            *MAY_REACH_CUSTOMERS,
        ),
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
        name="sync-byoc",
        handler="functions.sync.byoc.handler",
        memory_mb=1024,
        timeout_seconds=60,
        settings={
            "ledger_table": "table:ledger",
            "health_table": "table:health",
            "byoc_queue": "queue:staged-byoc",
            "insert_timeout_seconds": "30",
            **CUSTODY,
        },
        grants=(
            "read:table:ledger",
            "write:table:ledger",
            "read:table:health",
            "write:table:health",
            "consume:queue:staged-byoc",
            *MAY_REACH_CUSTOMERS,
        ),
        source=QueueSource("staged-byoc", batch_size=10_000, window_seconds=2, max_concurrency=20),
        local_concurrency=2,
    ),
    Function(
        name="query",
        handler="functions.query.handler.handler",
        memory_mb=1024,
        timeout_seconds=29,
        settings={"warehouse_secret": "secret:warehouse", "query_timeout_seconds": "20", **CUSTODY},
        grants=("read:secret:warehouse", *MAY_REACH_CUSTOMERS),
        routes=(Route("POST", "/v1/search"),),
        local_concurrency=2,
    ),
    Function(
        name="quarantine",
        handler="functions.quarantine.handler.handler",
        memory_mb=512,
        timeout_seconds=29,
        settings={"staging_bucket": "bucket:staging", "byoc_queue": "queue:staged-byoc", **CUSTODY},
        grants=(
            "put:bucket:staging",
            "read:bucket:staging",
            "delete:bucket:staging",
            "send:queue:staged-byoc",
            *MAY_REACH_CUSTOMERS,
        ),
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
        name="sweeper-byoc",
        handler="functions.retention.byoc_sweeper.handler",
        memory_mb=512,
        timeout_seconds=300,
        settings={"byoc_queue": "queue:staged-byoc", **CUSTODY},
        grants=("scan:table:destinations", *MAY_REACH_CUSTOMERS, "send:queue:staged-byoc"),
        schedule_minutes=5,
    ),
    Function(
        name="uploads",
        handler="functions.uploads.handler.handler",
        memory_mb=512,
        timeout_seconds=20,
        settings={"drop_bucket": "bucket:drop", "uploads_table": "table:uploads", **CUSTODY},
        grants=(
            # A URL may do what its signer may.
            "put:bucket:drop",
            "read:table:uploads",
            "write:table:uploads",
            *MAY_REACH_CUSTOMERS,
        ),
        routes=(
            Route("POST", "/v1/uploads"),
            Route("GET", "/v1/uploads"),
            Route("GET", "/v1/uploads/settings"),
            Route("PUT", "/v1/uploads/settings"),
            Route("GET", "/v1/uploads/{id}"),
        ),
    ),
    Function(
        name="dropin",
        handler="functions.uploads.dropin.handler",
        # A whole virtual CPU: reading is work for one. It holds less than 256 MB.
        memory_mb=1769,
        timeout_seconds=300,
        settings={
            "drop_bucket": "bucket:drop",
            "staging_bucket": "bucket:staging",
            "uploads_table": "table:uploads",
            "accounts_table": "table:accounts",
            "dropped_queue": "queue:dropped",
        },
        grants=(
            "read:bucket:drop",
            "delete:bucket:drop",
            "put:bucket:staging",
            "read:bucket:staging",
            "delete:bucket:staging",
            "read:table:uploads",
            "write:table:uploads",
            "read:table:accounts",
            "consume:queue:dropped",
            "send:queue:dropped",
        ),
        source=QueueSource("dropped", batch_size=1, window_seconds=0, max_concurrency=20),
        local_concurrency=2,
    ),
    Function(
        name="dropin-byoc",
        handler="functions.uploads.dropin_byoc.handler",
        memory_mb=1769,
        timeout_seconds=300,
        settings={
            "uploads_table": "table:uploads",
            "accounts_table": "table:accounts",
            "health_table": "table:health",
            "dropped_queue": "queue:dropped-byoc",
            "byoc_queue": "queue:staged-byoc",
            **CUSTODY,
        },
        grants=(
            "read:table:uploads",
            "write:table:uploads",
            "read:table:accounts",
            "read:table:health",
            "write:table:health",
            "consume:queue:dropped-byoc",
            "send:queue:dropped-byoc",
            "send:queue:staged-byoc",
            *MAY_REACH_CUSTOMERS,
        ),
        source=QueueSource("dropped-byoc", batch_size=1, window_seconds=0, max_concurrency=20),
    ),
    Function(
        name="sweeper-dropin",
        handler="functions.uploads.sweeper.handler",
        memory_mb=512,
        timeout_seconds=300,
        settings={
            "drop_bucket": "bucket:drop",
            "uploads_table": "table:uploads",
            "dropped_queue": "queue:dropped",
            "dropped_byoc_queue": "queue:dropped-byoc",
            **CUSTODY,
        },
        grants=(
            "read:bucket:drop",
            "read:table:uploads",
            "scan:table:destinations",
            *MAY_REACH_CUSTOMERS,
            "send:queue:dropped",
            "send:queue:dropped-byoc",
        ),
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
    Signal(
        "ingest", "UntoldObjects", 0, "Sync's queue did not take a message: the sweeper finds what it told of"
    ),
    Signal("watch", "OutagesUntold", 0, "A customer's cloud fails and nobody could be told"),
    Signal("sweeper", "OldestStagedSeconds", 1800, "A staged object waits for over half an hour"),
    Signal("retention", "PurgesFailed", 0, "An expired day could not be dropped; the next hour tries again"),
    Signal("retention", "PartitionsOverdue", 0, "Rows outlive their plan by more than a day"),
)


def function(name: str) -> Function:
    """The function of that name."""
    return next(each for each in FUNCTIONS if each.name == name)
