"""What remains of an erasure: a receipt without personal data, in a hash chain that reveals any change.

We store no id of what was erased, not even that of the erasure. Only the customer has its id, returned by the
request. Receipts are stored under the SHA-256 of the id, and a receipt identifies the account and the person
by hashes made with the id. A customer who has the id and knows whom the erasure was about can prove that the
receipt is theirs. A reader of our table can identify neither the account nor the person.

Each receipt's hash covers the hash of the one before it. So if a receipt is altered, deleted or inserted, all
later ones no longer match: anyone who has noted the last hash can check the whole chain.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256

from functions.privacy.erasure.subject import Subject
from functions.shared.errors import PermanentError
from functions.shared.tenancy import TenantId

FIRST = "0" * 64
"""Stands for the hash before the first receipt's."""

BACKUP_DAYS = 35
"""For how long DynamoDB's point-in-time recovery can restore deleted items."""


class BrokenChainError(PermanentError):
    """A receipt was altered or is missing; `number` is the first that does not match."""

    def __init__(self, number: int) -> None:
        super().__init__(f"receipt {number} does not follow from the one before it")
        self.number = number


@dataclass(frozen=True, slots=True)
class ErasureReceipt:
    """`kind` is "account" or "person"; times in RFC 3339, UTC; `person` is None for an account.

    `counts`: what was removed, by place. `backups_until`: until then our backups may hold copies.
    """

    number: int
    previous: str
    kind: str
    account: str
    person: str | None
    requested_at: str
    verified_at: str
    backups_until: str
    counts: Mapping[str, int] = field(default_factory=dict)

    def canonical(self) -> str:
        """The only spelling that is hashed and stored."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @property
    def hash(self) -> str:
        return sha256(self.canonical().encode()).hexdigest()

    @classmethod
    def from_json(cls, text: str) -> "ErasureReceipt":
        return cls(**json.loads(text))


def name_of(erasure_id: str) -> str:
    """The name of an erasure under which its receipt is stored, without its id."""
    return sha256(f"erasure {erasure_id}".encode()).hexdigest()


def account_hash(erasure_id: str, tenant: TenantId) -> str:
    """The account's hash in a receipt."""
    return _hash(erasure_id, tenant)


def person_hash(erasure_id: str, subject: Subject) -> str:
    """The person's hash in a receipt."""
    return _hash(erasure_id, subject.tenant, subject.field, subject.value)


def checked(receipts: Iterable[ErasureReceipt], head: str = FIRST) -> str:
    """Check that each of `receipts`, which are all, follows from the one before; the last one's hash.

    Raises
    ------
    BrokenChainError
    """
    before = head
    for number, receipt in enumerate(sorted(receipts, key=lambda each: each.number), 1):
        if receipt.number != number or receipt.previous != before:
            raise BrokenChainError(number)
        before = receipt.hash
    return before


def _hash(*parts: str) -> str:
    return sha256(json.dumps(parts).encode()).hexdigest()
