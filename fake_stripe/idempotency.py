"""`Idempotency-Key`: the same request gets the same response; another request with the key is rejected.

As in Stripe: for POST, for 24 hours, and only for requests that began to execute: 2xx or a card's 402, not
invalid requests.
"""

import hashlib
from dataclasses import dataclass

from fake_stripe.errors import ApiError
from fake_stripe.periods import DAY_SECONDS

KEPT_STATUSES = (200, 402)
MAX_KEY_CHARACTERS = 255


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A response and its request."""

    status: int
    body: bytes
    request_id: str


class StoredResponses:
    """Stored responses by key."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, str, StoredResponse]] = {}

    def find(self, key: str, request: str, now: int) -> StoredResponse | None:
        """The stored response of this request and key; rejected if the key belongs to another request."""
        if len(key) > MAX_KEY_CHARACTERS:
            raise ApiError(400, "The idempotency key is too long.", type="idempotency_error")
        at, fingerprint, answer = self._kept.get(key, (0, "", None))
        if answer is None or now >= at + DAY_SECONDS:
            return None
        if fingerprint != _fingerprint(request):
            raise ApiError(
                400,
                "Keys for idempotent requests can only be used with the same parameters as first.",
                type="idempotency_error",
            )
        return answer

    def save(self, key: str, request: str, now: int, answer: StoredResponse) -> None:
        if answer.status in KEPT_STATUSES:
            self._kept[key] = (now, _fingerprint(request), answer)


def _fingerprint(request: str) -> str:
    return hashlib.sha256(request.encode()).hexdigest()
