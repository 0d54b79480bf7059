"""An open erasure as it is stored."""

import json
from dataclasses import dataclass, field
from typing import Literal, cast

from functions.privacy.erasure.progress import ErasureProgress
from functions.privacy.erasure.subject import Subject
from functions.shared.tables.erasures import ErasureItem
from functions.shared.tenancy import TenantId

Kind = Literal["person", "account"]
PERSON: Kind = "person"
ACCOUNT: Kind = "account"

State = Literal["requested", "running", "verified", "cancelled"]
REQUESTED: State = "requested"
RUNNING: State = "running"
VERIFIED: State = "verified"
CANCELLED: State = "cancelled"

SECONDS_A_DAY = 86_400
DUE_DAYS = 30

OPEN = "open"
"""The partition of the index of open erasures."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """Times in Unix seconds.

    `subject`: whose rows, for a person; None for an account, and None after the end, when it is deleted.
    `requested_at`: rows received before are erased. `starts_at`: it does not start before then; until then
    the erasure of an account can be cancelled. A repeated request for a person moves `requested_at`, and not
    `starts_at`. `byoc`: the account is on BYOC. `revision` increases with each write. `counts`: what was
    removed, once verified.
    """

    tenant: TenantId
    erasure_id: str
    kind: Kind
    state: State
    requested_at: int
    starts_at: int
    subject: Subject | None = field(default=None, repr=False)
    byoc: bool = False
    verified_at: int | None = None
    cancelled_at: int | None = None
    revision: int = 0
    progress: ErasureProgress = field(default_factory=ErasureProgress)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def due_at(self) -> int:
        """The law's deadline, counted from the first request."""
        return min(self.requested_at, self.starts_at) + DUE_DAYS * SECONDS_A_DAY

    @property
    def open(self) -> bool:
        return self.state in (REQUESTED, RUNNING)

    @property
    def reaches_byoc(self) -> bool:
        """Whether it reaches the customer's bucket and ClickHouse; erasing a whole BYOC account does not."""
        return self.byoc and self.kind == PERSON


def item_of(erasure: Erasure) -> ErasureItem:
    """Its item; that of an open erasure has the attributes that put it into the index `open`."""
    item = ErasureItem(
        *key_of(erasure.tenant, erasure.erasure_id),
        kind=erasure.kind,
        state=erasure.state,
        byoc=erasure.byoc,
        requested_at=erasure.requested_at,
        starts_at=erasure.starts_at,
        due_at=erasure.due_at,
        verified_at=erasure.verified_at,
        cancelled_at=erasure.cancelled_at,
        revision=erasure.revision,
        counts=json.dumps(erasure.counts) if erasure.counts else None,
    )
    if erasure.subject:
        item.field, item.value = erasure.subject.field, erasure.subject.value
    if erasure.open:
        item.open, item.opens_at = OPEN, f"{erasure.starts_at:012}"
        item.progress = erasure.progress.to_json()
    return item


def erasure_of(item: ErasureItem) -> Erasure:
    """The erasure in an item."""
    tenant = TenantId(item.tenant_id)
    return Erasure(
        tenant=tenant,
        erasure_id=item.erasure_id,
        kind=cast(Kind, item.kind),
        state=cast(State, item.state),
        requested_at=item.requested_at,
        starts_at=item.starts_at,
        subject=None if item.value is None else Subject(tenant, item.field, item.value),
        byoc=item.byoc,
        verified_at=item.verified_at,
        cancelled_at=item.cancelled_at,
        revision=item.revision,
        progress=ErasureProgress() if item.progress is None else ErasureProgress.from_json(item.progress),
        counts={} if item.counts is None else json.loads(item.counts),
    )


def key_of(tenant: TenantId, erasure_id: str) -> tuple[str, str]:
    return str(tenant), erasure_id
