"""Logs over HTTPS, into the staging bucket or a customer's own bucket."""

from infra.topology.byoc import BYOC_BUCKET_GRANTS, BYOC_SETTINGS
from infra.topology.shape import Function, Route
from infra.topology.throttles import DATA, INGEST, PROBE

OPENAPI_PATH = "openapi.json"
"""Where the function finds the OpenAPI document: the file in its zip, beside `functions/`."""

UNKNOWN_ROUTES = "ingest"
"""The function that answers unmatched requests: 404 and 405 follow the API contract (docs/adr/0030)."""

ROUTES = (
    Route("POST", "/v1/drain", throttle=INGEST, protocols=("ndjson", "fluent", "json")),
    Route("POST", "/v1/logs", throttle=DATA, protocols=("otlp",)),
    Route("ANY", "/", throttle=DATA, protocols=("elastic",)),
    Route("ANY", "/_bulk", throttle=DATA, protocols=("elastic",)),
    Route("ANY", "/{index}/_bulk", throttle=DATA, protocols=("elastic",)),
    Route("POST", "/loki/api/v1/push", throttle=DATA, protocols=("loki",)),
    Route("POST", "/api/prom/push", throttle=DATA, protocols=("loki",)),
    Route("POST", "/services/{path+}", throttle=DATA, protocols=("splunk",)),
    Route("POST", "/api/v2/logs", throttle=DATA, protocols=("datadog",)),
    Route("POST", "/v1/input", throttle=DATA, protocols=("datadog",)),
    Route("GET", "/api/v1/validate", throttle=PROBE, protocols=("datadog",)),
    Route("POST", "/", throttle=DATA, protocols=("logtail",)),
    Route("POST", "/v1/datasets/{dataset}/ingest", throttle=DATA, protocols=("axiom",)),
    Route("POST", "/v1/ingest/{dataset}", throttle=DATA, protocols=("axiom",)),
    Route("POST", "/v1/firehose", throttle=DATA, protocols=("firehose",)),
    Route("POST", "/v1/heroku", throttle=DATA, protocols=("heroku",)),
    Route("POST", "/v1/syslog", throttle=DATA, protocols=("syslog",)),
    Route("POST", "/v1/vercel", throttle=DATA, protocols=("vercel",)),
    Route("POST", "/v1/cloudflare", throttle=DATA, protocols=("cloudflare",)),
    Route("POST", "/v1/github", throttle=DATA, protocols=("github",)),
    Route("POST", "/v1/journald/upload", throttle=DATA, protocols=("journald",)),
    Route("GET", "/health", auth=False, throttle=PROBE),
    Route("GET", "/openapi.json", auth=False, throttle=PROBE),
)

HANDSHAKES = ("elastic", "loki", "splunk")
"""The protocols whose clients ask for more paths than there are routes: health, licence, templates."""

_PROTOCOLS = "; ".join(
    (
        *(f"{route.method} {route.path} {' '.join(route.protocols)}" for route in ROUTES if route.protocols),
        f"$default {' '.join(HANDSHAKES)}",
    )
)
"""What reads each route, as functions.ingest.protocols.table reads it."""

FUNCTIONS = (
    Function(
        name="ingest",
        handler="functions.ingest.handler.handler",
        memory_mb=1024,
        timeout_seconds=29,
        settings={
            "staging_bucket": "bucket:staging",
            "byoc_queue": "queue:staged-byoc",
            "wait_places": "40",
            "requests_a_line": "10",
            "protocols": _PROTOCOLS,
            "health_table": "table:health",
            "openapi_path": OPENAPI_PATH,
            **BYOC_SETTINGS,
        },
        grants=(
            "put:bucket:staging",
            "read:bucket:staging",
            "send:queue:staged-byoc",
            "read:table:health",
            "write:table:health",
            *BYOC_BUCKET_GRANTS,
        ),
        routes=ROUTES,
        local_concurrency=4,
        reserved_concurrency=300,
    ),
)
