"""Commands for billing: `sync-catalogue`, `show-billing`, `show-usage`, `settle-report`."""

import argparse
import json
from dataclasses import asdict, dataclass

from functions.billing import catalogue
from functions.billing.reporting import reported_usage
from functions.billing.subscriptions.billing_store import BillingStore
from functions.billing.usage.usage_store import UsageStore
from functions.billing.wiring import stripe_client_of
from functions.shared.tenancy import TenantId
from operate.command import Command, tenant_argument
from operate.errors import OperatorError
from operate.session import Session


@dataclass(frozen=True, slots=True)
class StripeSettings:
    stripe_secret: str
    stripe_url: str


@dataclass(frozen=True, slots=True)
class BillingTables:
    billing_table: str
    accounts_table: str


@dataclass(frozen=True, slots=True)
class UsageTables:
    usage_table: str


def _sync_catalogue(asked: argparse.Namespace, session: Session) -> None:
    """Create or update Stripe's products, prices, meter and portal; a second run changes nothing."""
    settings = session.settings(StripeSettings)
    stripe = stripe_client_of(settings.stripe_secret, settings.stripe_url)
    steps = catalogue.sync(stripe, dry_run=asked.dry_run)
    for step in steps:
        session.console.show({"did": step.says, "kind": step.kind, "dry_run": asked.dry_run}, step.says)
    if not steps:
        session.console.note("nothing to do: Stripe's catalogue is up to date")


def _show_billing(asked: argparse.Namespace, session: Session) -> None:
    """Print the billing record and the status of an account."""
    settings, tenant = session.settings(BillingTables), TenantId(asked.tenant)
    records = BillingStore(settings.billing_table, settings.accounts_table, session.dynamodb)
    status = records.account_status(tenant)
    result = {"record": asdict(records.of(tenant)), "account_status": asdict(status) if status else None}
    session.console.show(result, json.dumps(result, indent=2, default=sorted))


def _show_usage(asked: argparse.Namespace, session: Session) -> None:
    """Print the counted usage of an account, and the usage reported to Stripe."""
    tally = _usage(session).tally(TenantId(asked.tenant))
    result = {**asdict(tally), "left_bytes": tally.reported.left_bytes(tally.raw_bytes)}
    session.console.show(result, json.dumps(result, indent=2))


def _settle_report(asked: argparse.Namespace, session: Session) -> None:
    """Settle a pending report whose outcome Stripe's figures leave unclear."""
    usage, tenant = _usage(session), TenantId(asked.tenant)
    reported = usage.tally(tenant).reported
    report = reported.pending
    if report is None:
        raise OperatorError("no report of this account is pending")
    outcome = "was received by Stripe" if asked.landed else "was not received, and is sent again"
    session.console.confirm(f"Record that the report of {report.value_bytes} bytes of {tenant} {outcome}?")
    if asked.landed:
        usage.write(reported_usage.landed(reported, report, report.first_dated, reported.period_start))
    else:
        usage.write(reported_usage.withdrawn(reported, report))
    session.console.show(
        {"tenant": tenant, "settled_bytes": report.value_bytes}, f"settled: {report.value_bytes} bytes"
    )


def _usage(session: Session) -> UsageStore:
    return UsageStore(session.settings(UsageTables).usage_table, session.dynamodb)


def _sync_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="only print the changes")


def _settle_arguments(parser: argparse.ArgumentParser) -> None:
    tenant_argument(parser)
    outcome = parser.add_mutually_exclusive_group(required=True)
    outcome.add_argument("--landed", action="store_true", help="Stripe counted the report once")
    outcome.add_argument(
        "--not-there",
        action="store_true",
        help="Stripe did not count the report: the next report includes it",
    )


COMMANDS = (
    Command(
        "sync-catalogue",
        "create or update our plans at Stripe",
        _sync_catalogue,
        _sync_arguments,
    ),
    Command("show-billing", "print the billing record of an account", _show_billing, tenant_argument),
    Command("show-usage", "print counted and reported usage of an account", _show_usage, tenant_argument),
    Command("settle-report", "settle an unclear usage report", _settle_report, _settle_arguments),
)
