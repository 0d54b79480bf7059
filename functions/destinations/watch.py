"""Watch: notify BYOC customers when their destination has an outage, and when it works again.

Trigger: the scheduler, every five minutes.
Promise: the people of the account get one notice for each outage of OUTAGE_SECONDS or more, and one when the
destination has worked for WELL_SECONDS. An outage that ends and returns within that time is one outage. A
notice has the id of the outage, so concurrent runs, or a run after a crash, write the same notice; `notifier`
mails it and shows it in the dashboard.
A run reads one item per account and does not contact the destination. It visits the accounts in random order
while time is left: neither many accounts nor a crashed run delay the same accounts every time.
Failure: a later run writes the missing notices.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

from functions.shared import journal
from functions.shared.accounts.notice_links import docs_link
from functions.shared.accounts.notice_outbox import NoticeOutbox
from functions.shared.byoc.destination_store import DestinationStore, DestinationSummary
from functions.shared.byoc.encryption import CredentialEncryption, Shards
from functions.shared.byoc.health import DestinationHealth, HealthStore
from functions.shared.errors import AstralogError
from functions.shared.powertools import instrumented
from functions.shared.settings import load
from functions.shared.tenancy import TenantId, own_destination

WELL_SECONDS = 300

RESERVE_SECONDS = 10

FUNCTION = "watch"

OutageNotice = Literal["outage", "recovered"]

_CAUSES = {
    "unreachable": "the server is unreachable",
    "no_answer": "it accepts connections but does not answer in time",
    "refused_credentials": "it rejects the user or the password, or the user lacks privileges",
    "busy": "it reports that it is overloaded",
    "table_missing": "its tables are missing",
    "no_bucket": "the bucket does not exist",
    "bucket_refused": "the bucket rejects the access key or the role",
    "role_refused": "AWS does not let us assume the role of the bucket",
    "bucket_unreachable": "the bucket does not answer",
    "address_refused": "its address is not allowed",
    "credentials_unreadable": "the credentials must be set again",
    "garbled": "its answers are not those of a ClickHouse server",
    "answer_refused": "its answers are longer than a ClickHouse or a bucket sends",
    "objects_too_large": "the bucket has objects that are larger than our limit",
}


@dataclass(frozen=True, slots=True)
class Settings:
    destinations_table: str
    health_table: str
    notices_table: str


def notice_needed(condition: DestinationHealth, now: float) -> OutageNotice | None:
    """The notice that a destination needs at `now`, in Unix seconds; None when it needs none."""
    if condition.notified_of:
        recovered = not condition.failures and now - condition.well_since >= WELL_SECONDS
        return "recovered" if recovered else None
    return "outage" if condition.outage_at(now) else None


@dataclass(frozen=True, slots=True)
class OutageWatch:
    """The tables to check, and the outbox for notices."""

    destinations: DestinationStore
    health: HealthStore
    notices: NoticeOutbox

    def run(self, now: float, has_time: Callable[[], bool] = lambda: True) -> dict[str, int]:
        """Notify the accounts whose destination has an outage, or its end, at `now`, in Unix seconds."""
        counts = {"outage": 0, "recovered": 0, "failing": 0, "not_notified": 0}
        tenants = list(self.destinations.tenants())
        for tenant in random.sample(tenants, len(tenants)):
            if not has_time():
                break
            try:
                condition = self.health.of(own_destination(tenant))
                counts["failing"] += bool(condition.failures)
                kind = notice_needed(condition, now)
                if kind:
                    self._notify(tenant, kind, condition)
                    counts[kind] += 1
            except AstralogError as fault:
                counts["not_notified"] += 1
                journal.write("outage_not_notified", tenant_id=tenant, error_type=type(fault).__name__)
        return counts

    def _notify(self, tenant: TenantId, kind: OutageNotice, condition: DestinationHealth) -> None:
        """Write the notice, then mark the outage as notified: a crash in between repeats the same notice."""
        about = self.destinations.summary(tenant)
        if about:
            title, text = (
                _outage_text(about, condition) if kind == "outage" else _recovery_text(about, condition)
            )
            since = condition.failing_since if kind == "outage" else condition.notified_of
            self.notices.put(tenant, f"{kind}-{since:.0f}", f"destination_{kind}", title, text)
        self.health.record_notified(condition)


def _outage_text(about: DestinationSummary, condition: DestinationHealth) -> tuple[str, str]:
    cause = _CAUSES.get(condition.reason, "it rejects our inserts")
    return (
        "Your destination does not accept logs",
        f"Your ClickHouse at {about.clickhouse_host} has not accepted logs since "
        f"{_utc_text(condition.failing_since)}: {cause}. The logs wait in your bucket {about.bucket}. "
        "They are loaded, each once, when the problem is fixed; you need not send them again. "
        f"To see the cause, test the destination ({docs_link('byoc.md', 'test-a-destination')}).",
    )


def _recovery_text(about: DestinationSummary, condition: DestinationHealth) -> tuple[str, str]:
    return (
        "Your destination accepts logs again",
        f"Your ClickHouse at {about.clickhouse_host} has accepted logs again since "
        f"{_utc_text(condition.well_since)}. It had not accepted logs since "
        f"{_utc_text(condition.notified_of)}. The logs that waited in your bucket are being loaded.",
    )


def _utc_text(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


@cache
def _watch() -> OutageWatch:
    settings = load(Settings)
    # Watch reads unencrypted fields of destinations only, and could not decrypt credentials.
    sealer = CredentialEncryption(None, "", Shards(""))
    return OutageWatch(
        DestinationStore(settings.destinations_table, sealer),
        HealthStore(settings.health_table),
        NoticeOutbox(settings.notices_table),
    )


@instrumented
def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    counts = _watch().run(
        datetime.now(UTC).timestamp(), lambda: context.get_remaining_time_in_millis() > RESERVE_SECONDS * 1000
    )
    journal.measure(
        FUNCTION,
        {
            "DestinationsFailing": (counts["failing"], "Count"),
            "OutagesNotNotified": (counts["not_notified"], "Count"),
        },
    )
    return counts
