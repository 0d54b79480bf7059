"""Mail to people: send notices, unsubscribe, handle bounces and complaints."""

from infra.topology.settings import API, DOCS, MAIL_FROM
from infra.topology.shape import Function, QueueSource, Route
from infra.topology.throttles import UNSUBSCRIBE

FUNCTIONS = (
    Function(
        name="notifier",
        handler="functions.notices.notifier.handler",
        memory_mb=512,
        timeout_seconds=120,
        settings={
            "notices_table": "table:notices",
            "people_table": "table:people",
            "suppressions_table": "table:suppressions",
            "announcements_table": "table:announcements",
            "api_address": API,
            "docs_address": DOCS,
            "mail_from": MAIL_FROM,
            "mail_set": "mail:notices",
        },
        grants=(
            "read:table:notices",
            "write:table:notices",
            "read:table:people",
            "write:table:people",
            "read:table:suppressions",
            "write:table:announcements",
            "send:mail:notices",
        ),
        schedule_minutes=1,
    ),
    Function(
        name="unsubscribe",
        handler="functions.notices.unsubscribe.handler",
        memory_mb=512,
        timeout_seconds=10,
        settings={"people_table": "table:people", "audit_table": "table:audit"},
        grants=("read:table:people", "write:table:people", "append:table:audit"),
        routes=(
            Route("GET", "/v1/unsubscribe/{token}", auth=False, throttle=UNSUBSCRIBE),
            Route("POST", "/v1/unsubscribe/{token}", auth=False, throttle=UNSUBSCRIBE),
        ),
        reserved_concurrency=5,
    ),
    Function(
        name="mail-feedback",
        handler="functions.notices.feedback.handler",
        memory_mb=512,
        timeout_seconds=20,
        settings={
            "people_table": "table:people",
            "suppressions_table": "table:suppressions",
            "audit_table": "table:audit",
        },
        grants=(
            "read:table:people",
            "write:table:people",
            "write:table:suppressions",
            "append:table:audit",
            "consume:queue:mail-feedback",
        ),
        # No limit of concurrency: SES's sending rate is one.
        source=QueueSource("mail-feedback", batch_size=10, window_seconds=0, max_concurrency=None),
    ),
)
