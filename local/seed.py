"""The accounts of every local stack, written as sign-up would write them."""

from collections.abc import Mapping

from functions.accounts.directory import Account, Directory, Key
from functions.shared.accounts.account_status import AccountStatus
from functions.shared.tenancy import TenantId

PROJECT = "default"
PLAN = "managed_30"
BYOC_PLAN = "byoc"
RETENTION_DAYS = 30
BYTES_PER_SECOND = 64 * 1024 * 1024
"""Well above what one machine can ingest, so that the rate limit does not apply by accident."""


def seed(directory: Directory, keys: Mapping[str, Mapping[str, str]], byoc: str) -> None:
    """Write accounts and keys, given as account -> scope -> key. Idempotent.

    `byoc` is the account on that plan, the others are managed.
    """
    for account, scoped in keys.items():
        tenant = TenantId(account)
        plan = BYOC_PLAN if account == byoc else PLAN
        directory.put_account(
            Account(
                tenant=tenant,
                account_status=AccountStatus(plan, RETENTION_DAYS, BYTES_PER_SECOND),
            )
        )
        for scope, key in scoped.items():
            directory.put_key(
                key,
                Key(
                    tenant=tenant,
                    key_id=f"key_{account}_{scope}",
                    scopes=frozenset({scope}),
                    project_id=PROJECT,
                ),
            )
