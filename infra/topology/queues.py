"""The queues, each with a dead-letter queue; functions.retention.queue_check watches both."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Queue:
    """An SQS standard queue and its dead-letter queue `<name>-dead`.

    `visibility_seconds` is at least six times the consumer's timeout, as Lambda recommends. Logs are
    searchable seconds after they were accepted: a message older than `late_after_seconds` raises a warning
    (infra/topology/signals.py). None where messages may wait for a customer, who is notified instead.
    `open_to_customers`: buckets in the AWS accounts that the operator names may send to it.
    """

    name: str
    visibility_seconds: int
    max_receives: int
    retention_days: int
    late_after_seconds: int | None = 300
    open_to_customers: bool = False


QUEUES = (
    Queue("staged", visibility_seconds=360, max_receives=1000, retention_days=14),
    Queue(
        "staged-byoc", visibility_seconds=360, max_receives=1000, retention_days=14, late_after_seconds=None
    ),
    Queue("mail-feedback", visibility_seconds=120, max_receives=100, retention_days=14),
    # A file may wait for others to be read first; half an hour is a backlog.
    # A message released to another invocation counts as received, too.
    Queue("dropped", visibility_seconds=1800, max_receives=1000, retention_days=14, late_after_seconds=1800),
    Queue(
        "dropped-byoc",
        visibility_seconds=1800,
        max_receives=1000,
        retention_days=14,
        late_after_seconds=None,
        open_to_customers=True,
    ),
)
