"""Events as API Gateway sends them to ingest, the authorizer's verdict included."""

import base64
from typing import Any


def drain_event(
    body: bytes, headers: dict[str, str] | None = None, tenant: str = "acme", request_id: str = "request-1"
) -> dict[str, Any]:
    """POST /v1/drain with `body`, from a caller whose key was good."""
    verdict = {
        "verdict": "ok",
        "tenant_id": tenant,
        "key_id": "key_1",
        "project_id": "default",
        "scopes": "ingest",
        "retention_days": "30",
        "bytes_per_second": str(10**12),
        "actor": "key:key_1",
        "plan": "managed_30",
        "refusal": "",
    }
    return {
        "version": "2.0",
        "routeKey": "POST /v1/drain",
        "rawPath": "/v1/drain",
        "headers": {"content-type": "application/json", **(headers or {})},
        "requestContext": {
            "http": {"method": "POST", "path": "/v1/drain"},
            "requestId": request_id,
            "authorizer": {"lambda": verdict},
        },
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
