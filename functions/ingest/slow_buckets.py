"""How much of ingest one BYOC tenant's slow bucket may hold: few slow requests at once.

A request whose calls to the customer's bucket take more than FREE_SECONDS is slow. At that moment it is
charged with COST_SECONDS, in an account of its tenant that all environments share and that pays back one
second a second. A tenant who owes more than BURST_SECONDS is limited: a request reaches the bucket only with
one of SLOTS leases, all others are answered 503 at once. The limit ends LIMITED_SECONDS after the last slow
request at the latest (docs/adr/0026).

The account is an item of the table of health. A request reads and changes the item of its own tenant only;
those of Managed tenants read none.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from functions.shared.aws_client import asked, client
from functions.shared.errors import RetryableError
from functions.shared.tenancy import TenantId, own_staging

REQUEST_SECONDS = 3.0
"""For all calls of one request to the bucket, connecting included. A healthy bucket takes 0.3 s each."""

FREE_SECONDS = 1.0
"""A request whose calls take no longer is not slow, and not charged."""

COST_SECONDS = 3.0
"""Of a slow request: one in three seconds, in the long run, limits no tenant."""

BURST_SECONDS = 20.0
"""Six slow requests at once, as any bucket may have them, do not limit its owner; the seventh does."""

LIMITED_SECONDS = 300.0

SLOTS = 8

LEASE_SECONDS = 30.0
"""Longer than ingest's timeout: a lease never ends under its holder, and a dead holder's ends by itself."""


class SlowBucketError(RetryableError):
    """The tenant's bucket was slow lately, and as many requests as may are with it now."""


class LimitsUnavailableError(RetryableError):
    """DynamoDB gave no answer, or asks us to slow down."""


class _LeaseConditionError(Exception):
    pass


@dataclass(frozen=True, slots=True)
class _Lease:
    number: int
    owner: str


class SlowBuckets:
    """The accounts of slow seconds, and the leases, of all BYOC tenants.

    When DynamoDB fails no tenant is limited: each request still ends within REQUEST_SECONDS.

    Parameters
    ----------
    table: that of health.
    clock: Unix seconds.
    dynamodb: a boto3 client; None for one that is made on first use.
    """

    def __init__(self, table: str, clock: Callable[[], float] = time.time, dynamodb: Any = None) -> None:
        self._table = table
        self._clock = clock
        self._dynamodb = dynamodb

    @contextmanager
    def admitted(self, tenant: TenantId) -> Iterator[None]:
        """Let a request reach its tenant's bucket in this block.

        Raises
        ------
        SlowBucketError: the tenant is limited, and no lease is free.
        """
        lease = self._admit(tenant)
        try:
            yield
        finally:
            if lease:
                with suppress(LimitsUnavailableError):
                    self._release(tenant, lease)

    def charge(self, tenant: TenantId) -> None:
        """Charge the tenant for one slow request; those of several environments at once add up."""
        now = self._clock()
        most = now + BURST_SECONDS + LIMITED_SECONDS
        nothing = "attribute_not_exists(slow_until) OR slow_until < :at"
        # The tenant owes nothing, something, or nearly as much as one can.
        steps = (
            ("SET slow_until = :to", nothing, now + COST_SECONDS, now),
            ("SET slow_until = slow_until + :to", "slow_until <= :at", COST_SECONDS, most - COST_SECONDS),
            ("SET slow_until = :to", "slow_until < :at", most, most),
        )
        with suppress(LimitsUnavailableError):
            any(
                self._update(tenant, change, condition, {":to": _number(to), ":at": _number(at)})
                for change, condition, to, at in steps
            )

    def _admit(self, tenant: TenantId) -> _Lease | None:
        """A lease, or None when none is needed."""
        try:
            item = self._call("get_item", tenant, ConsistentRead=True).get("Item", {})
            now = self._clock()
            if _number_of(item, "slow_until") - now <= BURST_SECONDS:
                return None
            free = [number for number in range(SLOTS) if _number_of(item, _until(number)) <= now]
            random.shuffle(free)
            for number in free:
                lease = _Lease(number, uuid4().hex)
                if self._take(tenant, lease, now):
                    return lease
        except LimitsUnavailableError:
            return None
        raise SlowBucketError("the bucket was slow lately")

    def _take(self, tenant: TenantId, lease: _Lease, now: float) -> bool:
        until = _until(lease.number)
        return self._update(
            tenant,
            f"SET {until} = :until, {_owner(lease.number)} = :owner",
            f"attribute_not_exists({until}) OR {until} <= :now",
            {":until": _number(now + LEASE_SECONDS), ":owner": {"S": lease.owner}, ":now": _number(now)},
        )

    def _release(self, tenant: TenantId, lease: _Lease) -> None:
        self._update(
            tenant,
            f"SET {_until(lease.number)} = :zero",
            f"{_owner(lease.number)} = :owner",
            {":zero": _number(0), ":owner": {"S": lease.owner}},
        )

    def _update(self, tenant: TenantId, change: str, condition: str, values: dict[str, Any]) -> bool:
        """Whether the condition held."""
        try:
            self._call(
                "update_item",
                tenant,
                UpdateExpression=change,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
            )
        except _LeaseConditionError:
            return False
        return True

    def _call(self, operation: str, tenant: TenantId, **parameters: Any) -> Any:
        self._dynamodb = self._dynamodb or client("dynamodb")
        key = {"destination": {"S": own_staging(tenant)}}
        return asked(
            lambda: getattr(self._dynamodb, operation)(TableName=self._table, Key=key, **parameters), _failure
        )


def _failure(code: str) -> Exception:
    if code == "ConditionalCheckFailedException":
        return _LeaseConditionError()
    return LimitsUnavailableError(f"the table of health: {code}")


def _until(number: int) -> str:
    return f"slot_{number}_until"


def _owner(number: int) -> str:
    return f"slot_{number}_owner"


def _number(value: float) -> dict[str, str]:
    return {"N": f"{value:.3f}"}


def _number_of(item: dict[str, Any], name: str) -> float:
    return float(item[name]["N"]) if name in item else 0.0
