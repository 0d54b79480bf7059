"""Request bodies of billing's routes, decoded and validated: each rejection is a 400 whose code names the
field."""

from dataclasses import dataclass, replace
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from functions.billing.subscriptions.billing_record import BillingRecord
from functions.shared.forms import decoded, invalid
from functions.shared.plans import GIGABYTE, PLANS

MAX_CAP_GB = 1_000_000
BYTE_GB = 1 / GIGABYTE

Volume = Annotated[float, Meta(ge=0, le=MAX_CAP_GB)]


_SOLD = sorted(each.name for each in PLANS.values() if each.sold)


class PlanForm(Struct, forbid_unknown_fields=True):
    plan: Annotated[str, Meta(extra_json_schema={"enum": _SOLD})]


class CapsForm(Struct, forbid_unknown_fields=True):
    soft_cap_gb: Volume | UnsetType | None = UNSET
    hard_cap_gb: Volume | UnsetType | None = UNSET


@dataclass(frozen=True, slots=True)
class Caps:
    """Caps to set, in bytes by name, `soft` and `hard`; None for no cap. Other caps stay."""

    new: dict[str, int | None]

    def applied_to(self, record: BillingRecord) -> BillingRecord:
        """`record` with these caps."""
        soft = self.new.get("soft", record.soft_cap_bytes)
        return replace(
            record, soft_cap_bytes=soft, hard_cap_bytes=self.new.get("hard", record.hard_cap_bytes)
        )

    def __str__(self) -> str:
        return " ".join(f"{name}={'none' if value is None else value}" for name, value in self.new.items())


def chosen_plan(body: bytes) -> str:
    """`POST /v1/billing/checkout` and `POST /v1/billing/plan`: the name of a plan that is on sale."""
    plan = decoded(body, PlanForm).plan
    if plan not in _SOLD:
        raise invalid("plan", f"must be one of {', '.join(_SOLD)}")
    return plan


def caps(body: bytes) -> Caps:
    """`PATCH /v1/billing`: gigabytes per period, null for no cap."""
    asked = decoded(body, CapsForm)
    given = {"soft": asked.soft_cap_gb, "hard": asked.hard_cap_gb}
    return Caps(
        {
            name: _bytes(f"{name}_cap_gb", value)
            for name, value in given.items()
            if not isinstance(value, UnsetType)
        }
    )


def _bytes(field: str, gigabytes: float | None) -> int | None:
    """The cap in bytes. A cap below one byte is not rounded to 0, which would accept no logs at all."""
    if gigabytes is None:
        return None
    if 0 < gigabytes < BYTE_GB:
        raise invalid(field, f"must be 0, or at least {BYTE_GB:.9f} (one byte), or null for no cap")
    return round(gigabytes * GIGABYTE)
