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
class Index:
    """A global secondary index: items that have its keys, and no others, are found by them, a moment late.

    Keys are strings. `projection`: the attributes copied into it beside all keys; none unless named.
    """

    name: str
    partition_key: str
    sort_key: str | None = None
    projection: tuple[str, ...] = ()


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
    indexes: tuple[Index, ...] = ()


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
class MailSet:
    """What we mail is sent through it; SES tells `feedback_queue`, by SNS, which `events` a mail met."""

    name: str
    feedback_queue: str
    events: tuple[str, ...]


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
    `identity:pool`, `mail:notices`), the address of a service (`service:api`, our own API as the world sees
    it, or one of SERVICES) or a plain value.
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
    # A staged object is deleted once ClickHouse has it, a quarantined one when its plan's days are over; the
    # rules here are for when that fails: the longest plan's days, and the one a row came on. How far a file
    # was read is of no use once its message has died.
    Bucket("staging", expire_days={"staged/": 31, "idempotency/": 2, "quarantine/": 30, "uploads/": 30}),
    # Files that were put in: deleted when they are read, kept so long when their owner wants that.
    Bucket("drop", expire_days={"dropin/": 30}),
    # Copies of what we hold of an account, for its owner to fetch.
    Bucket("exports", expire_days={"exports/": 7}),
    # Figures of what was removed and found, without a tenant or a person in them.
    Bucket("reports", expire_days={"purges/": 400, "checks/": 400, "telemetry/": 400}),
)

TABLES = (
    Table("accounts", partition_key="tenant_id"),
    Table(
        "people",
        partition_key="subject",
        ttl_attribute="forget_at",
        indexes=(
            Index("account", partition_key="tenant_id", sort_key="subject"),
            # Of those who were mailed something they may unsubscribe from.
            Index("unsubscribe", partition_key="unsubscribe_token"),
        ),
    ),
    Table("keys", partition_key="key_hash", ttl_attribute="forget_at"),
    Table("key-lists", partition_key="tenant_id", sort_key="key_id", ttl_attribute="forget_at"),
    Table("audit", partition_key="tenant_id", sort_key="entry"),
    Table("announcements", partition_key="tenant_id", sort_key="announcement", ttl_attribute="forget_at"),
    # What people are to be told of, by mail and in the dashboard; `due` tells the sender what is not yet.
    Table(
        "notices",
        partition_key="tenant_id",
        sort_key="notice",
        ttl_attribute="forget_at",
        indexes=(Index("due", partition_key="due", sort_key="due_at"),),
    ),
    # Addresses, as digests, that bounced or complained: nothing is mailed there.
    Table("suppressions", partition_key="address", ttl_attribute="forget_at"),
    # Failed attempts to sign in; a quarter of an hour of them is no loss.
    Table("attempts", partition_key="counter", ttl_attribute="forget_at", recoverable=False),
    Table("destinations", partition_key="tenant_id"),
    # What makes a customer's sealed credentials readable; destroyed, so must its copies be (docs/adr/0008).
    Table("shards", partition_key="tenant_id", recoverable=False),
    Table("health", partition_key="destination"),
    # Batches that are done and not yet counted have `unmetered`, and nothing else has.
    Table(
        "ledger",
        partition_key="entry",
        ttl_attribute="forget_at",
        indexes=(Index("unmetered", partition_key="unmetered", sort_key="done_at"),),
    ),
    Table("usage", partition_key="tenant_id", sort_key="entry"),
    Table("billing", partition_key="entry"),
    # Which of Stripe's events are done; what is forgotten Stripe has long ceased to send.
    Table("stripe-events", partition_key="event_id", ttl_attribute="forget_at", recoverable=False),
    # Copies and erasures that were asked for; `open` tells who makes them what is to be done.
    Table(
        "exports",
        partition_key="tenant_id",
        sort_key="entry",
        ttl_attribute="forget_at",
        indexes=(Index("open", partition_key="open", sort_key="opens_at"),),
    ),
    Table(
        "erasures",
        partition_key="tenant_id",
        sort_key="erasure_id",
        indexes=(Index("open", partition_key="open", sort_key="opens_at"),),
    ),
    # What is left of erasures: receipts without personal data; and accounts of which nothing may come back.
    Table("receipts", partition_key="receipt", ttl_attribute="forget_at"),
    Table("tombstones", partition_key="kind", sort_key="tenant_hash", ttl_attribute="forget_at"),
    Table("uploads", partition_key="tenant_id", sort_key="entry", ttl_attribute="forget_at"),
)

