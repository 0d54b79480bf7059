"""White space inside a record changes nothing: JSON that is printed for people is the same event."""

import json
from typing import Any

import pytest

from tests.unit.ingest.protocols import InMemoryIngest
from tests.unit.ingest.sending import send

EVENT: dict[str, Any] = {"message": "a", "place": {"pod": ["x", {"y": 1.50}]}}
BODIES: dict[str, tuple[str, Any]] = {
    "drain": ("POST /v1/drain", [EVENT, EVENT]),
    "splunk": ("POST /services/collector/event", {"event": EVENT}),
    "splunk fields": ("POST /services/collector", {"event": "a", "fields": EVENT}),
    "datadog": ("POST /api/v2/logs", [EVENT]),
    "datadog message": ("POST /api/v2/logs", [{"message": EVENT}]),
    "logtail": ("POST /", [EVENT]),
    "axiom": ("POST /v1/ingest/shop", [EVENT]),
    "vercel": ("POST /v1/vercel", [EVENT]),
    "cloudflare": ("POST /v1/cloudflare", EVENT),
    "github": ("POST /v1/github", {"action": "opened", **EVENT}),
}


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", BODIES)
def test_a_pretty_printed_body_is_stored_as_the_compact_one(
    ingest: InMemoryIngest, name: str, line_end: str
) -> None:
    url, content = BODIES[name]
    printed = json.dumps(content, indent=2).replace("\n", line_end).encode()
    for tenant in ("acme", "globex"):
        send(url, json.dumps(content, separators=(",", ":")).encode(), tenant=tenant)
        answer = send(url, printed, tenant=tenant)
        assert answer["statusCode"] in (200, 202)
        compact, pretty = ingest.staged(tenant)
        received = {"received_at": "", "timestamp": ""}
        assert [row | received for row in pretty] == [row | received for row in compact]
