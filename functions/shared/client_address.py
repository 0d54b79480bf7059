"""The network address that a request comes from and the host that it names, also behind CloudFront."""

import hashlib
import hmac
from dataclasses import dataclass
from functools import cache
from typing import Any

from functions.shared.settings import load

EDGE_HEADER = "x-astralog-edge"
VIEWER_HEADER = "x-astralog-viewer"
HOST_HEADER = "x-astralog-host"
"""CloudFront sends these with each request: its secret, the viewer's address, and the host that it named."""


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """`edge_secret_sha256`: hex digests of CloudFront's secret, separated by commas; empty without it."""

    edge_secret_sha256: str = ""


def client_address(event: dict[str, Any]) -> str:
    """The address of the caller of an HTTP API event (payload 2.0); empty if the event has none.

    Behind CloudFront it is the viewer's. Anyone can send these headers to the API itself, so the viewer's
    address counts only beside CloudFront's secret.
    """
    headers = event.get("headers") or {}
    if headers.get(VIEWER_HEADER) and _is_edge(headers.get(EDGE_HEADER, "")):
        return str(headers[VIEWER_HEADER])
    return str(event.get("requestContext", {}).get("http", {}).get("sourceIp", ""))


def public_host(event: dict[str, Any]) -> str:
    """The host, with its port, that the caller of an HTTP API event used; empty if the event has none.

    API Gateway routes by `Host`, so CloudFront replaces it; the viewer's counts only beside its secret.
    """
    headers = event.get("headers") or {}
    if headers.get(HOST_HEADER) and _is_edge(headers.get(EDGE_HEADER, "")):
        return str(headers[HOST_HEADER])
    return str(headers.get("host", ""))


def _is_edge(secret: str) -> bool:
    digest = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
    return any(hmac.compare_digest(digest, each) for each in _digests())


@cache
def _digests() -> tuple[str, ...]:
    return tuple(filter(None, load(EdgeSettings).edge_secret_sha256.split(",")))
