"""Senders that read nothing but the status: log drains, syslog, webhooks, the journal."""

from functions.ingest.openapi.shapes import (
    ACCEPTED,
    AS_429,
    BYTES,
    DRAIN_ERRORS,
    EVENTS,
    JOURNAL,
    LINES,
    LOGPLEX,
    NDJSON,
    OBJECT,
    PLAIN,
    AcceptedEvents,
    HealthStatus,
    RejectionCounts,
)
from functions.shared.openapi import JSON, Body, Operation, Operations, Reply

_AS_403 = ("403 subscription_ended", "403 trial_ended", "403 account_closing")


def _forwarder(name: str, title: str, page: str, body: Body, reply: Reply, status: int = 200) -> Operation:
    """A route of senders that read nothing but the status: errors have our own form."""
    return Operation(
        name,
        title,
        "ingest",
        {status: reply},
        body=body,
        errors=(*DRAIN_ERRORS, *AS_429, *_AS_403),
        details={"all_rejected": RejectionCounts},
        page=page,
    )


_ACCEPTED_REPLY = Reply("The accepted events are durable.", AcceptedEvents, ACCEPTED)

_ANY_JSON = Body({JSON: {"anyOf": [OBJECT, EVENTS]}, NDJSON: LINES}, {JSON: [{"message": "GET / 200"}]})

OPERATIONS: Operations = {
    "POST /v1/heroku": _forwarder(
        "sendLogplex",
        "Send logs as Heroku's log drain",
        "clients/heroku.md",
        Body(
            {LOGPLEX: PLAIN},
            {LOGPLEX: "66 <190>1 2026-11-23T10:00:00+00:00 host app web.1 - order 42 shipped"},
        ),
        Reply("The accepted messages are durable."),
        204,
    ),
    "POST /v1/syslog": _forwarder(
        "sendSyslog",
        "Send syslog in lines or frames",
        "clients/syslog.md",
        Body(
            {"text/plain": PLAIN},
            {"text/plain": "<14>1 2026-11-23T10:00:00Z web1 app 7 - - order 42 shipped\n"},
        ),
        _ACCEPTED_REPLY,
        202,
    ),
    "POST /v1/vercel": _forwarder(
        "sendVercelLogs",
        "Send logs as Vercel's log drain",
        "clients/vercel.md",
        _ANY_JSON,
        Reply(
            "The accepted logs are durable; or the check of the endpoint.",
            (AcceptedEvents, HealthStatus),
            ACCEPTED,
        ),
    ),
    "POST /v1/cloudflare": _forwarder(
        "sendCloudflareLogs",
        "Send logs as Cloudflare's Logpush",
        "clients/cloudflare.md",
        _ANY_JSON,
        _ACCEPTED_REPLY,
    ),
    "POST /v1/github": _forwarder(
        "sendGithubEvent",
        "Receive a webhook of GitHub as an event",
        "clients/github.md",
        Body.json(OBJECT, {"action": "opened", "repository": {"full_name": "acme/shop"}}),
        _ACCEPTED_REPLY,
        202,
    ),
    "POST /v1/journald/upload": _forwarder(
        "sendJournal",
        "Send entries of the systemd journal",
        "clients/journald.md",
        Body({JOURNAL: BYTES}, {JOURNAL: "MESSAGE=order 42 shipped\n\n"}),
        _ACCEPTED_REPLY,
    ),
}
