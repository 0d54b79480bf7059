"""Trust policies of a customer's role, and whether each lets us assume it with the tenant's external id.

The rehearsal tries them on the emulator, and tests/contract on the local stack: both must decide alike.
"""

from dataclasses import dataclass
from typing import Any

Policy = dict[str, Any]

OURS, OTHERS = "0a1b2c3d4e5f60718293", "f0e1d2c3b4a5968778695"
"""The external ids of the tenant that sends the role, and of another tenant."""


@dataclass(frozen=True, slots=True)
class TrustCase:
    """`condition`: of the only statement that allows. `more`: further statements, with the same principal.

    `external_id`: what AssumeRole is called with; None for none. `principal`: None for our account.
    """

    name: str
    condition: Policy
    is_trusted: bool
    external_id: str | None = OURS
    principal: Any = None
    action: Any = "sts:AssumeRole"
    more: tuple[Policy, ...] = ()

    def policy(self, account: str) -> Policy:
        """The trust policy, which names our `account` unless the case has another principal."""
        principal = self.principal or {"AWS": f"arn:aws:iam::{account}:root"}
        allow = {
            "Effect": "Allow",
            "Principal": principal,
            "Action": self.action,
            **({"Condition": self.condition} if self.condition else {}),
        }
        denials = [{"Principal": principal, "Action": "sts:AssumeRole", **each} for each in self.more]
        return {"Version": "2012-10-17", "Statement": [allow, *denials]}


def _is(external_id: Any) -> Policy:
    return {"StringEquals": {"sts:ExternalId": external_id}}


CASES = (
    TrustCase("ours", _is(OURS), is_trusted=True),
    TrustCase("of-another-tenant", _is(OTHERS), is_trusted=False),
    TrustCase("one-of-two", _is([OTHERS, OURS]), is_trusted=True),
    TrustCase("none-is-sent", _is(OURS), is_trusted=False, external_id=None),
    TrustCase("any", {}, is_trusted=True),
    TrustCase("beginning", {"StringLike": {"sts:ExternalId": f"{OURS[:4]}*"}}, is_trusted=True),
    TrustCase("beginning-of-another", {"StringLike": {"sts:ExternalId": f"{OTHERS[:4]}*"}}, is_trusted=False),
    TrustCase("some", {"Null": {"sts:ExternalId": "false"}}, is_trusted=True),
    TrustCase("mfa", {**_is(OURS), "Bool": {"aws:MultiFactorAuthPresent": "true"}}, is_trusted=False),
    TrustCase(
        "another-account", _is(OURS), is_trusted=False, principal={"AWS": "arn:aws:iam::999988887777:root"}
    ),
    TrustCase("only-a-service", _is(OURS), is_trusted=False, principal={"Service": "ec2.amazonaws.com"}),
    TrustCase("two-actions", _is(OURS), is_trusted=True, action=["sts:AssumeRole", "sts:TagSession"]),
    TrustCase("another-action", _is(OURS), is_trusted=False, action="sts:TagSession"),
    TrustCase("denied", _is(OURS), is_trusted=False, more=({"Effect": "Deny"},)),
    TrustCase(
        "another-denied", _is(OURS), is_trusted=True, more=({"Effect": "Deny", "Condition": _is(OTHERS)},)
    ),
)
