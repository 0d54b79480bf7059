"""Data inventory: every table with data of an account, by name, what the owner is shown, what is erased.

Plain data, and complete: a test compares it with the topology, so that neither export nor erasure can miss a
new table. An attribute that is on neither list of its table is in no export; another test searches for such
attributes among the items of an account that uses every feature.
"""

from functions.privacy.inventory_entry import ATTRIBUTE, ELSEWHERE, FORGOTTEN, HIDDEN, INNER, InventoryEntry
from functions.shared.tenancy import (
    own_destination,
    own_drops,
    own_export_reads,
    own_searches,
    own_staging,
    own_tail_reads,
    own_tails,
)

DATA_INVENTORY = (
    InventoryEntry(
        "people",
        key=("subject",),
        found=ATTRIBUTE,
        file="people",
        shows=(
            "subject", "name", "email", "asked_emails", "state", "terms_version", "terms_accepted_at",
            "marketing_opt_in", "tenant_id",
        ),
        withholds={
            "proof": HIDDEN,
            "tried_code": HIDDEN,
            "unsubscribe_token": HIDDEN,
            "owed": INNER,
            "sessions_ended_at": INNER,
            "ended_sessions": INNER,
            "email_looks": INNER,
            "forget_at": INNER,
        },
    ),
    InventoryEntry(
        "keys",
        key=("key_hash",),
        found=ATTRIBUTE,
        file="keys",
        shows=(
            "key_id", "name", "shown_prefix", "scopes", "project_id", "created_at", "expires_at",
            "revoked_at", "last_used_hour", "successor", "tenant_id",
        ),
        withholds={"key_hash": HIDDEN, "forget_at": INNER},
    ),
    InventoryEntry(
        "key-lists",
        key=("tenant_id", "key_id"),
        withholds={
            "tenant_id": ELSEWHERE,
            "key_id": ELSEWHERE,
            "key_hash": HIDDEN,
            "revision": INNER,
            "forget_at": INNER,
        },
    ),
    InventoryEntry(
        "audit",
        key=("tenant_id", "entry"),
        file="audit",
        shows=("entry", "at", "actor", "action", "subject", "from", "user_agent"),
        withholds={"tenant_id": ELSEWHERE},
    ),
    InventoryEntry(
        "announcements",
        key=("tenant_id", "announcement"),
        file="announcements",
        shows=("announcement", "at", "kind", "title", "text", "effective_on"),
        withholds={"tenant_id": ELSEWHERE, "forget_at": INNER},
    ),
    InventoryEntry(
        "notices",
        key=("tenant_id", "notice"),
        file="notices",
        shows=("notice", "at", "kind", "title", "text", "effective_on", "campaign"),
        withholds={
            "tenant_id": ELSEWHERE,
            "announce": INNER,
            "due": INNER,
            "due_at": INNER,
            "mailed": INNER,
            "tries": INNER,
            "forget_at": INNER,
        },
    ),
    InventoryEntry(
        "uploads",
        key=("tenant_id", "entry"),
        file="uploads",
        shows=(
            "entry", "upload_id", "key", "bucket", "file_key", "size_bytes", "project_id", "originals",
            "created_at", "until", "received_at", "retention_days", "state", "format", "compression", "rows",
            "raw_bytes", "refused", "refusals", "bytes_read", "code", "reason", "updated_at", "file", "files",
        ),
        withholds={
            "tenant_id": ELSEWHERE,
            **dict.fromkeys(
                (
                    "etag", "parts", "checkpoint", "attempts", "owner", "lease_until", "forget_at", "kept_on",
                    "counted_files", "counted_bytes", "slot_0_until", "slot_0_owner", "slot_1_until",
                    "slot_1_owner", "skip_ms", "loaded", "wakes_at", "waits_until",
                ),
                INNER,
            ),
        },
    ),
    InventoryEntry(
        "destinations",
        key=("tenant_id",),
        file="destination",
        shows=("version", "summary"),
        withholds={
            "tenant_id": ELSEWHERE,
            "s3_credentials": HIDDEN,
            "clickhouse_credentials": HIDDEN,
        },
    ),
    InventoryEntry(
        "external-ids",
        key=("tenant_id",),
        file="external-id",
        shows=("external_id",),
        withholds={"tenant_id": ELSEWHERE},
    ),
    InventoryEntry(
        "saved-searches",
        key=("tenant_id", "search_id"),
        file="saved-searches",
        shows=(
            "search_id", "name", "query_text", "since", "until", "view", "columns", "compare", "wrap",
            "created_at", "created_by", "updated_at",
        ),
        withholds={"tenant_id": ELSEWHERE, "saved": INNER},
    ),
    InventoryEntry(
        "search-budgets",
        key=("tenant_id", "entry"),
        withholds={"tenant_id": ELSEWHERE, "entry": ELSEWHERE, "paid_ms": INNER, "forget_at": INNER},
    ),
    InventoryEntry("shards", key=("tenant_id",), withholds={"tenant_id": ELSEWHERE, "shard_hex": HIDDEN}),
    InventoryEntry(
        "health",
        key=("destination",),
        named=lambda tenant: (
            own_destination(tenant),
            own_drops(tenant),
            own_searches(tenant),
            own_staging(tenant),
            own_tails(tenant),
            own_tail_reads(tenant),
            own_export_reads(tenant),
        ),
        file="destination-health",
        shows=("destination", "failures", "failing_since", "well_since", "reason", "told_of"),
        withholds={
            "resume_at": INNER,
            "slow_until": INNER,
            **{f"slot_{number}_{each}": INNER for number in range(8) for each in ("until", "owner")},
        },
    ),
    InventoryEntry(
        "exports",
        key=("tenant_id", "entry"),
        file="exports",
        shows=("entry", "state", "requested_at", "logs_from", "logs_to", "ready_at", "bytes"),
        withholds={
            "tenant_id": ELSEWHERE,
            "open": INNER,
            "opens_at": INNER,
            "began_at": INNER,
            "busy_until": INNER,
            "progress": INNER,
            "revision": INNER,
            "part": INNER,
            "etag": INNER,
            "files": INNER,
            "export_id": INNER,
            "forget_at": INNER,
        },
    ),
    InventoryEntry(
        "search-exports",
        key=("tenant_id", "entry"),
        file="search-exports",
        shows=("entry", "state", "requested_at", "request", "ready_at", "reason"),
        withholds={
            "tenant_id": ELSEWHERE,
            **dict.fromkeys(
                (
                    "progress", "busy_until", "revision", "lock", "queue", "next_at", "export_id", "part",
                    "etag", "groups", "forget_at",
                ),
                INNER,
            ),
        },
    ),
    InventoryEntry(
        "erasures",
        key=("tenant_id", "erasure_id"),
        file="erasures",
        shows=(
            "erasure_id", "kind", "state", "requested_at", "starts_at", "due_at", "verified_at",
            "cancelled_at", "counts",
        ),
        withholds={
            "field": FORGOTTEN,
            "value": FORGOTTEN,
            "tenant_id": ELSEWHERE,
            "open": INNER,
            "byoc": INNER,
            "opens_at": INNER,
            "progress": INNER,
            "revision": INNER,
        },
    ),
    InventoryEntry(
        "billing",
        key=("entry",),
        found=ATTRIBUTE,
        file="billing",
        shows=(
            "entry", "customer_id", "subscription", "soft_cap_bytes", "hard_cap_bytes", "noted", "told",
            "closing_requested_at", "closed_at", "tenant_id",
        ),
        withholds={"version": INNER, "looked_at": INNER, "checkout_session": INNER, "checkout_at": INNER},
        after_billing=True,
    ),
    InventoryEntry(
        "usage",
        key=("tenant_id", "entry"),
        file="usage",
        shows=("tenant_id", "entry", "rows", "bytes", "own_rows", "own_bytes"),
        withholds={
            **dict.fromkeys(
                ("subscription_id", "customer_id", "period_start"), ELSEWHERE
            ),
            **dict.fromkeys(
                (
                    "version", "landed_bytes", "waived_bytes", "earlier_bytes", "first_dated", "last_dated",
                    "last_bytes", "period_bytes", "pending",
                ),
                INNER,
            ),
        },
        after_billing=True,
    ),
    InventoryEntry(
        "accounts",
        key=("tenant_id",),
        file="account",
        shows=(
            "tenant_id", "owner", "created_at", "plan", "retention_days", "bytes_per_second",
            "accepts_until", "end_reason", "capped_until", "cap_left_bytes", "cap_left_until",
            "cap_reason", "retention_steps", "closes_at",
        ),
        withholds={"closed": INNER},
        after_billing=True,
    ),
)  # fmt: skip
"""In the order in which they are erased."""

