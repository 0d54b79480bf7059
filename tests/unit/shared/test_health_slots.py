"""Slots of a destination: none is refused while one is free, whatever others do meanwhile."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.shared.byoc.health import TAKE_TRIES, DestinationHealth, HealthStore, Slot, SlotWait
from functions.shared.tenancy import TenantId, own_searches
from infra import topology
from local.tables import definition

ACME, GLOBEX = own_searches(TenantId("acme")), own_searches(TenantId("globex"))


class Interrupted:
    """A client of DynamoDB: before each write, `meanwhile` happens."""

    def __init__(self, real: Any, meanwhile: Callable[[], None]) -> None:
        self._real = real
        self._meanwhile = meanwhile
        self.writes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def update_item(self, **asked: Any) -> Any:
        self.writes += 1
        self._meanwhile()
        return self._real.update_item(**asked)


class Freeing(HealthStore):
    """Before it looks at the slots, those that are `held` are released."""

    def __init__(self, table: str, held: list[Slot], others: HealthStore, client: Any) -> None:
        super().__init__(table, dynamodb=client)
        self._held = held
        self._others = others

    def of(self, destination: str) -> DestinationHealth:
        while self._held:
            self._others.release(self._held.pop())
        return super().of(destination)


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(**definition(topology.table("health"), "health"))
        yield client


def taken(found: Slot | SlotWait) -> Slot:
    assert isinstance(found, Slot)
    return found


def test_a_slot_that_became_free_since_it_was_looked_at_is_found(dynamodb: Any) -> None:
    others = HealthStore("health", dynamodb=dynamodb)
    first, second = (taken(others.take(ACME, name, 100)) for name in ("first", "second"))
    others.release(first)

    def swap() -> None:
        """Another search takes the free slot, and the one in the other slot ends."""
        if client.writes == 1:
            taken(others.take(ACME, "next", 100))
            others.release(second)

    client = Interrupted(dynamodb, swap)
    found = taken(HealthStore("health", dynamodb=client).take(ACME, "mine", 100))
    assert (found.number, client.writes) == (1, 2)


def test_trying_ends_when_others_are_always_faster_and_another_tenant_has_its_own_slots(
    dynamodb: Any,
) -> None:
    others = HealthStore("health", dynamodb=dynamodb)

    def be_faster() -> None:
        """The lease that is asked for exists by then; it is gone when the slots are looked at again."""
        held.append(taken(others.take(ACME, "other", 100)))

    held: list[Slot] = []
    client = Interrupted(dynamodb, be_faster)
    store = Freeing("health", held, others, client)
    assert isinstance(store.take(ACME, "mine", 100), SlotWait)
    assert client.writes == TAKE_TRIES
    assert taken(others.take(GLOBEX, "its own", 100)).number == 0
