"""Fire the deployed schedules by moving the emulator's clock for schedules forward."""

from datetime import timedelta

from infra.topology import FUNCTIONS
from rehearsal.api_client import wait_for
from rehearsal.cloud import Cloud
from rehearsal.site import Site

RUN_SECONDS = 120.0


class Schedules:
    """Each schedule fires when the clock passes its time, and invokes its function as in the cloud."""

    def __init__(self, site: Site, cloud: Cloud) -> None:
        self._clock = site.clock
        self._cloud = cloud

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
        moved = float(self._clock.read_text()) + by.total_seconds()
        # One write of a few bytes: the emulator reads the old time or the new one.
        self._clock.write_text(f"{moved:.0f}")

        def all_ran() -> bool:
            now = self._cloud.invocations()
            self._missing = [name for name in fired if now[name] <= before[name]]
            return not self._missing

        wait_for(f"the schedules of {', '.join(fired)}", all_ran, RUN_SECONDS)
