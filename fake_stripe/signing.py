"""Stripe's webhook signature, and invalid ones that a receiver must reject."""

import hashlib
import hmac

HEADER = "Stripe-Signature"
FORGERIES = ("secret", "stale", "future", "truncated", "altered", "unsigned", "empty", "scheme")
FAR_SECONDS = 3600


def signature(body: bytes, secret: str, at: int) -> str:
    """`t=<seconds>,v1=<HMAC-SHA256 of "<seconds>.<body>">`"""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def forged(body: bytes, secret: str, at: int, how: str) -> tuple[bytes, str | None]:
    """A body and a header that do not match, one of FORGERIES."""
    right = signature(body, secret, at)
    wrong: dict[str, tuple[bytes, str | None]] = {
        "secret": (body, signature(body, f"{secret}x", at)),
        "stale": (body, signature(body, secret, at - FAR_SECONDS)),
        "future": (body, signature(body, secret, at + FAR_SECONDS)),
        "truncated": (body[: len(body) // 2], right),
        "altered": (body.replace(b'"livemode":false', b'"livemode":true', 1) + b" ", right),
        "unsigned": (body, None),
        "empty": (body, ""),
        "scheme": (body, right.replace("v1=", "v0=")),
    }
    return wrong[how]
