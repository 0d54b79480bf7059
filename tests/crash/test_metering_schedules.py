"""No schedule of meter and report bills a byte twice or never; the ways that only look right are caught."""

from collections.abc import Iterator

import pytest

from functions.billing.meter import Meter
from functions.billing.reporting.meter_event_sender import MeterEventSender
from tests.crash.metering_controls import METERS, REPORTERS
from tests.crash.metering_schedules import drive
from tests.crash.metering_world import MeteringWorld, metering_world


@pytest.fixture(scope="module")
def here() -> Iterator[MeteringWorld]:
    with metering_world() as made:
        yield made


def test_billed_is_counted_is_stored_whatever_the_schedule(here: MeteringWorld) -> None:
    drive(here, examples=12)


@pytest.mark.soak
def test_nor_any_of_many(here: MeteringWorld) -> None:
    drive(here, examples=400)


@pytest.mark.parametrize("control", REPORTERS, ids=lambda each: each.__name__)
def test_a_report_that_only_looks_right_is_caught(
    here: MeteringWorld, monkeypatch: pytest.MonkeyPatch, control: type[MeterEventSender]
) -> None:
    monkeypatch.setattr(
        here, "make_reporter", lambda: control(here.usage, here.fragile, here.meter_id, here.clock)
    )
    with pytest.raises(AssertionError, match="billed"):
        drive(here, examples=40, control=True)


@pytest.mark.parametrize("control", METERS, ids=lambda each: each.__name__)
def test_a_meter_that_only_looks_right_is_caught(
    here: MeteringWorld, monkeypatch: pytest.MonkeyPatch, control: type[Meter]
) -> None:
    monkeypatch.setattr(
        here,
        "make_meter",
        lambda: control(here.batches, here.usage, here.client, here.follow_ups.try_follow_up),
    )
    with pytest.raises(AssertionError, match="counted"):
        drive(here, examples=40, control=True)
