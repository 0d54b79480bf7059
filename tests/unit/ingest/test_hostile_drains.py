"""Hostile bodies of the protocols stay within bounds."""

import pytest

from tests.measured import cost_of
from tests.unit.ingest.drain_bodies import BODIES


@pytest.mark.measured
@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body_stays_within_5_cpu_seconds_and_a_quarter_of_the_memory(name: str) -> None:
    cost = cost_of(
        "tests.unit.ingest.drain_bodies:send_hostile", {"name": name}, memory_mb=1024, within_cpu_seconds=5
    )
    assert cost.result in (200, 202, 400, 413)
    assert cost.cpu_seconds <= 5, cost
    assert cost.peak_mb <= 256, cost
