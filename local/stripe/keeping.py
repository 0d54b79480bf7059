"""What a Stripe that was killed still knows: its whole world in one file, replaced before each answer.

The real one forgets no customer. A child that did would leave behind accounts whose customers nobody knows.
"""

import pickle
from dataclasses import replace
from pathlib import Path

from local.stripe.idempotency import Replays
from local.stripe.world import World


class Keeping:
    """A file that is this child's alone; without one, everything ends with the process."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def recall(self) -> tuple[World, Replays]:
        """The world as it was when the last answer was given, and the answers given before; or empty ones."""
        if self._path is None or not self._path.exists():
            return World(), Replays()
        world, replays = pickle.loads(self._path.read_bytes())  # noqa: S301 - we wrote it
        return world, replays

    def keep(self, world: World, replays: Replays) -> None:
        """Replace the file in one step. No fsync: it outlives the process, not the machine."""
        if self._path is None:
            return
        written = self._path.with_name(f"{self._path.name}.new")
        written.write_bytes(pickle.dumps((replace(world, listeners=[]), replays)))
        written.replace(self._path)
