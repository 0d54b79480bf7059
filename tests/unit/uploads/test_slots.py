"""Slots of an account: leases that end, and what small files gain by them beside a flood."""

import pytest

from functions.uploads.dropin import answer_to
from tests.unit.uploads.turns import SLOTS, DropSimulation, body
from tests.unit.uploads.world import ACME, GLOBEX, World, sqs_batch


@pytest.mark.parametrize("size", [100, 10**9])
def test_a_small_file_begins_within_a_second_beside_ten_thousand_of_another_account(size: int) -> None:
    """At whatever time it comes; and a message of the flood is received once."""
    cloud = DropSimulation()
    for number in range(10_000):
        cloud.send(body("flood", f"f{number}", size), number / 3500)
    comes_at = [0.5 + 7.3 * number for number in range(40)]
    for number, at in enumerate(comes_at):
        cloud.send(body("small", f"s{number}"), at)
    cloud.run(until=300)

    waits = [cloud.began[f"s{number}"] - at for number, at in enumerate(comes_at)]
    assert max(waits) < 0.2, waits
    flood = [each for each in cloud.began if each.startswith("f")]
    assert len(flood) >= SLOTS * 300 / 60 - SLOTS, "and its slots are never idle for long"
    assert cloud.received < 10_000 + 40 + 200, "and some wake-ups"
    assert cloud.invocations < 3_000


def test_an_account_has_its_slots_and_no_more_and_others_have_theirs(here: World) -> None:
    """With the table of uploads, between two functions: leases, not memory."""
    here.slots_a_tenant = 2
    held = [here.slots.take(ACME, 100) for _ in range(3)]
    assert [each is not None for each in held] == [True, True, False]
    message, other = here.put("x", b"one\n"), here.put("x", b"two\n", GLOBEX)
    assert here.deliver(message) == [message]
    assert here.statuses() == [], "nothing is read or written down before there is a slot"
    assert here.deliver(other) == []
    assert held[0] is not None
    here.slots.release(held[0])
    assert here.deliver(message) == []
    assert here.slots.take(ACME, 100) is not None, "and gives it back"


def test_a_slot_of_a_process_that_died_is_free_when_its_lease_is_over(here: World) -> None:
    here.slots_a_tenant = 1
    first = here.slots.take(ACME, 100)
    assert here.slots.take(ACME, 100) is None
    here.later = 102
    second = here.slots.take(ACME, 100)
    assert first is not None
    assert second is not None
    here.slots.release(first)
    assert here.slots.take(ACME, 100) is None, "a late release takes no slot from its new owner"
    assert here.slots.take(GLOBEX, 100) is not None


def test_a_file_that_continues_releases_its_slot_in_between(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.uploads.file_reader.PART_ROWS", 100)
    here.slots_a_tenant, here.seconds = 1, 0.0
    message = here.put("x", b"".join(b"line %d\n" % number for number in range(50_000)))
    answer_to(sqs_batch([message]), lambda: 0.0, here.drop_in)
    assert len(here.sqs.bodies) == 1
    assert here.slots.take(ACME, 100) is not None
