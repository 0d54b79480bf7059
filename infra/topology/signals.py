"""The alarms of the functions' own metrics, and the warnings that each of them shows by number.

CloudWatch charges for each metric that an alarm watches. So a function publishes one metric for all signals
of an alarm: the number of the warning. functions/shared/signals.py has the same numbers and limits; a test
compares them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signal:
    """A metric that a function writes into its log; above `above` it raises warning `number` of `alarm`.

    Of several warnings at a time an alarm shows the highest number, the most urgent.
    """

    alarm: str
    number: int
    function: str
    metric: str
    above: float
    description: str


WARNING_METRIC = "Warning"
"""The metric of these alarms, with the dimension Alarm: the numbers of warnings."""

ALARMS = {
    "delivery": "Logs, files or mails are late, lost or rejected",
    "obligations": "A term of retention, privacy or billing is not kept",
}
"""Alarm -> what its warnings have in common."""

SIGNALS = (
    Signal(
        "delivery",
        1,
        "ingest",
        "UnpublishedObjects",
        0,
        "SQS did not accept a message to sync: the sweeper sends it",
    ),
    Signal(
        "delivery",
        2,
        "watch",
        "OutagesNotNotified",
        0,
        "A destination has an outage and its owner has no notice yet",
    ),
    Signal(
        "delivery",
        3,
        "queue-check",
        "MailFeedbackAgeSeconds",
        300,
        "Delivery events of mails have waited for over 5 minutes",
    ),
    Signal(
        "delivery",
        4,
        "queue-check",
        "MailFeedbackDead",
        0,
        "A delivery event of a mail could not be processed",
    ),
    Signal(
        "delivery",
        5,
        "notifier",
        "MostTries",
        5,
        "SES has rejected a mail for half an hour; notifier retries",
    ),
    Signal(
        "delivery",
        6,
        "notifier",
        "NoticesAbandoned",
        0,
        "A notice could not be mailed for a day and was abandoned",
    ),
    Signal(
        "delivery", 7, "sync", "VanishedObjects", 0, "Staged objects were deleted before they were loaded"
    ),
    Signal(
        "delivery",
        8,
        "sync",
        "BrokenBatches",
        0,
        "A batch was incomplete: its rows are deleted and loaded again",
    ),
    Signal(
        "delivery",
        9,
        "sync",
        "QuarantinedRows",
        0,
        "ClickHouse rejected rows: they are quarantined, for replay",
    ),
    Signal(
        "delivery",
        10,
        "queue-check",
        "DroppedAgeSeconds",
        1800,
        "A file has waited to be read for over half an hour",
    ),
    Signal(
        "delivery",
        11,
        "queue-check",
        "DroppedByocDead",
        0,
        "A message about a file in a customer's bucket failed 1,000 times",
    ),
    Signal(
        "delivery", 12, "queue-check", "DroppedDead", 0, "A message about an uploaded file failed 1,000 times"
    ),
    Signal(
        "delivery",
        13,
        "queue-check",
        "StagedAgeSeconds",
        300,
        "Accepted logs have waited to be loaded for over 5 minutes",
    ),
    Signal(
        "delivery",
        14,
        "sweeper",
        "OldestStagedSeconds",
        1800,
        "A staged object has waited for over half an hour",
    ),
    Signal(
        "delivery",
        15,
        "queue-check",
        "StagedByocDead",
        0,
        "A message about a BYOC customer's logs failed 1,000 times",
    ),
    Signal("delivery", 16, "queue-check", "StagedDead", 0, "A message about staged logs failed 1,000 times"),
    Signal(
        "delivery",
        17,
        "sweeper",
        "ExpiredObjects",
        0,
        "Accepted logs expired before they were loaded: they are lost",
    ),
    Signal(
        "delivery",
        18,
        "sync",
        "ExpiredObjects",
        0,
        "Accepted logs expired before they were loaded: they are lost",
    ),
    Signal(
        "obligations",
        1,
        "bookkeeper",
        "AccountsNotKept",
        0,
        "Accounts could not be checked; the next run retries",
    ),
    Signal(
        "obligations",
        2,
        "retention",
        "PurgesFailed",
        0,
        "An expired day could not be dropped; the next run retries",
    ),
    Signal("obligations", 3, "exporter", "ExportsFailed", 0, "A data export failed and was abandoned"),
    Signal(
        "obligations",
        4,
        "meter",
        "OldestUncountedSeconds",
        900,
        "Loaded rows have not been metered for 15 minutes",
    ),
    Signal(
        "obligations",
        5,
        "report",
        "OldestReportSeconds",
        14_400,
        "Usage has not reached Stripe for four hours",
    ),
    Signal("obligations", 6, "closer", "ClosingsSlow", 0, "An account should have been closed a day ago"),
    Signal(
        "obligations",
        7,
        "bookkeeper",
        "MissedEvents",
        0,
        "A subscription changed without an event from Stripe",
    ),
    Signal(
        "obligations",
        8,
        "reconcile",
        "UsageDifferenceRows",
        0,
        "The stored rows differ from the counted rows",
    ),
    Signal(
        "obligations",
        9,
        "reconcile",
        "UsageDifferenceBytes",
        0,
        "The usage Stripe bills differs from the usage reported",
    ),
    Signal(
        "obligations",
        10,
        "report",
        "ReportsRefused",
        0,
        "Stripe rejects a usage report, or has different usage",
    ),
    Signal(
        "obligations",
        11,
        "billing",
        "DoubleSubscriptions",
        0,
        "A customer has two subscriptions: cancel and refund the newer",
    ),
    Signal(
        "obligations",
        12,
        "retention",
        "PartitionsPastRetention",
        0,
        "Partitions are more than a day past retention",
    ),
    Signal(
        "obligations",
        13,
        "retention-check",
        "RowsOfUnknownTenants",
        0,
        "ClickHouse has rows of a tenant without an account",
    ),
    Signal(
        "obligations",
        14,
        "retention-check",
        "RowsPastRetention",
        0,
        "Rows are more than a day past retention",
    ),
    Signal(
        "obligations",
        15,
        "retention-check",
        "ByocAtRest",
        0,
        "We store logs of a BYOC customer, which is not allowed",
    ),
    Signal(
        "obligations",
        16,
        "eraser",
        "OldestErasureSeconds",
        86_400,
        "An erasure has not been verified within a day",
    ),
    Signal(
        "obligations",
        17,
        "eraser-byoc",
        "ErasuresLate",
        0,
        "An erasure in a BYOC destination has exceeded 30 days",
    ),
    Signal(
        "obligations", 18, "eraser", "ErasuresLate", 0, "An erasure has exceeded the legal limit of 30 days"
    ),
)
