"""What is decompressed stays within its function's memory, whatever a customer has put there."""

from typing import Any

import pytest
from backports import zstd

from infra.topology import function
from tests.measured import Cost, cost_of
from tests.unit.shared.bombs import DOCUMENTS, MEBIBYTE

TOO_LARGE = "DecodedTooLargeError"
NONE = "PermanentError"
MAX_CPU_SECONDS = 3

OUTCOMES = {
    "bytes": [TOO_LARGE, 1],
    "rows": [TOO_LARGE, 1],
    "rows below the bound": [1_000_000, 1],
    "positions": [TOO_LARGE, NONE],
    "frames": [TOO_LARGE, NONE],
    "large window": [NONE, NONE],
}


def cost(name: str, memory_mb: int, **argument: Any) -> Cost:
    return cost_of(
        f"tests.unit.shared.bombs:{name}", argument, memory_mb=memory_mb, within_cpu_seconds=MAX_CPU_SECONDS
    )


@pytest.mark.measured
@pytest.mark.parametrize("kind", DOCUMENTS)
def test_a_document_of_the_quarantine_is_read_within_the_smallest_function_that_reads_them(kind: str) -> None:
    document = DOCUMENTS[kind]()
    memory_mb = min(function(each).memory_mb for each in ("eraser", "eraser-byoc", "quarantine", "exporter"))
    measured = cost("read_document", memory_mb, body=document.hex())
    print(f"{kind}: {len(document)} bytes, {measured}")

    assert measured.result == OUTCOMES[kind]
    assert measured.peak_mb < memory_mb / 2
    assert measured.cpu_seconds < MAX_CPU_SECONDS


@pytest.mark.measured
@pytest.mark.parametrize("text", [b"[" * MEBIBYTE, b"[" + b"{}," * (5 * MEBIBYTE) + b"{}]", bytes(10**8)])
def test_a_checkpoint_that_is_none_is_lost_and_costs_little(text: bytes) -> None:
    memory_mb = function("dropin-byoc").memory_mb
    measured = cost("read_checkpoint", memory_mb, body=zstd.compress(text, 3).hex())
    print(measured)

    assert measured.result == "CheckpointLostError"
    assert measured.peak_mb < memory_mb / 2
    assert measured.cpu_seconds < MAX_CPU_SECONDS


@pytest.mark.measured
def test_rows_take_room_beside_their_text() -> None:
    """Sixteen customers are worked on at a time: a million rows of two bytes took 60 MB uncounted."""
    memory_mb = function("sync-byoc").memory_mb
    lines = zstd.compress(b"xy\n" * 1_000_000, 3)
    measured = cost("sift", memory_mb, body=lines.hex(), rows=1_000_000)
    assert measured.result == 1_000_000
    assert measured.peak_mb < memory_mb / 2
    assert cost("sift", memory_mb, body=lines.hex(), rows=999).result == TOO_LARGE