KEYS = ("credentials",)
"""KMS keys beside the one that encrypts everything at rest; `credentials` seals what customers entrust."""

SECRETS = ("warehouse", "stripe")
"""Secrets Manager secrets; `warehouse` holds the JSON of functions.shared.address.Address, `stripe` that of
functions.billing.stripe_secret.StripeSecret."""

SERVICES = {"stripe": "https://api.stripe.com"}
"""What a setting `service:<name>` stands for once deployed, beside API."""

STANDING_FOR = frozenset({"bucket", "table", "queue", "secret", "key", "identity", "mail", "service"})
"""Kinds of what a setting `kind:name` stands for; any other value stands for itself."""

QUEUES = (
    Queue("staged", visibility_seconds=360, max_receives=1000, retention_days=14),
    Queue(
        "staged-byoc", visibility_seconds=360, max_receives=1000, retention_days=14, late_after_seconds=None
    ),
    Queue("mail-feedback", visibility_seconds=120, max_receives=100, retention_days=14),
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

MAIL_SETS = (MailSet("notices", feedback_queue="mail-feedback", events=("BOUNCE", "COMPLAINT")),)

AUTHORIZER = "authorizer"

UNKNOWN_ROUTES = "ingest"
"""The function that answers what no route matches, so that even this 404 has the contract's form."""

MIGRATE = "migrate"
"""The function that every deploy runs before those that count on its schema."""

API = "service:api"
"""Stands for the address of our own API."""

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

DASHBOARD = "https://app.astralog.example"
"""Stands for where an installation's dashboard is (`-c dashboard_address=…`)."""

CARETAKING = {
    "accounts_table": "table:accounts",
    "billing_table": "table:billing",
    "usage_table": "table:usage",
    "audit_table": "table:audit",
    "notices_table": "table:notices",
}
"""What it takes to change an account's book and standing by what was used."""

BOOKKEEPING = {**CARETAKING, "stripe_secret": "secret:stripe", "stripe_address": "service:stripe"}
"""What it takes to change them by what Stripe says, too."""

MAY_TAKE_CARE = (
    "read:table:accounts",
    "write:table:accounts",
    "read:table:billing",
    "write:table:billing",
    "read:table:usage",
    "append:table:audit",
    "write:table:notices",
)

MAY_KEEP_BOOKS = (*MAY_TAKE_CARE, "read:secret:stripe")

MAY_REACH_CUSTOMERS = ("read:table:destinations", "read:table:shards", "open:key:credentials")

HELD_TABLES = (
    "accounts",
    "people",
    "keys",
    "key-lists",
    "audit",
    "announcements",
    "notices",
    "destinations",
    "health",
    "billing",
    "usage",
    "uploads",
    "exports",
    "erasures",
)
"""What holds something that an account's owner is shown, and that goes with the account."""

HELD = {f"{name.replace('-', '_')}_table": f"table:{name}" for name in HELD_TABLES}

LOOKED_THROUGH = ("people", "keys", "billing")
"""Tables in which an account's items are not found by its id."""

ERASER_WRITES = ("accounts", "billing", "notices", "exports", "erasures")
"""Tables in which an erasure also writes; of the others it only forgets."""

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
            "mail_set": "mail:notices",
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
            "notices_table": "table:notices",
        },
        grants=(
            "scan:table:destinations",
            "read:table:destinations",
            "read:table:health",
            "write:table:health",
            "write:table:notices",
        ),
        schedule_minutes=5,
    ),
    Function(
        name="billing",
        handler="functions.billing.handler.handler",
        memory_mb=512,
        timeout_seconds=29,
        settings={
            **BOOKKEEPING,
            "destinations_table": "table:destinations",
            "dashboard_address": DASHBOARD,
        },
        grants=(*MAY_KEEP_BOOKS, "read:table:destinations"),
        routes=(
            Route("GET", "/v1/billing"),
            Route("PATCH", "/v1/billing"),
            Route("POST", "/v1/billing/checkout"),
            Route("POST", "/v1/billing/plan"),
            Route("POST", "/v1/billing/portal"),
            Route("GET", "/v1/usage"),
        ),
    ),
    Function(
        name="stripe-webhook",
        handler="functions.billing.webhook_handler.handler",
        memory_mb=512,
        timeout_seconds=29,
        settings={**BOOKKEEPING, "stripe_events_table": "table:stripe-events"},
        grants=(*MAY_KEEP_BOOKS, "read:table:stripe-events", "write:table:stripe-events"),
        routes=(Route("POST", "/v1/stripe/webhook", auth=False),),
    ),
    Function(
        name="bookkeeper",
        handler="functions.billing.bookkeeper.handler",
        memory_mb=512,
        timeout_seconds=300,
        settings=dict(BOOKKEEPING),
        grants=(*MAY_KEEP_BOOKS, "scan:table:billing", "scan:table:accounts"),
        schedule_minutes=10,
    ),
    Function(
        name="closer",
        handler="functions.billing.closer.handler",
        memory_mb=512,
        timeout_seconds=300,
        settings={**BOOKKEEPING, "closing_loading_seconds": "900", "closing_invoice_seconds": "3600"},
        grants=(*MAY_KEEP_BOOKS, "write:table:usage", "scan:table:billing"),
        schedule_minutes=5,
    ),
    Function(
        name="meter",
        handler="functions.billing.meter.handler",
        memory_mb=512,
        timeout_seconds=120,
        settings={**CARETAKING, "ledger_table": "table:ledger"},
        grants=(*MAY_TAKE_CARE, "write:table:usage", "read:table:ledger", "write:table:ledger"),
        schedule_minutes=1,
    ),
    Function(
        name="report",
        handler="functions.billing.report.handler",
        memory_mb=512,
        timeout_seconds=600,
        settings=dict(BOOKKEEPING),
        grants=(*MAY_KEEP_BOOKS, "write:table:usage", "scan:table:billing"),
        schedule_minutes=60,
    ),
    Function(
        name="reconcile",
        handler="functions.billing.reconcile.handler",
        memory_mb=1024,
        timeout_seconds=900,
        settings={
            "ledger_table": "table:ledger",
            "usage_table": "table:usage",
            "billing_table": "table:billing",
            "accounts_table": "table:accounts",
            "erasures_table": "table:erasures",
            "warehouse_secret": "secret:warehouse",
            "stripe_secret": "secret:stripe",
            "stripe_address": "service:stripe",
        },
        grants=(
            "read:table:ledger",
            "read:table:usage",
            "scan:table:usage",
            "write:table:usage",
            "scan:table:billing",
            "read:table:erasures",
            "read:secret:warehouse",
            "read:secret:stripe",
        ),
        schedule_minutes=1440,
    ),
    Function(
        name="notifier",
        handler="functions.notices.notifier.handler",
        memory_mb=512,
        timeout_seconds=120,
        settings={
            "notices_table": "table:notices",
            "people_table": "table:people",
            "suppressions_table": "table:suppressions",
            "announcements_table": "table:announcements",
            "api_address": API,
            "mail_from": MAIL_FROM,
            "mail_set": "mail:notices",
        },
        grants=(
            "read:table:notices",
            "write:table:notices",
            "read:table:people",
            "write:table:people",
            "read:table:suppressions",
            "write:table:announcements",
            "send:mail:notices",
        ),
        schedule_minutes=1,
    ),
    Function(
        name="unsubscribe",
        handler="functions.notices.unsubscribe.handler",
        memory_mb=512,
        timeout_seconds=10,
        settings={"people_table": "table:people", "audit_table": "table:audit"},
        grants=("read:table:people", "write:table:people", "append:table:audit"),
        routes=(
            Route("GET", "/v1/unsubscribe/{token}", auth=False),
            Route("POST", "/v1/unsubscribe/{token}", auth=False),
        ),
    ),
    Function(
        name="mail-feedback",
        handler="functions.notices.feedback.handler",
        memory_mb=512,
        timeout_seconds=20,
        settings={
            "people_table": "table:people",
            "suppressions_table": "table:suppressions",
            "audit_table": "table:audit",
        },
        grants=(
            "read:table:people",
            "write:table:people",
            "write:table:suppressions",
            "append:table:audit",
            "consume:queue:mail-feedback",
        ),
        source=QueueSource("mail-feedback", batch_size=10, window_seconds=0, max_concurrency=2),
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
            "tombstones_table": "table:tombstones",
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
            "read:table:tombstones",
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
        timeout_seconds=900,
        settings={
            "warehouse_secret": "secret:warehouse",
            "accounts_table": "table:accounts",
            "staging_bucket": "bucket:staging",
            "reports_bucket": "bucket:reports",
        },
        grants=(
            "read:secret:warehouse",
            "scan:table:accounts",
            "read:bucket:staging",
            "delete:bucket:staging",
            "put:bucket:reports",
        ),
        schedule_minutes=60,
    ),
    Function(
        name="retention-check",
        handler="functions.retention.check.handler",
        memory_mb=512,
        timeout_seconds=300,
        settings={
            "warehouse_secret": "secret:warehouse",
            "accounts_table": "table:accounts",
            "staging_bucket": "bucket:staging",
            "drop_bucket": "bucket:drop",
            "reports_bucket": "bucket:reports",
        },
        grants=(
            "read:secret:warehouse",
            "scan:table:accounts",
            "read:bucket:staging",
            "read:bucket:drop",
            "put:bucket:reports",
        ),
        schedule_minutes=360,
    ),
    Function(
        name="telemetry",
        handler="functions.retention.telemetry.handler",
        memory_mb=512,
        timeout_seconds=300,
        settings={
            "accounts_table": "table:accounts",
            "usage_table": "table:usage",
            "reports_bucket": "bucket:reports",
        },
        grants=(
            "scan:table:accounts",
            "read:table:usage",
            "read:metrics:own",
            "read:bucket:reports",
            "put:bucket:reports",
        ),
        schedule_minutes=1440,
    ),
    Function(
        name="sweeper",
        handler="functions.retention.sweeper.handler",
        memory_mb=512,
        timeout_seconds=300,
        settings={"staging_bucket": "bucket:staging", "staged_queue": "queue:staged"},
        grants=("read:bucket:staging", "delete:bucket:staging", "send:queue:staged"),
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
        name="privacy",
        handler="functions.privacy.handler.handler",
        memory_mb=512,
        timeout_seconds=20,
        settings={
            "accounts_table": "table:accounts",
            "audit_table": "table:audit",
            "notices_table": "table:notices",
            "erasures_table": "table:erasures",
            "receipts_table": "table:receipts",
            "exports_table": "table:exports",
            "exports_bucket": "bucket:exports",
            "cancel_days": "7",
        },
        grants=(
            "write:table:accounts",
            "append:table:audit",
            "write:table:notices",
            "read:table:erasures",
            "write:table:erasures",
            "read:table:receipts",
            "write:table:receipts",
            "read:table:exports",
            "write:table:exports",
            "read:bucket:exports",
        ),
        routes=(
            Route("POST", "/v1/account/export"),
            Route("GET", "/v1/account/exports"),
            Route("GET", "/v1/account/exports/{id}"),
            Route("POST", "/v1/erasures"),
            Route("GET", "/v1/erasures"),
            Route("GET", "/v1/erasures/{id}"),
            Route("DELETE", "/v1/erasures/{id}"),
            Route("DELETE", "/v1/account"),
        ),
    ),
    Function(
        name="exporter",
        handler="functions.privacy.exporter.handler",
        memory_mb=1024,
        timeout_seconds=300,
        settings={
            **HELD,
            "identity_pool": "identity:pool",
            "staging_bucket": "bucket:staging",
            "exports_bucket": "bucket:exports",
            "warehouse_secret": "secret:warehouse",
        },
        grants=(
            *(f"read:table:{name}" for name in HELD_TABLES),
            *(f"scan:table:{name}" for name in LOOKED_THROUGH),
            "write:table:exports",
            "write:table:notices",
            "read:bucket:staging",
            "read:bucket:exports",
            "put:bucket:exports",
            "read:secret:warehouse",
            "read:identity:pool",
        ),
        schedule_minutes=1,
    ),
    Function(
        name="eraser",
        handler="functions.privacy.eraser.handler",
        memory_mb=1024,
        timeout_seconds=300,
        settings={
            **HELD,
            "suppressions_table": "table:suppressions",
            "receipts_table": "table:receipts",
            "tombstones_table": "table:tombstones",
            "identity_pool": "identity:pool",
            "staging_bucket": "bucket:staging",
            "drop_bucket": "bucket:drop",
            "exports_bucket": "bucket:exports",
            "warehouse_secret": "secret:warehouse",
            **CUSTODY,
        },
        grants=(
            *(f"read:table:{name}" for name in HELD_TABLES),
            *(f"scan:table:{name}" for name in LOOKED_THROUGH),
            *(f"forget:table:{name}" for name in HELD_TABLES if name not in ERASER_WRITES),
            *(f"write:table:{name}" for name in ERASER_WRITES),
            "forget:table:shards",
            "read:table:shards",
            "read:table:suppressions",
            "forget:table:suppressions",
            "append:table:audit",
            "read:table:receipts",
            "write:table:receipts",
            "write:table:tombstones",
            "read:bucket:staging",
            "put:bucket:staging",
            "delete:bucket:staging",
            "read:bucket:drop",
            "delete:bucket:drop",
            "read:bucket:exports",
            "unfinished:bucket:exports",
            "delete:bucket:exports",
            "read:secret:warehouse",
            "open:key:credentials",
            "forget:identity:pool",
        ),
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
            "tombstones_table": "table:tombstones",
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
            "read:table:tombstones",
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
    Signal("eraser", "OldestErasureSeconds", 86_400, "An erasure has not been verified within a day"),
    Signal("eraser", "ErasuresOverdue", 0, "An erasure is later than the 30 days that the law allows"),
    Signal("exporter", "ExportsFailed", 0, "A copy of an account's data could not be made and was given up"),
    Signal("watch", "OutagesUntold", 0, "A customer's cloud fails and nobody could be told"),
    Signal("billing", "DoubleSubscriptions", 0, "A customer pays twice: cancel one and give the money back"),
    Signal("bookkeeper", "MissedEvents", 0, "A subscription changed and no event of Stripe's told of it"),
    Signal("bookkeeper", "AccountsNotKept", 0, "Accounts could not be looked at; the next round tries again"),
    Signal("closer", "ClosingsSlow", 0, "An account should have been closed a day ago"),
    Signal("meter", "OldestUncountedSeconds", 900, "What was stored has not been counted for a quarter hour"),
    Signal("report", "OldestReportSeconds", 14_400, "Usage has not got through to Stripe for four hours"),
    Signal("report", "ReportsRefused", 0, "Stripe does not take an account's usage, or has other than ours"),
    Signal("reconcile", "UsageDifferenceRows", 0, "Rows that are stored are not those that were counted"),
    Signal("reconcile", "UsageDifferenceBytes", 0, "What Stripe bills is not what it was told"),
    Signal("notifier", "NoticesGivenUp", 0, "Somebody could not be mailed for a day, and will not be"),
    Signal("notifier", "MostTries", 5, "SES has not taken a mail for half an hour; it is tried again"),
    Signal("sync", "ExpiredObjects", 0, "Accepted logs expired before they were loaded: they are lost"),
    Signal("sweeper", "ExpiredObjects", 0, "Accepted logs expired before they were loaded: they are lost"),
    Signal("sweeper", "OldestStagedSeconds", 1800, "A staged object waits for over half an hour"),
    Signal("retention", "PurgesFailed", 0, "An expired day could not be dropped; the next hour tries again"),
    Signal("retention", "PartitionsOverdue", 0, "Partitions outlive their plan by more than a day"),
    Signal("retention-check", "RowsOverdue", 0, "Rows outlive their plan by more than a day"),
    Signal("retention-check", "ByocAtRest", 0, "Logs of a BYOC customer rest with us, where none may"),
    Signal("retention-check", "RowsOfNobody", 0, "There are rows of a tenant that has no account"),
)


def function(name: str) -> Function:
    """The function of that name."""
    return next(each for each in FUNCTIONS if each.name == name)


def table(name: str) -> Table:
    """The table of that name."""
    return next(each for each in TABLES if each.name == name)
