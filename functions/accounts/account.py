"""A customer's account, as the authorizer needs it."""

from dataclasses import dataclass

from functions.shared.accounts.account_status import ACCOUNT_CLOSING, AccountStatus
from functions.shared.tenancy import TenantId


@dataclass(frozen=True, slots=True)
class Account:
    """A customer's account.

    `owner`: subject of the person who owns the account, empty for an account that an operator made.
    `created_at` in Unix seconds. `closes_at`: time of the requested erasure; None without a request.
    `managed_until`: until then our ClickHouse keeps rows from before a move to BYOC (Unix seconds); 0 if
    it keeps none.
    functions.privacy writes `closes_at` and the attribute `closed`.
    """

    tenant: TenantId
    account_status: AccountStatus
    owner: str = ""
    created_at: int | None = None
    closes_at: int | None = None
    managed_until: int = 0

    def refusal(self, now: float) -> str:
        """Code of the 402 that rejects logs at `now`; empty while logs are accepted."""
        return self.account_status.refusal(now) if self.closes_at is None else ACCOUNT_CLOSING
