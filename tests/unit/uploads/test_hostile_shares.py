"""Caps and turns under attack, measured against the memory of the drop-in function."""

import pytest

from infra.topology import function
from tests.measured import cost_of

MEMORY_MB = function("dropin").memory_mb
HERE = "tests.unit.uploads.hostile_shares"


@pytest.mark.measured
@pytest.mark.parametrize(("objects", "state", "rows"), [(0, "failed", 0), (1, "partly", 160_000)])
def test_a_bomb_of_a_capped_account_stores_one_object_at_the_most(
    objects: int, state: str, rows: int
) -> None:
    """27 KB of zstd that were 3,000,000 rows, past a cap of 0."""
    cost = cost_of(f"{HERE}:capped_bomb", {"objects": objects}, memory_mb=MEMORY_MB, within_cpu_seconds=5)

    assert cost.result["bytes"] < 30_000
    assert (cost.result["state"], cost.result["code"]) == (state, "quota_exceeded")
    assert cost.result["rows"] <= rows
    assert cost.result["other"] == "done"
    assert cost.peak_mb < MEMORY_MB
    assert cost.cpu_seconds < 5


@pytest.mark.measured
def test_ten_thousand_files_of_one_account_are_turned_away_in_a_second() -> None:
    cost = cost_of(f"{HERE}:flood", {"messages": 9_000}, memory_mb=MEMORY_MB, within_cpu_seconds=5)

    assert cost.result["read"] == 1_000, "each file of the other account"
    assert cost.result["appended"] == 1_000, "nine messages with one write"
    assert cost.result["asked"] <= 1_001, "whether a slot became free"
    assert cost.result["sent"] == 1, "a wake-up"
    assert cost.peak_mb < MEMORY_MB
    assert cost.cpu_seconds < 5
