"""Persist the whole state in one file, replaced before each response, so that a killed child restores it.

The real Stripe loses no customer. After a restart without state, accounts would refer to unknown customers.
"""

import pickle
from dataclasses import replace
from pathlib import Path

from fake_stripe.idempotency import StoredResponses
from fake_stripe.world import World


class StateFile:
    """A file of this child only; without one, the state ends with the process."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def load(self) -> tuple[World, StoredResponses]:
        """The state and the stored responses as of the last response; empty ones without a file."""
        if self._path is None or not self._path.exists():
            return World(), StoredResponses()
        world, replays = pickle.loads(self._path.read_bytes())  # noqa: S301 - we wrote it
        return world, replays

    def save(self, world: World, replays: StoredResponses) -> None:
        """Replace the file in one step. No fsync: it survives the process, not the machine."""
        if self._path is None:
            return
        written = self._path.with_name(f"{self._path.name}.new")
        written.write_bytes(pickle.dumps((replace(world, listeners=[]), replays)))
        written.replace(self._path)
