"""The gateway's throttles: a token bucket for each route, over all callers."""

import time
from collections.abc import Callable, Mapping

from infra.topology import Throttle


class Throttles:
    """Admits requests while the bucket has tokens.

    Parameters
    ----------
    own: route key -> throttle, of the routes that have their own.
    others: throttle of all other routes, each with its own bucket.
    """

    def __init__(
        self, own: Mapping[str, Throttle], others: Throttle, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._own = own
        self._others = others
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}

    def admit(self, route_key: str) -> bool:
        """Take one token of the route's bucket; False if it is empty."""
        throttle, now = self._own.get(route_key, self._others), self._clock()
        left, since = self._left.get(route_key, (float(throttle.burst), now))
        left = min(float(throttle.burst), left + (now - since) * throttle.rate)
        admitted = left >= 1
        self._left[route_key] = (left - 1 if admitted else left, now)
        return admitted
