"""Identity: the authorizer of every route, sign-in, accounts and their API keys."""

from infra.topology.settings import MAIL_FROM
from infra.topology.shape import Function, Route
from infra.topology.throttles import CODES, MAILS, SESSIONS

AUTHORIZER = "authorizer"

IDENTITY = {
    "identity_client": "identity:client",
    "identity_issuer": "identity:issuer",
    "identity_keys_url": "identity:keys_url",
}
"""Settings to verify that a token is from our own user pool."""

FUNCTIONS = (
    Function(
        name=AUTHORIZER,
        handler="functions.accounts.authorizer.handler",
        memory_mb=512,
        timeout_seconds=5,
        settings={
            "accounts_table": "table:accounts",
            "keys_table": "table:keys",
            "people_table": "table:people",
            "attempts_table": "table:attempts",
            **IDENTITY,
        },
        grants=(
            "read:table:accounts",
            "read:table:keys",
            "write:table:keys",
            "read:table:people",
            "read:table:attempts",
            "write:table:attempts",
        ),
        local_concurrency=1,
        reserved_concurrency=150,
    ),
    Function(
        name="sign-in",
        handler="functions.accounts.sign_in.handler",
        memory_mb=512,
        timeout_seconds=20,
        settings={
            "accounts_table": "table:accounts",
            "keys_table": "table:keys",
            "people_table": "table:people",
            "attempts_table": "table:attempts",
            "audit_table": "table:audit",
            "identity_pool": "identity:pool",
            "identity_client": "identity:client",
            "mail_from": MAIL_FROM,
            "mail_set": "mail:notices",
            "attempts_an_address": "50",
            "min_response_ms": "1000",
        },
        grants=(
            "read:table:accounts",
            "write:table:accounts",
            "read:table:people",
            "write:table:people",
            "read:table:attempts",
            "write:table:attempts",
            "append:table:audit",
            "sign-in:identity:pool",
            "send:mail:notices",
        ),
        routes=(
            Route("POST", "/v1/signup", auth=False, throttle=MAILS),
            Route("POST", "/v1/signup/confirm", auth=False, throttle=CODES),
            Route("POST", "/v1/signup/resend", auth=False, throttle=MAILS),
            Route("POST", "/v1/login", auth=False, throttle=SESSIONS),
            Route("POST", "/v1/password/forgot", auth=False, throttle=MAILS),
            Route("POST", "/v1/password/reset", auth=False, throttle=CODES),
            Route("POST", "/v1/password/change", throttle=CODES),
            Route("POST", "/v1/logout", throttle=SESSIONS),
        ),
        reserved_concurrency=60,
    ),
    Function(
        name="accounts",
        handler="functions.accounts.handler.handler",
        memory_mb=512,
        timeout_seconds=20,
        settings={
            "accounts_table": "table:accounts",
            "keys_table": "table:keys",
            "key_lists_table": "table:key-lists",
            "people_table": "table:people",
            "audit_table": "table:audit",
            "announcements_table": "table:announcements",
            "attempts_table": "table:attempts",
            "identity_pool": "identity:pool",
            "identity_client": "identity:client",
            "attempts_an_address": "50",
            "min_response_ms": "1000",
        },
        grants=(
            "read:table:accounts",
            "write:table:accounts",
            "read:table:keys",
            "write:table:keys",
            "read:table:key-lists",
            "write:table:key-lists",
            "read:table:people",
            "write:table:people",
            "read:table:audit",
            "append:table:audit",
            "read:table:announcements",
            "read:table:attempts",
            "write:table:attempts",
        ),
        routes=(
            Route("GET", "/v1/account"),
            Route("PATCH", "/v1/account"),
            Route("POST", "/v1/account/email/confirm"),
            Route("GET", "/v1/keys"),
            Route("POST", "/v1/keys"),
            Route("POST", "/v1/keys/{id}/rotate"),
            Route("DELETE", "/v1/keys/{id}"),
            Route("GET", "/v1/audit"),
            Route("GET", "/v1/announcements"),
        ),
    ),
)
