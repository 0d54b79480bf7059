"""Fire the deployed schedules by moving the emulator's clock for schedules forward."""

from datetime import timedelta
from pathlib import Path

from infra.topology import FUNCTIONS
from rehearsal.api_client import wait_for
from rehearsal.cloud import Cloud
from rehearsal.site import Site

RUN_SECONDS = 120.0


class Schedules:
    """Each schedule fires when the clock passes its time, and invokes its function as in the cloud."""

    def __init__(self, site: Site, cloud: Cloud) -> None:
        self._clock = site.clock
        self._functions_clock = site.functions_clock
        self._cloud = cloud

    def pass_time(self, by: timedelta) -> None:
        """Make `by` pass for the functions and Stripe, then fire the schedules of that time."""
        _advance(self._functions_clock, by)
        self.forward(by)

    def forward(self, by: timedelta) -> None:
        """Move the clock by `by` and wait until each function with a schedule in that time has run.

        Raises
        ------
        RehearsalError: a function did not run.
        """
        fired = [
            spec.name
            for spec in FUNCTIONS
            if spec.schedule_minutes and timedelta(minutes=spec.schedule_minutes) <= by
        ]
        before = self._cloud.invocations()
        _advance(self._clock, by)

        def all_ran() -> bool:
            now = self._cloud.invocations()
            self._missing = [name for name in fired if now[name] <= before[name]]
            return not self._missing

        wait_for(f"the schedules of {', '.join(fired)}", all_ran, RUN_SECONDS)


def _advance(clock: Path, by: timedelta) -> None:
    """Replace the file in one step: a reader sees the old time or the new one."""
    unfinished = clock.with_suffix(".unfinished")
    unfinished.write_text(f"{float(clock.read_text()) + by.total_seconds():.0f}")
    unfinished.replace(clock)
