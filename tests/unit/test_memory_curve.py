"""The model of memory sizes: CPU takes longer with less memory, waiting does not, and both are charged."""

from typing import Any

import pytest

from bench.memory_curve import HEADROOM, SIZES_MB, memory_text, size
from infra.cost.bill import price_list
from infra.topology import function

PRICE = price_list().prices["lambda_gb_second"].usd


def measured(**changed: Any) -> dict[str, Any]:
    call = {"what": "a call", "cold_cpu_ms": 100.0, "peak_mb": 100, "cpu_ms": 10.0, "wait_ms": 0.0}
    return {"measured_on": "2026-11-30", "functions": {"query": {**call, **changed}}}


def cells(text: str) -> dict[int, str]:
    row = text.splitlines()[-1].strip("| ").split(" | ")
    return dict(zip(SIZES_MB, row[-len(SIZES_MB) :], strict=True))


def test_cpu_costs_the_same_with_any_memory_up_to_a_whole_processor_and_waiting_does_not() -> None:
    of_cpu = [size(each, 0, 100, 0) for each in SIZES_MB]
    assert [each.usd for each in of_cpu] == pytest.approx([of_cpu[0].usd] * len(SIZES_MB))
    assert of_cpu[0].call_ms == pytest.approx(100 * 1769 / 256)

    of_waiting = [size(each, 0, 0, 100) for each in SIZES_MB]
    assert {each.call_ms for each in of_waiting} == {100}
    assert of_waiting[2].usd == pytest.approx(1e6 * 0.1 * PRICE)
    assert of_waiting[1].usd == pytest.approx(of_waiting[2].usd / 2)


def test_one_thread_has_one_processor_at_most_and_a_call_is_charged_a_millisecond_at_least() -> None:
    assert size(3538, 80, 40, 5).call_ms == 45
    assert size(1769, 80, 40, 5).cold_ms == 80
    assert size(1024, 0, 0.001, 0).call_ms == 1


def test_the_size_that_is_set_is_bold_and_one_without_headroom_has_no_figures() -> None:
    of = cells(memory_text(measured(peak_mb=512 / HEADROOM + 1)))

    assert of[256] == of[512] == "–"
    assert [each for each, text in of.items() if text.startswith("**")] == [function("query").memory_mb]
    assert of[1769].strip("*") == "100 · 10 · 0.23"
