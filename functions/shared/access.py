"""The caller of a request: the authorizer's result, read from the request's context.

The authorizer always lets a request through and puts its result into the context, because an HTTP API can
only reject with a body of its own. The function then rejects in the documented form.
"""

from typing import Any, NamedTuple

from functions.shared.errors import HttpError
from functions.shared.tenancy import TenantId

BYOC = "byoc"
MAX_RETRY_AFTER_SECONDS = 60

_REASONS = {
    "missing_key": ("unauthorized", "No API key was sent: use 'Authorization: Bearer <key>'."),
    "malformed_key": ("unauthorized", "The API key is malformed: check that it was copied completely."),
    "unknown_key": ("unauthorized", "The API key is unknown or was revoked."),
    "key_expired": ("key_expired", "The API key has expired: create or rotate one."),
    "refused_token": ("unauthorized", "This session is not valid, or it has ended: log in again."),
}


class Principal(NamedTuple):
    """A caller with a valid key or token.

    `key_id` is empty for a person. `project_id` is the key's default project. `scopes` is a subset of ingest,
    read and admin. `retention_days` and `bytes_per_second` (ingest rate) are the plan's. `refusal` is the
    code of the 402 for this account's logs (functions.shared.accounts.account_status), empty when they are
    accepted. `actor` is `key:<key_id>` or `person:<subject>`. `session` and `signed_in_at` (Unix seconds)
    belong to a person's sign-in; empty and 0 for a key. `managed_until`: until then our ClickHouse keeps rows
    from before a move to BYOC (Unix seconds); 0 if it keeps none.
    """

    tenant: TenantId
    key_id: str
    project_id: str
    scopes: frozenset[str]
    retention_days: int
    bytes_per_second: int
    refusal: str
    actor: str
    plan: str
    session: str = ""
    signed_in_at: int = 0
    managed_until: int = 0

    @property
    def byoc(self) -> bool:
        """Whether the account is BYOC: its logs go to the customer's bucket and ClickHouse."""
        return self.plan == BYOC

    def has_managed_rows(self, now: float) -> bool:
        """Whether our ClickHouse keeps rows of the account at `now`, in Unix seconds.

        For a BYOC account only in the grace period after the move (docs/adr/0014).
        """
        return not self.byoc or now < self.managed_until

    @property
    def subject(self) -> str | None:
        """The identity of the person who signed in, or None for a key."""
        kind, _, subject = self.actor.partition(":")
        return subject if kind == "person" else None

    def require(self, scope: str) -> "Principal":
        """Raise HttpError 403 unless the key has `scope`; `admin` includes every scope."""
        if scope in self.scopes or "admin" in self.scopes:
            return self
        raise HttpError(403, "forbidden_scope", f"This request needs an API key with the scope '{scope}'.")


def principal(event: dict[str, Any]) -> Principal:
    """The caller of an HTTP API event (payload 2.0, Lambda authorizer with simple responses).

    Raises
    ------
    HttpError: 401 when the authorizer found no valid key; 429 after too many invalid ones.
    """
    context = event.get("requestContext", {}).get("authorizer", {}).get("lambda", {})
    verdict = context.get("verdict", "missing_key")
    if verdict != "ok":
        raise _refusal(verdict, context)
    return Principal(
        tenant=TenantId(context["tenant_id"]),
        key_id=context["key_id"],
        project_id=context["project_id"],
        scopes=frozenset(context["scopes"].split()),
        retention_days=int(context["retention_days"]),
        bytes_per_second=int(context["bytes_per_second"]),
        refusal=context["refusal"],
        actor=context["actor"],
        plan=context["plan"],
        session=context.get("session", ""),
        signed_in_at=int(context.get("signed_in_at", "0")),
        managed_until=int(context.get("managed_until", "0")),
    )


def _refusal(verdict: str, context: dict[str, str]) -> HttpError:
    if verdict == "too_many_failures":
        seconds = min(int(context.get("retry_after", MAX_RETRY_AFTER_SECONDS)), MAX_RETRY_AFTER_SECONDS)
        message = f"Too many requests with invalid API keys from this address: wait {seconds} seconds."
        return HttpError(429, "too_many_attempts", message, retry_after_seconds=max(1, seconds))
    code, message = _REASONS.get(verdict, _REASONS["unknown_key"])
    return HttpError(401, code, message)
