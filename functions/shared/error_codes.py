"""Every error code of the API: its statuses, what it means, and what the client does.

One code has one meaning on all routes. Clients branch on the code; the sentence in `error` is for people and
may change. `invalid_<field>` stands for one code per field. docs/api.md shows this table, and a test holds it
against the code and the docs.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """`statuses`: the HTTP statuses that come with it. `meaning` and `action` are phrases in Markdown."""

    statuses: tuple[int, ...]
    meaning: str
    action: str


INVALID_FIELD = "invalid_<field>"

ERROR_CODES: dict[str, ErrorCode] = {
    # 400: the request itself
    INVALID_FIELD: ErrorCode(
        (400,),
        "a field or parameter is missing or has an invalid value",
        "correct the field: `field` is its path, and `error` says what it must be",
    ),
    "unknown_field": ErrorCode(
        (400,), "the body has a field that does not exist", "remove it: `error` lists the allowed fields"
    ),
    "unknown_parameter": ErrorCode(
        (400,), "the URL has a parameter that the route does not have", "remove it, or send it in the body"
    ),
    "invalid_query": ErrorCode(
        (400,),
        "the text is not a [query](query.md)",
        "correct it at `column`: `expected` lists what may be there, and `caret` points at it",
    ),
    "invalid_body": ErrorCode(
        (400,), "the body is not valid JSON, or not an object", "send a JSON object with the route's fields"
    ),
    "invalid_json": ErrorCode((400,), "the logs are not valid JSON", "correct the JSON"),
    "invalid_encoding": ErrorCode(
        (400,), "the body is not what its `Content-Encoding` says", "compress the whole body once"
    ),
    "too_deep": ErrorCode((400,), "the logs are nested too deep", "flatten the events"),
    "no_events": ErrorCode((400,), "the body holds no events", 'send `{"events": [...]}`, a list or NDJSON'),
    "all_rejected": ErrorCode((400,), "every event was rejected", "read the reasons in `errors`"),
    "invalid_idempotency_key": ErrorCode(
        (400,), "the `Idempotency-Key` is longer than 255 characters", "send a shorter one"
    ),
    "query_too_heavy": ErrorCode(
        (400,), "the search takes too much time or memory", "narrow the time range, or add a condition"
    ),
    "invalid_code": ErrorCode((400,), "the mailed code is wrong or expired", "request a new one"),
    "invalid_signature": ErrorCode(
        (400,), "the webhook has no valid, current Stripe signature", "check the webhook's signing secret"
    ),
    "confirmation_required": ErrorCode(
        (400,), "deleting an account needs its id", "send `confirm` with the id that `confirm` shows"
    ),
    "destination_unusable": ErrorCode(
        (400,), "the BYOC destination failed its test and is not stored", "follow `fix` of each failed step"
    ),
    "logs_not_held": ErrorCode(
        (400,), "a BYOC account's logs are in its own ClickHouse", "repeat the export without `logs`"
    ),
    # 401, 402, 403: who asks, and what the account may do
    "unauthorized": ErrorCode(
        (401,), "no key, an unknown or revoked key, or an ended session", "send a valid key, or log in again"
    ),
    "key_expired": ErrorCode((401,), "the key has expired", "create or rotate a key"),
    "invalid_login": ErrorCode(
        (401,), "the sign-in failed, whatever is wrong", "check address and password, or log in again"
    ),
    "no_session": ErrorCode(
        (401,), "the browser's cookie holds no session", "log in with `email` and `password`"
    ),
    "quota_exceeded": ErrorCode(
        (402,), "the hard cap that the account set is reached", "raise or remove the cap"
    ),
    "trial_quota_exceeded": ErrorCode((402,), "the free trial's volume is used up", "choose a plan"),
    "trial_ended": ErrorCode((402,), "the free trial has ended", "choose a plan"),
    "payment_overdue": ErrorCode((402, 409), "a payment is missing", "update the card in the billing portal"),
    "subscription_ended": ErrorCode((402,), "the subscription has ended", "choose a plan"),
    "card_declined": ErrorCode(
        (402,), "the card was declined, and nothing was changed", "update the card in the billing portal"
    ),
    "account_closing": ErrorCode(
        (402, 409), "the account is being closed", "cancel its erasure: `DELETE /v1/erasures/{id}`"
    ),
    "forbidden_scope": ErrorCode(
        (403,), "the key lacks the scope that `error` names", "use a key with that scope"
    ),
    "sign_in_required": ErrorCode(
        (403,), "the route needs a person's session, not a key", "send the access token of a login"
    ),
    "cross_site_request": ErrorCode(
        (403,), "`cookie` was sent by a page of another origin", "log in without `cookie`"
    ),
    "unconfirmed": ErrorCode((403,), "the email address is not confirmed", "enter the mailed code"),
    "no_account": ErrorCode((403,), "the sign-in belongs to no account", "sign up"),
    "second_factor_required": ErrorCode(
        (403,), "the account has a second factor, which is not supported yet", "contact support"
    ),
    "no_destination": ErrorCode(
        (403, 404, 409), "the BYOC account has no destination", "set it with `PUT /v1/destination`"
    ),
    # 404 to 415: the place, the state of things, the size
    "not_found": ErrorCode(
        (404,), "nothing at this path or with this id, or it is another account's", "check path and id"
    ),
    "method_not_allowed": ErrorCode(
        (405,), "the path exists, but not for this method", "use a method of the `Allow` header"
    ),
    "concurrent_change": ErrorCode(
        (409,), "another request changed the same thing; nothing was changed", "check the state, then retry"
    ),
    "idempotency_key_reused": ErrorCode(
        (409,),
        "the `Idempotency-Key` came with another body in 24 hours",
        "send a new key with a new batch",
    ),
    "two_stores": ErrorCode(
        (409,),
        "stats cannot cover both ClickHouses of an account that moved to BYOC",
        "send `store` with `byoc` or `managed`",
    ),
    "already_rotated": ErrorCode((409,), "the key has a successor", "use the successor"),
    "key_not_active": ErrorCode((409,), "the key is revoked or expired", "create a new key"),
    "too_many_keys": ErrorCode((409,), "the account has its maximum of keys", "revoke a key"),
    "too_many_saved_searches": ErrorCode(
        (409,), "the account has its maximum of saved searches", "delete a saved search"
    ),
    "no_email_change": ErrorCode((409,), "no address waits for confirmation", "request the change first"),
    "no_owner": ErrorCode((409,), "no person signed up for this account", "use a key instead"),
    "already_subscribed": ErrorCode(
        (409,), "a subscription exists", "change its plan with `POST /v1/billing/plan`"
    ),
    "no_subscription": ErrorCode(
        (409,), "no plan was bought yet", "choose one with `POST /v1/billing/checkout`"
    ),
    "not_resumable": ErrorCode(
        (409,), "the file did not stop because of the account's status", "read its status"
    ),
    "expired": ErrorCode((409,), "the quarantined rows are past retention", "they cannot be replayed"),
    "unreadable_document": ErrorCode(
        (409,), "the object is not a quarantine document", "delete it if it is not yours"
    ),
    "listing_too_long": ErrorCode(
        (409,), "`quarantine/` in your bucket has too many objects", "delete objects that do not belong there"
    ),
    "export_in_progress": ErrorCode(
        (409,),
        "a data export, or two exports of search results, are in progress",
        "wait until one is ready",
    ),
    "not_cancellable": ErrorCode(
        (409,), "only the erasure of an account can be cancelled, before it begins", "read its status"
    ),
    "too_many_erasures": ErrorCode(
        (409,), "the account has its maximum of open erasures", "wait until one is verified"
    ),
    "cursor_expired": ErrorCode(
        (410,), "the tail's cursor is older than a day, or the logs moved", "start again without `cursor`"
    ),
    "payload_too_large": ErrorCode(
        (413,), "the body, its decoded size or a file is over the limit", "send less: `error` has the limit"
    ),
    "too_many_events": ErrorCode((413,), "the body holds more than 200,000 events", "split the batch"),
    "event_too_large": ErrorCode((413,), "an event of a large body is over 2 MiB", "shorten the event"),
    "unsupported_encoding": ErrorCode(
        (415,), "the `Content-Encoding` is not supported", "use one that `error` lists"
    ),
    # 429: too much, too often; with Retry-After
    "backpressure_saturated": ErrorCode(
        (429,), "the account sends faster than its plan's rate", "retry after `Retry-After`"
    ),
    "too_many_attempts": ErrorCode(
        (429,), "too many invalid keys, sign-ins or codes", "wait as long as `Retry-After` says"
    ),
    "search_budget_exceeded": ErrorCode(
        (429,),
        "searches of the account or the key have read more rows than its budget",
        "wait as long as `Retry-After` says; narrow the search, `?dry_run=true` shows what it reads",
    ),
    "too_many_searches": ErrorCode(
        (429,), "the account runs its maximum of searches", "retry when one has ended"
    ),
    "too_many_tails": ErrorCode(
        (429,), "the account has its maximum of concurrent tails", "close one, then retry"
    ),
    "too_many_uploads": ErrorCode(
        (429,),
        "the account announces or resumes more than 200 files in 10 seconds",
        "wait as long as `Retry-After` says, or put more into each file",
    ),
    "too_many_open_uploads": ErrorCode(
        (429,), "too many announced files have not arrived", "put the announced files, then retry"
    ),
    "too_many_exports": ErrorCode(
        (429,),
        "five data exports, or 50 exports of search results, in 24 hours",
        "download an existing one, or wait for `Retry-After`",
    ),
    "too_many_erasures_today": ErrorCode(
        (429,), "50 erasures of persons in 24 hours", "wait as long as `Retry-After` says"
    ),
    # 5xx: our fault, or that of a customer's own bucket and ClickHouse
    "internal_error": ErrorCode(
        (500,),
        "our fault; the outcome is unknown",
        "retry with the same `Idempotency-Key`",
    ),
    "try_again": ErrorCode(
        (503,), "one of our services does not answer; the outcome is unknown", "check the state, then retry"
    ),
    "staging_unavailable": ErrorCode(
        (503,), "S3 does not accept the logs; nothing was accepted", "retry with the same `Idempotency-Key`"
    ),
    "search_unavailable": ErrorCode((503,), "ClickHouse is down, busy or does not answer", "retry"),
    "destination_unavailable": ErrorCode(
        (503,),
        "BYOC: your bucket or ClickHouse does not answer or denies access",
        "find the cause with `POST /v1/destination/test`",
    ),
}

RECORD_CODES: dict[str, str] = {
    "invalid_json": "not valid JSON",
    "not_an_object": "not a JSON object",
    "message_missing": "no `message`",
    "message_not_text": "`message` is not text",
    "invalid_timestamp": "`timestamp` is no time in a supported form",
    "invalid_service": "`service` is not text, or longer than 200 characters",
    "invalid_project_id": "`project_id` is not text, or longer than 200 characters",
    "metadata_not_an_object": "`metadata` is not an object",
    "too_deep": "nested deeper than 200 levels",
    "too_many_fields": "more than 150,000 fields",
    "event_too_large": "message and metadata are over 1 MiB",
    "invalid_protobuf": "OTLP, Loki: the record is not valid protobuf",
    "append_only": "Elasticsearch: an action that changes or deletes a document",
    "invalid_labels": "Loki: the labels of the stream cannot be read",
    "invalid_record": "the record does not have the form of its protocol",
    "record_too_long": "in a file: longer than 2 MiB",
    "ragged_row": "in a file: a CSV row has more or fewer cells than the header",
    "open_quote": "in a file: a quote of a CSV cell is never closed",
    "cut_off": "in a file: the file ends in the middle of the record",
}
"""Codes of a rejected record -> the reason: in `errors` of a 202 or 400, and in `refusals` of a file."""


def markdown_table() -> str:
    """The table of docs/api.md."""
    lines = ["| status | code | meaning | what to do |", "|---|---|---|---|"]
    for code, each in ERROR_CODES.items():
        statuses = ", ".join(str(status) for status in each.statuses)
        lines.append(f"| {statuses} | `{code}` | {each.meaning} | {each.action} |")
    return "\n".join(lines)
