"""The command `create-account`: an account of machines, which no person signed up for."""

import argparse
import re
import secrets
from dataclasses import dataclass

from functions.accounts import keys
from functions.accounts.directory import Account, Directory, Key
from functions.shared.accounts.account_status import AccountStatus
from functions.shared.accounts.audit import AuditTrail, Origin
from functions.shared.accounts.tombstones import Tombstones, name_of
from functions.shared.plans import PLANS
from functions.shared.tenancy import TenantId
from operate.command import Command, tenant_argument
from operate.errors import OperatorError
from operate.session import Session

SCOPES = ("ingest", "read", "admin")
PROJECT = re.compile(r"[!-~]{1,64}")
OPERATOR = Origin("operator", "", "")


@dataclass(frozen=True, slots=True)
class AccountSettings:
    accounts_table: str
    keys_table: str
    key_lists_table: str
    audit_table: str
    tombstones_table: str


def _create_account(asked: argparse.Namespace, session: Session) -> None:
    """Create an account and its first API key.

    The key is printed once: only its hash is stored. The account has no owner, no subscription and no caps. A
    key with the scope admin manages the account's other keys (docs/keys.md).
    """
    tenant, plan = TenantId(asked.tenant), PLANS[asked.plan]
    if not PROJECT.fullmatch(asked.project):
        raise OperatorError("--project must be 1 to 64 printable characters without spaces.")
    settings = session.settings(AccountSettings)
    _check_not_deleted(tenant, Tombstones(settings.tombstones_table, session.dynamodb, session.clock))
    now = int(session.clock())
    status = AccountStatus(plan.name, plan.retention_days, plan.bytes_per_second)
    key = Key(
        tenant,
        f"key_{secrets.token_hex(12)}",
        frozenset(asked.scope or SCOPES[:2]),
        asked.project,
        created_at=now,
    )
    text = keys.generate()
    audit = AuditTrail(settings.audit_table, session.dynamodb, session.clock)
    directory = Directory(
        settings.accounts_table, settings.keys_table, settings.key_lists_table, session.dynamodb
    )
    opened = audit.entry(tenant, OPERATOR, "account.opened", str(tenant))
    directory.create_account(Account(tenant, status, created_at=now), text, key, [opened])
    session.console.note(f"The account {tenant} has the plan {plan.name}. Its key, shown only now:")
    shown = {"tenant": tenant, "plan": plan.name, "key_id": key.key_id, "key": text}
    session.console.show(shown, text)


def _check_not_deleted(tenant: TenantId, tombstones: Tombstones) -> None:
    """The data of an account with a tombstone is dropped when it arrives."""
    if name_of(tenant) in tombstones.all():
        raise OperatorError(f"An account {tenant} was deleted in the last 90 days. Choose another id.")


def _arguments(parser: argparse.ArgumentParser) -> None:
    tenant_argument(parser)
    sold = [plan.name for plan in PLANS.values() if plan.sold]
    parser.add_argument("--plan", choices=sold, required=True)
    parser.add_argument(
        "--scope", action="append", choices=SCOPES, help="of the key; repeatable (default: ingest and read)"
    )
    parser.add_argument("--project", default="default", help="label of the key's events (default: default)")


COMMANDS = (Command("create-account", "create an account and its first key", _create_account, _arguments),)
