"""The buckets, how long S3 itself keeps what is in them, and whom it tells of new objects."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Bucket:
    """`expire_days`: prefix -> days after which S3 deletes what lies there, whatever became of it."""

    name: str
    expire_days: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notification:
    """S3 tells `queue` of every object created in `bucket` under `prefix`."""

    bucket: str
    prefix: str
    queue: str


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

NOTIFICATIONS = (
    Notification(bucket="staging", prefix="staged/", queue="staged"),
    Notification(bucket="drop", prefix="dropin/", queue="dropped"),
)
