"""What is left of an erasure: a receipt without personal data, in a chain that nobody can mend unseen.

We keep no id of what was erased, not even that of the erasure. Its id is the customer's alone, given when it
was asked for; receipts are kept under its SHA-256, and what a receipt says of the account and of the person
are hashes made with that id. Who has the id and knows whom it was about can show that the receipt is theirs;
who has our table can tell neither.

Each receipt's hash covers the hash of the one before it. So a receipt cannot be altered, taken away or
slipped in without all later ones telling: whoever has noted the last hash can check them all.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256

from functions.privacy.erasure.subject import Subject
from functions.shared.errors import PermanentError
from functions.shared.tenancy import TenantId

FIRST = "0" * 64
"""What stands for the hash before the first receipt's."""

BACKUP_DAYS = 35
"""How long DynamoDB's point-in-time recovery can bring back what was deleted."""


class BrokenChainError(PermanentError):
    """A receipt is not what it was, or one is missing; `number` is the first that does not fit."""

    def __init__(self, number: int) -> None:
        super().__init__(f"receipt {number} does not follow from the one before it")
        self.number = number


@dataclass(frozen=True, slots=True)
class Receipt:
    """`kind` is "account" or "person"; moments in RFC 3339, UTC; `person` is None for an account.

    `counts`: what was removed, by where it was. `backups_until`: until then copies may be in our backups.
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
        """The one spelling that is hashed, and kept."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @property
    def hash(self) -> str:
        return sha256(self.canonical().encode()).hexdigest()

    @classmethod
    def from_json(cls, text: str) -> "Receipt":
        return cls(**json.loads(text))


def name_of(erasure_id: str) -> str:
    """What we call an erasure once nothing of it may be known."""
    return sha256(f"erasure {erasure_id}".encode()).hexdigest()


def account_hash(erasure_id: str, tenant: TenantId) -> str:
    """What a receipt says of the account."""
    return _hash(erasure_id, tenant)


def person_hash(erasure_id: str, subject: Subject) -> str:
    """What a receipt says of a person."""
    return _hash(erasure_id, subject.tenant, subject.field, subject.value)


def checked(receipts: Iterable[Receipt], head: str = FIRST) -> str:
    """The hash of the last of `receipts`, all that there are, once all were found to follow one another.

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
