"""One TLS context for all httpx clients of a test process.

A client, and each `httpx.get` and `httpx.post` makes one, reads the certificates of all authorities for its
context, in 12 to 23 ms of CPU time, although almost all tests speak plain HTTP to this machine.
"""

from functools import cache

from httpx._transports import default


def share_tls_context() -> None:
    """Let clients with equal settings share a context; a second call changes nothing."""
    if not hasattr(default.create_ssl_context, "cache_info"):
        default.create_ssl_context = cache(default.create_ssl_context)
