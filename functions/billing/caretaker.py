"""Follow-up for an account when its usage has grown, and every hour: idempotent, from stored data.

Reporting begins for a new subscription, so that earlier usage is not billed. The customer's caps are compared
with the period's usage: notices are written to the outbox, and the account status is recomputed.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from functions.billing.book import Book
from functions.billing.caps import caps_of, due_notices
from functions.billing.entitlements import limit_bytes, period
from functions.billing.reporter import opened_for
from functions.billing.usage import Usage
from functions.shared import journal
from functions.shared.account.standing import Standing
from functions.shared.errors import AstralogError
from functions.shared.tenancy import TenantId


class Books(Protocol):
    """Methods used of functions.billing.books.Books."""

    def of(self, tenant: TenantId) -> Book: ...
    def standing(self, tenant: TenantId) -> Standing | None: ...


class Desk(Protocol):
    """Methods used of functions.billing.apply.Desk."""

    def settle(self, tenant: TenantId) -> Book: ...


class Outbox(Protocol):
    """Methods used of functions.shared.account.notices.Notices."""

    def put(self, tenant: TenantId, notice_id: str, kind: str, title: str, text: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Caretaker:
    """Follows up accounts. `clock`: Unix seconds."""

    books: Books
    usage: Usage
    desk: Desk
    outbox: Outbox
    clock: Callable[[], float] = time.time

    def try_to_look_after(self, tenant: TenantId) -> bool:
        """Follow up one of many accounts; a failure is logged and does not affect the others."""
        try:
            self.look_after(tenant)
        except AstralogError as fault:
            journal.write("account_not_looked_after", tenant_id=tenant, error_type=type(fault).__name__)
            return False
        return True

    def look_after(self, tenant: TenantId) -> None:
        """Follow up one account, see above; raises the errors of the stores and of conflicting writes.

        If the account is gone, its usage is deleted: its last batches may be counted after its erasure.
        """
        if self.books.standing(tenant) is None:
            self.usage.forget(tenant)
            return
        book = self.books.of(tenant)
        tally = self.usage.tally(tenant)
        opened_for(book, tally.reported, tally.raw_bytes, self.usage)
        self.watch_caps(book)

    def watch_caps(self, book: Book) -> None:
        """Notify of caps that are nearly or fully reached; apply or lift a hard cap.

        Accounts that are being closed get no notices; their logs are rejected anyway.
        """
        standing = self.books.standing(book.tenant)
        leaving = book.closing_requested_at is not None
        if standing is None or leaving or not (caps := caps_of(book, standing)):
            return
        since, until = period(book, self.clock())
        used_bytes = self.usage.used_bytes(book.tenant, since, until)
        for each in due_notices(caps, used_bytes, since):
            self.outbox.put(book.tenant, each.notice_id, each.kind, each.title, each.text)
        if limit_bytes(book, standing) is not None:
            self.desk.settle(book.tenant)
