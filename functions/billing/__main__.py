"""Billing commands for operators: `sync-catalogue`, `show`, `usage` and `settle-report`.

AWS credentials and region come from the environment, as for the AWS CLI; Stripe's key is in the secret.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from functions.billing import catalogue
from functions.billing.reporting import reported_usage
from functions.billing.subscriptions.billing_store import BillingStore
from functions.billing.usage.usage_store import UsageStore
from functions.billing.wiring import stripe_client_of
from functions.shared.errors import AstralogError, PermanentError
from functions.shared.tenancy import TenantId

SECRET = "astralog/stripe"  # noqa: S105
ADDRESS = "https://api.stripe.com"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 on success; 1 after an error, with a message on standard error."""
    asked = _parser().parse_args(arguments)
    try:
        COMMANDS[asked.what](asked)
    except AstralogError as fault:
        print(fault, file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m functions.billing", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    sync = commands.add_parser(
        "sync-catalogue",
        help="create or update Stripe's products, prices, meter and portal",
    )
    sync.add_argument("--dry-run", action="store_true", help="only print the changes")
    sync.add_argument("--json", action="store_true", help="print one JSON object per line")
    sync.add_argument("--secret", default=SECRET, help=f"name of the secret ({SECRET})")
    sync.add_argument("--address", default=ADDRESS, help=f"URL of Stripe ({ADDRESS})")
    show = commands.add_parser("show", help="print the billing record and status of an account")
    show.add_argument("tenant", help="the tenant's id")
    show.add_argument("--billing-table", required=True)
    show.add_argument("--accounts-table", required=True)
    usage = commands.add_parser("usage", help="print counted usage and usage reported to Stripe")
    settle = commands.add_parser(
        "settle-report", help="settle a pending report whose outcome Stripe's figures leave unclear"
    )
    outcome = settle.add_mutually_exclusive_group(required=True)
    outcome.add_argument("--landed", action="store_true", help="Stripe has it, once")
    outcome.add_argument(
        "--not-there", action="store_true", help="Stripe does not have it: the next report includes it"
    )
    for each in (usage, settle):
        each.add_argument("tenant", help="the tenant's id")
        each.add_argument("--usage-table", required=True)
    return parser


def _sync(asked: argparse.Namespace) -> None:
    gate = stripe_client_of(asked.secret, asked.address)
    steps = catalogue.sync(gate, dry_run=asked.dry_run)
    for step in steps:
        result = {"did": step.says, "kind": step.kind, "dry_run": asked.dry_run}
        print(json.dumps(result) if asked.json else step.says)  # noqa: T201
    if not steps and not asked.json:
        print("nothing to do: Stripe's catalogue is up to date")  # noqa: T201


def _show(asked: argparse.Namespace) -> None:
    records, tenant = BillingStore(asked.billing_table, asked.accounts_table), TenantId(asked.tenant)
    account_status = records.account_status(tenant)
    result = {
        "record": asdict(records.of(tenant)),
        "account_status": asdict(account_status) if account_status else None,
    }
    print(json.dumps(result, indent=2, default=sorted))  # noqa: T201


def _usage(asked: argparse.Namespace) -> None:
    tally = UsageStore(asked.usage_table).tally(TenantId(asked.tenant))
    left_bytes = tally.reported.left_bytes(tally.raw_bytes)
    print(json.dumps({**asdict(tally), "left_bytes": left_bytes}, indent=2))  # noqa: T201


def _settle_report(asked: argparse.Namespace) -> None:
    usage = UsageStore(asked.usage_table)
    reported = usage.tally(TenantId(asked.tenant)).reported
    report = reported.pending
    if report is None:
        raise PermanentError("no report of this account is pending")
    if asked.landed:
        usage.write(reported_usage.landed(reported, report, report.first_dated, reported.period_start))
    else:
        usage.write(reported_usage.withdrawn(reported, report))
    print(f"settled: {report.value_bytes} bytes")  # noqa: T201


COMMANDS = {"sync-catalogue": _sync, "show": _show, "usage": _usage, "settle-report": _settle_report}


if __name__ == "__main__":
    sys.exit(main())
