"""The bodies of billing's routes, read and checked: each refusal is a 400 whose code names the field."""

import re
from dataclasses import dataclass, replace
from typing import Annotated, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from functions.billing.book import Book
from functions.shared.errors import RefusalError
from functions.shared.plans import GIGABYTE, PLANS

MAX_CAP_GB = 1_000_000

_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)

T = TypeVar("T")

Volume = Annotated[float, Meta(ge=0, le=MAX_CAP_GB)]


class _Choice(Struct, forbid_unknown_fields=True):
    plan: str


class _Caps(Struct, forbid_unknown_fields=True):
    soft_cap_gb: Volume | UnsetType | None = UNSET
    hard_cap_gb: Volume | UnsetType | None = UNSET


@dataclass(frozen=True, slots=True)
class Caps:
    """Caps as they are to be, in bytes by name, `soft` and `hard`; None for no cap. Others stay."""

    new: dict[str, int | None]

    def applied_to(self, book: Book) -> Book:
        """`book` with these caps."""
        soft = self.new.get("soft", book.soft_cap_bytes)
        return replace(book, soft_cap_bytes=soft, hard_cap_bytes=self.new.get("hard", book.hard_cap_bytes))

    def __str__(self) -> str:
        return " ".join(f"{name}={'none' if value is None else value}" for name, value in self.new.items())


def chosen_plan(body: bytes) -> str:
    """`POST /v1/billing/checkout` and `POST /v1/billing/plan`: the name of a plan that is sold."""
    plan = _decoded(body, _Choice).plan
    sold = sorted(each.name for each in PLANS.values() if each.sold)
    if plan not in sold:
        raise RefusalError(400, "invalid_plan", f"'plan' must be one of {', '.join(sold)}.")
    return plan


def caps(body: bytes) -> Caps:
    """`PATCH /v1/billing`: gigabytes of a period, null for no cap."""
    asked = _decoded(body, _Caps)
    given = {"soft": asked.soft_cap_gb, "hard": asked.hard_cap_gb}
    return Caps({name: _bytes(value) for name, value in given.items() if not isinstance(value, UnsetType)})


def _bytes(gigabytes: float | None) -> int | None:
    return None if gigabytes is None else round(gigabytes * GIGABYTE)


def _decoded(body: bytes, form: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=form)
    except msgspec.ValidationError as fault:
        raise _refusal(str(fault)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RefusalError(400, "invalid_body", "The body is not JSON.") from None


def _refusal(fault: str) -> RefusalError:
    """msgspec says what was expected and where, and quotes nothing but names of fields."""
    if unknown := _UNKNOWN.match(fault):
        return RefusalError(400, "unknown_field", f"There is no field '{unknown[1][:100]}' here.")
    reason, _, place = fault.partition(" - at `$")
    named = re.match(r"\.(\w+)", place)
    name = named[1] if named else "body"
    return RefusalError(400, f"invalid_{name}", f"'{name}' is not valid: {reason}.")
