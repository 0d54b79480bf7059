"""Reconcile: compares the ledger with ClickHouse and with Stripe.

Trigger: the scheduler, once a day. Promise: for the last complete days, each tenant's rows in our warehouse
are compared with the counted rows, and Stripe's usage of each customer with the reported usage. Each
difference is logged and added to the report, which is stored in the usage table; alarms watch
`UsageDifferenceRows` and `UsageDifferenceBytes` above 0. Nothing is corrected. A BYOC customer's own
ClickHouse is not compared, because the customer may write to it. Data in flight is not a difference:
differences are checked again a minute later and count only if unchanged. Failure: when ClickHouse, DynamoDB
or Stripe does not answer, the run raises and writes no report for that day.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from functions.billing.catalogue import meter_of
from functions.billing.reconciliation.comparison import UsageComparison
from functions.billing.reconciliation.differences import ReconciliationResult
from functions.billing.reconciliation.erased_rows import ErasedRows
from functions.billing.reconciliation.stored_rows import StoredRows
from functions.billing.subscriptions.billing_store import BillingStore
from functions.billing.usage.done_batches import DoneBatches
from functions.billing.usage.usage_store import UsageStore
from functions.billing.wiring import stripe_client_of
from functions.shared import journal
from functions.shared.platform_warehouse import PlatformWarehouse
from functions.shared.powertools import instrumented
from functions.shared.secret_store import read_secret
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client

FUNCTION = "reconcile"
STATEMENT_TIMEOUT_SECONDS = 240


@dataclass(frozen=True, slots=True)
class Settings:
    ledger_table: str
    usage_table: str
    billing_table: str
    accounts_table: str
    erasures_table: str
    warehouse_secret: str
    stripe_secret: str
    stripe_address: str


@instrumented
def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    settings, client = load(Settings), open_client()
    stripe = stripe_client_of(settings.stripe_secret, settings.stripe_address)
    warehouse = PlatformWarehouse(settings.warehouse_secret, STATEMENT_TIMEOUT_SECONDS, read_secret)
    reconciliation = UsageComparison(
        UsageStore(settings.usage_table, client),
        DoneBatches(settings.ledger_table, client),
        StoredRows(warehouse),
        ErasedRows(settings.erasures_table, client),
        stripe,
        cache(lambda: meter_of(stripe)),
    )
    try:
        found = reconciliation.run(
            BillingStore(settings.billing_table, settings.accounts_table, client).all()
        )
    finally:
        warehouse.close()
    publish_result(found)
    return found.as_json()


def publish_result(found: ReconciliationResult) -> None:
    """Publish the totals as metrics and log each difference, up to a limit."""
    reported = found.listed()
    for rows in reported.rows_differ:
        journal.write(
            "rows_differ",
            tenant_id=rows.tenant,
            day=rows.day.isoformat(),
            rows_expected=rows.counted,
            rows_found=rows.stored,
        )
    for usage in reported.bytes_differ:
        journal.write(
            "usage_differs", tenant_id=usage.tenant, bytes_reported=usage.reported, bytes_billed=usage.billed
        )
    journal.measure(
        FUNCTION,
        {
            "ReconciledRows": (found.stored_rows, "Count"),
            "UsageDifferenceRows": (found.difference_rows, "Count"),
            "UsageDifferenceBytes": (found.difference_bytes, "Bytes"),
        },
    )
