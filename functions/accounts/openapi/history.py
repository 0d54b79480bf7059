"""Documentation of the routes of what happened: the audit trail, and announcements."""

from typing import Annotated

from msgspec import Meta, Struct

from functions.accounts import account_forms
from functions.shared.accounts.audit import MAX_PAGE
from functions.shared.openapi import (
    Operation,
    Operations,
    Parameter,
    Reply,
    TimestampText,
)


class AuditEntry(Struct, rename={"source": "from"}):
    """`actor` made the change from the address `from`; `subject` is the id of the changed thing."""

    id: str
    at: TimestampText
    actor: str
    action: str
    subject: str
    source: str
    user_agent: str


class AuditEntries(Struct):
    """Entries, newest first; `next_cursor` is null on the last page."""

    entries: list[AuditEntry]
    next_cursor: str | None


class ListedAnnouncement(Struct):
    """`effective_on`: the day on which a policy change takes effect."""

    id: str
    at: TimestampText
    kind: str
    title: str
    text: str
    effective_on: str | None


class AnnouncementList(Struct):
    """Announcements to the account and to all accounts, newest first."""

    announcements: list[ListedAnnouncement]


OPERATIONS: Operations = {
    "GET /v1/audit": Operation(
        "listAuditEntries",
        "Read the audit trail",
        "admin",
        {
            200: Reply(
                "A page of entries, newest first.",
                AuditEntries,
                {
                    "entries": [
                        {
                            "id": "01m89jaepfjtjc8cm4g2e0y51v",
                            "at": "2026-11-23T10:00:00.000Z",
                            "actor": "key:key_3f9c1b7a",
                            "action": "key.created",
                            "subject": "key_90d2e6c4",
                            "from": "192.0.2.7",
                            "user_agent": "curl/8.5.0",
                        }
                    ],
                    "next_cursor": None,
                },
            )
        },
        parameters=(
            Parameter("limit", "Entries on a page.", Annotated[int, Meta(ge=1, le=MAX_PAGE)], example=50),
            Parameter(
                "cursor",
                "The `next_cursor` of the previous page.",
                Annotated[str, Meta(pattern="^[0-9a-z]{26}$")],
            ),
        ),
        errors=("invalid_<field>",),
        page="account.md#read-the-audit-trail",
    ),
    "GET /v1/announcements": Operation(
        "listAnnouncements",
        "Read announcements",
        "admin",
        {
            200: Reply(
                "Announcements to the account and to all accounts, newest first.",
                AnnouncementList,
                {
                    "announcements": [
                        {
                            "id": "policy-2026-12",
                            "at": "2026-11-23T10:00:00.000Z",
                            "kind": "policy",
                            "title": "Privacy policy",
                            "text": "The privacy policy changes on 2026-12-31.",
                            "effective_on": "2026-12-31",
                        }
                    ]
                },
            )
        },
        parameters=(
            Parameter(
                "since",
                "Announcements after this time.",
                account_forms.Timestamp,
                example="2026-11-01T00:00:00Z",
            ),
        ),
        errors=("invalid_<field>",),
        page="account.md#read-announcements",
    ),
}
