"""Memory sizes by a cost curve: how long a call takes and what it costs with each size of memory.

Modelled, from what bench.memory measured: Lambda gives a function memory / 1,769 MB of a processor, and one
thread cannot use more than a whole one. So CPU takes longer with less memory, and waiting does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.cost.bill import price_list
from infra.topology import function

WHOLE_PROCESSOR_MB = 1769

SIZES_MB = (256, 512, 1024, 1769)

HEADROOM = 1.5
"""How much more than its peak a function's memory is at least."""

GB_SECOND = "lambda_gb_second"

MINIMUM_MS = 1.0
"""Of a call that Lambda bills."""

Measured = Mapping[str, Any]
"""The content of bench/memory.json."""


@dataclass(frozen=True, slots=True)
class Size:
    """A function with `memory_mb`: how long a cold start and a call take, and dollars of a million calls."""

    memory_mb: int
    cold_ms: float
    call_ms: float
    usd: float


def size(memory_mb: int, cold_cpu_ms: float, cpu_ms: float, wait_ms: float) -> Size:
    """What the model says; requests, which cost the same with any memory, are not included."""
    slower = max(1.0, WHOLE_PROCESSOR_MB / memory_mb)
    call_ms = max(MINIMUM_MS, wait_ms + cpu_ms * slower)
    gb_seconds = 1e6 * call_ms / 1000 * memory_mb / 1024
    return Size(memory_mb, cold_cpu_ms * slower, call_ms, price_list().line("", gb_seconds, GB_SECOND).usd)


def memory_text(measured: Measured) -> str:
    """A table with a line for each function; the size that the topology sets is bold."""
    heads = " | ".join(f"{each:,} MB" for each in SIZES_MB)
    lines = [
        f"Measured on {measured['measured_on']}. Cells: ms of a cold start · of a call · $ a million calls.",
        "",
        f"| Function, call | CPU ms, cold · call | wait ms | peak MB | {heads} |",
        "|---|---:|---:|---:" + "|---:" * len(SIZES_MB) + "|",
        *(_row(name, each) for name, each in measured["functions"].items()),
    ]
    return "\n".join(lines) + "\n"


def _row(name: str, found: Measured) -> str:
    cpu = f"{found['cold_cpu_ms']:.0f} · {found['cpu_ms']:.3g}"
    cells = " | ".join(_cell(memory_mb, name, found) for memory_mb in SIZES_MB)
    return f"| {name}: {found['what']} | {cpu} | {found['wait_ms']:,.0f} | {found['peak_mb']} | {cells} |"


def _cell(memory_mb: int, name: str, found: Measured) -> str:
    if memory_mb < found["peak_mb"] * HEADROOM:
        return "–"
    at = size(memory_mb, found["cold_cpu_ms"], found["cpu_ms"], found["wait_ms"])
    text = f"{at.cold_ms:,.0f} · {_figure(at.call_ms)} · {_figure(at.usd)}"
    return f"**{text}**" if function(name).memory_mb == memory_mb else text


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"
