"""The buckets, their S3 lifecycle rules, and the queues that S3 notifies of new objects."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Bucket:
    """`expire_days`: prefix -> days after which S3 deletes objects, in any state.

    `takes_from_browsers`: whether the dashboard puts objects by presigned URLs, for which browsers ask CORS.
    """

    name: str
    expire_days: dict[str, int] = field(default_factory=dict)
    takes_from_browsers: bool = False


@dataclass(frozen=True, slots=True)
class Notification:
    """S3 notifies `queue` of every object created in `bucket` under `prefix`."""

    bucket: str
    prefix: str
    queue: str


BUCKETS = (
    # Sync deletes a staged object once it is in ClickHouse; the purge deletes a quarantined one when the
    # retention of its plan ends. The rules here are for when that fails: the longest plan's days
    # plus the day a row came on. A checkpoint is useless once its message is dead.
    Bucket("staging", expire_days={"staged/": 31, "idempotency/": 2, "quarantine/": 30, "uploads/": 30}),
    # Uploaded files: deleted once they are read, kept so many days if the owner wants that.
    Bucket("drop", expire_days={"dropin/": 30}, takes_from_browsers=True),
    # Data exports of an account, for its owner to download.
    Bucket("exports", expire_days={"exports/": 7}),
    # Counts of what was deleted and found, without a tenant or a person in them.
    Bucket("reports", expire_days={"purges/": 400, "checks/": 400, "telemetry/": 400}),
)

NOTIFICATIONS = (
    Notification(bucket="staging", prefix="staged/", queue="staged"),
    Notification(bucket="drop", prefix="dropin/", queue="dropped"),
)
