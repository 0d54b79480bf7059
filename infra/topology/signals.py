"""Which of the functions' own metrics raise an alarm, and the alarm's text."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signal:
    """A metric that a function writes into its log; above `above` it raises an alarm with `description`."""

    function: str
    metric: str
    above: float
    description: str


SIGNALS = (
    Signal("sync", "BrokenBatches", 0, "A batch was incomplete: its rows are deleted and loaded again"),
    Signal("sync", "QuarantinedRows", 0, "ClickHouse rejected rows: they are quarantined, for replay"),
    Signal("sync", "VanishedObjects", 0, "Staged objects were deleted before they were loaded"),
    Signal("ingest", "UnpublishedObjects", 0, "SQS did not accept a message to sync: the sweeper sends it"),
    Signal("eraser", "OldestErasureSeconds", 86_400, "An erasure has not been verified within a day"),
    Signal("eraser", "ErasuresLate", 0, "An erasure has exceeded the legal limit of 30 days"),
    # `OldestErasureSeconds` has no alarm here: an unreachable customer's ClickHouse would keep it on.
    Signal("eraser-byoc", "ErasuresLate", 0, "An erasure in a BYOC destination has exceeded 30 days"),
    Signal("exporter", "ExportsFailed", 0, "A data export failed and was abandoned"),
    Signal("watch", "OutagesNotNotified", 0, "A destination has an outage and its owner has no notice yet"),
    Signal(
        "billing", "DoubleSubscriptions", 0, "A customer has two subscriptions: cancel and refund the newer"
    ),
    Signal("bookkeeper", "MissedEvents", 0, "A subscription changed without an event from Stripe"),
    Signal("bookkeeper", "AccountsNotKept", 0, "Accounts could not be checked; the next run retries"),
    Signal("closer", "ClosingsSlow", 0, "An account should have been closed a day ago"),
    Signal("meter", "OldestUncountedSeconds", 900, "Loaded rows have not been metered for 15 minutes"),
    Signal("report", "OldestReportSeconds", 14_400, "Usage has not reached Stripe for four hours"),
    Signal("report", "ReportsRefused", 0, "Stripe rejects a usage report, or has different usage"),
    Signal("reconcile", "UsageDifferenceRows", 0, "The stored rows differ from the counted rows"),
    Signal("reconcile", "UsageDifferenceBytes", 0, "The usage Stripe bills differs from the usage reported"),
    Signal("notifier", "NoticesAbandoned", 0, "A notice could not be mailed for a day and was abandoned"),
    Signal("notifier", "MostTries", 5, "SES has rejected a mail for half an hour; notifier retries"),
    Signal("sync", "ExpiredObjects", 0, "Accepted logs expired before they were loaded: they are lost"),
    Signal("sweeper", "ExpiredObjects", 0, "Accepted logs expired before they were loaded: they are lost"),
    Signal("sweeper", "OldestStagedSeconds", 1800, "A staged object has waited for over half an hour"),
    Signal("retention", "PurgesFailed", 0, "An expired day could not be dropped; the next run retries"),
    Signal("retention", "PartitionsPastRetention", 0, "Partitions are more than a day past retention"),
    Signal("retention-check", "RowsPastRetention", 0, "Rows are more than a day past retention"),
    Signal("retention-check", "ByocAtRest", 0, "We store logs of a BYOC customer, which is not allowed"),
    Signal(
        "retention-check", "RowsOfUnknownTenants", 0, "ClickHouse has rows of a tenant without an account"
    ),
)
