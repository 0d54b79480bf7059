"""No body costs more than 5 s of CPU or a quarter of ingest's memory, however it is made."""

import pytest

from infra.topology import function
from tests.integration.hostile_costly_bodies import COSTLY
from tests.measured import cost_of

MAX_CPU_SECONDS = 5
MEMORY_MB = function("ingest").memory_mb

ONCE_TOO_DEAR = (
    "500,000 empty deflate members",
    "450,000 empty zstd frames",
    "4,000,000 lines of a digit",
    "a timestamp that looks like many",
    "a string of 8 MB in metadata",
    "a level of 1 MB",
    "200,000 events of 40 unknown fields",
)


@pytest.mark.measured
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in ONCE_TOO_DEAR else pytest.mark.soak) for name in COSTLY]
)
def test_a_costly_body_stays_within_5_cpu_seconds_and_a_quarter_of_the_memory(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cost = cost_of(
        "tests.unit.ingest.costs:drain",
        {"name": name},
        memory_mb=MEMORY_MB,
        within_cpu_seconds=MAX_CPU_SECONDS,
    )
    with capsys.disabled():
        print(f"\n{name}: {cost.result['status']}, {cost.result['cpu_seconds']:.2f} s, {cost.peak_mb:.0f} MB")
    assert cost.result["status"] in (202, 400, 413)
    assert cost.result["cpu_seconds"] <= MAX_CPU_SECONDS
    assert cost.peak_mb <= MEMORY_MB / 4
