"""Which of the functions' own metrics raise an alarm, and the alarm's text."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signal:
    """A metric that a function writes into its log. Above `above` it raises an alarm with text `tells`."""

    function: str
    metric: str
    above: float
    tells: str


SIGNALS = (
    Signal("sync", "BrokenBatches", 0, "A batch had not all of its rows: it was erased and loaded anew"),
    Signal("sync", "QuarantinedRows", 0, "ClickHouse refused rows: they are set aside, and can be replayed"),
    Signal("sync", "VanishedObjects", 0, "Staged objects vanished between two attempts to load them"),
    Signal(
        "ingest", "UntoldObjects", 0, "Sync's queue did not take a message: the sweeper finds what it told of"
    ),
    Signal("eraser", "OldestErasureSeconds", 86_400, "An erasure has not been verified within a day"),
    Signal("eraser", "ErasuresOverdue", 0, "An erasure is later than the 30 days that the law allows"),
    # `OldestErasureSeconds` has no alarm here: an unreachable customer's ClickHouse would keep it on.
    Signal("eraser-byoc", "ErasuresOverdue", 0, "An erasure in a customer's own cloud is later than 30 days"),
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
