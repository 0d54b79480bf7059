"""The dashboard, on the API's own origin (docs/adr/0043)."""

from infra.topology.shape import Function, Route
from infra.topology.throttles import ASSET, PAGE

PAGE_FILES = "page"
"""Where the function finds the dashboard: the folder in its zip, beside `functions/`."""

PAGES = (
    "/sign-up",
    "/sign-in",
    "/confirm",
    "/forgot",
    "/start",
    "/search",
    "/s/{id}",
    "/live",
    "/trace/{id}",
    "/uploads",
    "/uploads/quarantine",
    "/billing",
    "/keys",
    "/privacy",
    "/erasures/{id}",
    "/notices",
    "/settings",
    "/settings/destination",
    "/settings/audit",
)
"""The paths of web/src/app/app.tsx."""

FUNCTIONS = (
    Function(
        name="page",
        handler="functions.page.handler.handler",
        memory_mb=256,
        timeout_seconds=10,
        settings={"page_files": PAGE_FILES, "drop_bucket": "bucket:drop"},
        routes=(
            *(Route("GET", path, auth=False, throttle=PAGE, is_api=False) for path in PAGES),
            Route("GET", "/icon.svg", auth=False, throttle=PAGE, is_api=False),
            Route("GET", "/assets/{file}", auth=False, throttle=ASSET, is_api=False),
        ),
        local_concurrency=2,
        reserved_concurrency=10,
    ),
)