KEPT = {
    "attempts": "SHA-256 of a counter's name; not found by account, deleted after minutes, at most 30 days",
    "ledger": "keys of staged objects with the account's id, and its volume in each batch; they keep a "
    "redelivery from loading data twice, and are deleted after 45 days",
    "stripe-events": "ids of Stripe's events, which identify no account; deleted after 45 days",
    "tombstones": "SHA-256 of the account's id, for 90 days: data that still arrives is dropped",
    "turns": "SHA-256 of the account's id with a function's name, and when that function last worked for it; "
    "not found by anything else, and deleted after 7 days",
    "receipts": "what was erased, as counts, under hashes that only the receipt's id can link to it",
}
"""Table -> why its items stay after an erasure."""

BY_ADDRESS = {"suppressions": "SHA-256 of an e-mail address that bounced or complained"}
"""Table -> its data of an account's people, found only by their addresses."""

PREFIXES = {
    "staging": ("staged/", "idempotency/", "quarantine/", "uploads/"),
    "drop": ("dropin/",),
    "exports": ("exports/",),
}
"""Bucket -> its prefixes with data of accounts; below each, an account has a folder `v1/tenant=<id>/`."""

NOT_EXPORTED = {
    "drop": "files that are not deleted yet: the events read from them are in logs/",
    "staging": "data in transit: checkpoints of files; marks of Idempotency-Key, for two days",
}
"""Bucket -> its data of an account that is in no export."""

WITHOUT_ACCOUNT_DATA = {"reports": "figures of the functions, for all accounts together"}
"""Bucket -> why it has no data of an account."""
