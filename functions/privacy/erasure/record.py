"""An open erasure as it is stored."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from functions.privacy.erasure.progress import ErasureProgress
from functions.privacy.erasure.subject import Subject
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

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Erasure:
    """Times in Unix seconds.

    `subject`: whose rows, for a person; None for an account, and None after the end, when it is deleted.
    `starts_at`: it does not start before then; until then the erasure of an account can be cancelled. `byoc`:
    the account is on BYOC. `revision` increases with each write. `counts`: what was removed, once verified.
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
        """The law's deadline, counted from the day of the request."""
        return self.requested_at + DUE_DAYS * SECONDS_A_DAY

    @property
    def open(self) -> bool:
        return self.state in (REQUESTED, RUNNING)

    @property
    def reaches_byoc(self) -> bool:
        """Whether it reaches the customer's bucket and ClickHouse; erasing a whole BYOC account does not."""
        return self.byoc and self.kind == PERSON


def item_of(erasure: Erasure) -> Item:
    """Its item; that of an open erasure has the attributes that put it into the index `open`."""
    numbers = {
        "requested_at": erasure.requested_at,
        "starts_at": erasure.starts_at,
        "due_at": erasure.due_at,
        "verified_at": erasure.verified_at,
        "cancelled_at": erasure.cancelled_at,
        "revision": erasure.revision,
    }
    item: Item = {
        **key_of(erasure.tenant, erasure.erasure_id),
        "kind": {"S": erasure.kind},
        "state": {"S": erasure.state},
        "byoc": {"BOOL": erasure.byoc},
        **{name: {"N": str(number)} for name, number in numbers.items() if number is not None},
    }
    if erasure.subject:
        item |= {"field": {"S": erasure.subject.field}, "value": {"S": erasure.subject.value}}
    if erasure.open:
        item |= {
            "open": {"S": "open"},
            "opens_at": {"S": f"{erasure.starts_at:012}"},
            "progress": {"S": erasure.progress.to_json()},
        }
    if erasure.counts:
        item["counts"] = {"S": json.dumps(erasure.counts)}
    return item


def erasure_of(item: Item) -> Erasure:
    """The erasure in an item."""
    tenant = TenantId(item["tenant_id"]["S"])
    subject = Subject(tenant, item["field"]["S"], item["value"]["S"]) if "value" in item else None
    return Erasure(
        tenant=tenant,
        erasure_id=item["erasure_id"]["S"],
        kind=item["kind"]["S"],
        state=item["state"]["S"],
        requested_at=int(item["requested_at"]["N"]),
        starts_at=int(item["starts_at"]["N"]),
        subject=subject,
        byoc=item["byoc"]["BOOL"],
        verified_at=_number(item, "verified_at"),
        cancelled_at=_number(item, "cancelled_at"),
        revision=int(item["revision"]["N"]),
        progress=ErasureProgress.from_json(item["progress"]["S"])
        if "progress" in item
        else ErasureProgress(),
        counts=json.loads(item["counts"]["S"]) if "counts" in item else {},
    )


def key_of(tenant: TenantId, erasure_id: str) -> Item:
    return {"tenant_id": {"S": str(tenant)}, "erasure_id": {"S": erasure_id}}


def _number(item: Item, name: str) -> int | None:
    return int(item[name]["N"]) if name in item else None
