"""Accept requests for data exports and erasures, store them, and cancel erasures."""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from functions.privacy import notice_texts
from functions.privacy.erasure.erasures import (
    AccountClosingError,
    ErasureChangedError,
    ErasureCounts,
    Erasures,
    NotCancellableError,
)
from functions.privacy.erasure.receipt_table import ErasureReceipts, ErasureStatus
from functions.privacy.erasure.record import ACCOUNT, PERSON, REQUESTED, Erasure
from functions.privacy.erasure.subject import Subject
from functions.privacy.export.exports import ExportOpenError, Exports
from functions.privacy.export.record import READY, Export
from functions.privacy.export.record import REQUESTED as EXPORT_REQUESTED
from functions.privacy.forms import RequestedPeriod
from functions.privacy.notice_texts import PrivacyNotice
from functions.privacy.refusals import Refusal, Refusals
from functions.shared.access import Principal
from functions.shared.accounts.audit import AuditTrail, Origin
from functions.shared.accounts.notice_outbox import NoticeOutbox
from functions.shared.accounts.session_check import SessionCheck
from functions.shared.errors import HttpError, RetryableError
from functions.shared.exports.archives import Archives
from functions.shared.tables.transaction import Write
from functions.shared.tenancy import TenantId
from functions.shared.turn_log import DynamoTurnLog

SECONDS_A_DAY = 86_400

MAX_OPEN_ERASURES = 50
ERASURES_A_DAY = 50
"""Erasures of persons, by one account in 24 hours: each rewrites the parts with its rows, for all tenants."""

_TRIES = 8
"""So often a request is counted whose account uses its last places at the same time."""

EXPORTS_A_DAY = 5

ID_BYTES = 20
"""160 random bits: the id of an erasure is enough to read its status, without any key."""


@dataclass(frozen=True, slots=True)
class PrivacyService:
    """Everything the routes do. Raises HttpError with the contract's answer, or a RetryableError.

    `turns`: the turns of requests for erasures, so that the last places are counted exactly. `cancel_days`:
    how many days the erasure of an account waits and can be cancelled.
    """

    erasures: Erasures
    receipts: ErasureReceipts
    exports: Exports
    archives: Archives
    audit: AuditTrail
    notices: NoticeOutbox
    turns: DynamoTurnLog
    sessions: SessionCheck
    cancel_days: int
    refusals: Refusals
    clock: Callable[[], float] = time.time

    def request_export(self, caller: Principal, logs: RequestedPeriod | None, who: Origin) -> Export:
        """Request a data export.

        Raises
        ------
        HttpError: 400 `logs_not_held`, 409 `export_in_progress`, 429 `too_many_exports`.
        """
        if logs and not caller.has_managed_rows(self.clock()):
            raise HttpError(
                400,
                "logs_not_held",
                "The logs of this account are in your own ClickHouse and no longer in ours, so we cannot "
                "export them. Repeat the request without 'logs'.",
            )
        now = self._now()
        self._few_copies(caller.tenant, now)
        export = Export(
            tenant=caller.tenant,
            export_id=f"exp_{secrets.token_hex(ID_BYTES)}",
            state=EXPORT_REQUESTED,
            requested_at=now,
            began_at=now,
            logs_from=logs.since if logs else None,
            logs_to=logs.until if logs else None,
        )
        entry = self.audit.entry(caller.tenant, who, "export.requested", export.export_id)
        try:
            self.exports.ask(
                export, [entry, self._notice_item(export.tenant, notice_texts.export_requested(export))]
            )
        except ExportOpenError:
            raise HttpError(
                409,
                "export_in_progress",
                "A data export of this account is already in progress. Wait until it is ready.",
            ) from None
        return export

    def list_exports(self, tenant: TenantId) -> list[Export]:
        """The tenant's data exports, newest first."""
        now = self.clock()
        return [each for each in self.exports.all(tenant) if not _forgotten(each, now)]

    def get_export(self, tenant: TenantId, export_id: str) -> Export:
        """The tenant's data export with that id.

        Raises
        ------
        HttpError: 404.
        """
        export = self.exports.of(tenant, export_id) if export_id.startswith("exp_") else None
        if export is None or _forgotten(export, self.clock()):
            raise HttpError(404, "not_found", "There is no data export with this id.")
        return export

    def link(self, export: Export, who: Origin) -> str | None:
        """A new link to an export while its archive exists; the request is recorded in the audit trail."""
        gone = export.gone_at is not None and export.gone_at <= self.clock()
        if export.state != READY or gone or not self.archives.has(export.object_key):
            return None
        self.audit.append(export.tenant, who, "export.link_made", export.export_id)
        return self.archives.link(export.object_key)

    def request_erasure(self, caller: Principal, subject: Subject, who: Origin) -> Erasure:
        """Request the erasure of a person's rows; while the same one waits, it is that one, until now.

        Requests of the account at the same time are counted again only when they may have used all that is
        left: to count reads its erasures.

        Raises
        ------
        HttpError: 409 `too_many_erasures`, 429 `too_many_erasures_today`.
        """
        for _ in range(_TRIES):
            now = self._now()
            self.refusals.check(caller.tenant, now)
            turn = self.turns.number(caller.tenant)
            counts = self.erasures.counts(subject, now - SECONDS_A_DAY, byoc=caller.byoc)
            if counts.waiting:
                try:
                    return self._request_again(caller.tenant, counts.waiting, now, who)
                except ErasureChangedError:
                    continue  # it has started: rows received since its request need another one
            left = self._erasures_left(caller.tenant, counts, now)
            erasure = Erasure(
                tenant=caller.tenant,
                erasure_id=_new_id(),
                kind=PERSON,
                state=REQUESTED,
                requested_at=now,
                starts_at=now,
                subject=subject,
                byoc=caller.byoc,
            )
            try:
                return self._store_request(erasure, who, [self.turns.next(caller.tenant, turn, left)])
            except ErasureChangedError:
                continue  # other requests have used what was left: count again, including their erasures
        raise RetryableError("other requests for erasures keep coming first")

    def request_account_erasure(self, caller: Principal, confirm: str | None, who: Origin) -> Erasure:
        """Request the erasure of the whole account, which starts when the time for cancelling is over.

        Raises
        ------
        HttpError: 400 `confirmation_required`, 409 `account_closing`.
        """
        if confirm != caller.tenant:
            raise HttpError(
                400,
                "confirmation_required",
                'This request erases the account and all of its logs. Send "confirm" with the account\'s id, '
                "as GET /v1/account shows it.",
                details={"confirm": str(caller.tenant)},
            )
        now = self._now()
        erasure = Erasure(
            tenant=caller.tenant,
            erasure_id=_new_id(),
            kind=ACCOUNT,
            state=REQUESTED,
            requested_at=now,
            starts_at=now + self.cancel_days * SECONDS_A_DAY,
            byoc=caller.byoc,
        )
        return self._store_request(erasure, who)

    def erasure(self, tenant: TenantId, erasure_id: str) -> Erasure:
        """The tenant's erasure with that id.

        Raises
        ------
        HttpError: 404.
        """
        found = self.erasures.of(tenant, erasure_id) if erasure_id.startswith("era_") else None
        if found is None:
            raise _no_erasure()
        return found

    def status(self, erasure_id: str) -> ErasureStatus | None:
        """The status of an erasure, for any caller who has its id."""
        return self.receipts.status(erasure_id, self.clock())

    def cancel(self, tenant: TenantId, erasure_id: str, who: Origin) -> Erasure:
        """Cancel the erasure of the account.

        Raises
        ------
        HttpError: 404; 409 `not_cancellable`.
        """
        erasure = self.erasure(tenant, erasure_id)
        entry = self.audit.entry(tenant, who, "erasure.cancelled", erasure_id)
        notice = self._notice_item(tenant, notice_texts.erasure_cancelled(erasure))
        try:
            return self.erasures.cancel(erasure, max(self.clock(), erasure.requested_at), [entry, notice])
        except NotCancellableError:
            raise HttpError(
                409,
                "not_cancellable",
                "Only the erasure of an account can be cancelled, and only before it begins.",
            ) from None

    def _now(self) -> int:
        """The next full second: everything received until now is before it."""
        return int(self.clock()) + 1

    def _store_request(self, erasure: Erasure, who: Origin, also: Sequence[Write] = ()) -> Erasure:
        entry = self.audit.entry(erasure.tenant, who, f"{erasure.kind}.erasure_requested", erasure.erasure_id)
        try:
            self.erasures.ask(
                erasure,
                [entry, self._notice_item(erasure.tenant, notice_texts.erasure_requested(erasure)), *also],
            )
        except AccountClosingError:
            raise HttpError(
                409,
                "account_closing",
                "The erasure of this account is already requested. See GET /v1/erasures.",
            ) from None
        return erasure

    def _request_again(self, tenant: TenantId, erasure_id: str, now: int, who: Origin) -> Erasure:
        waiting = self.erasures.of(tenant, erasure_id)
        if waiting is None:
            raise ErasureChangedError("the erasure is gone")
        entry = self.audit.entry(tenant, who, f"{PERSON}.erasure_requested", erasure_id)
        return self.erasures.request_again(waiting, now, [entry])

    def _erasures_left(self, tenant: TenantId, counts: ErasureCounts, now: int) -> int:
        """How many more erasures of persons the account may request, at least one."""
        left_open = MAX_OPEN_ERASURES - counts.open
        left_today = ERASURES_A_DAY - len(counts.persons_requested_at)
        if min(left_open, left_today) > 0:
            return min(left_open, left_today)
        refusal: Refusal = _too_many_open
        if left_open > 0:
            refusal = partial(_too_many_today, min(counts.persons_requested_at) + SECONDS_A_DAY)
        self.refusals.remember(tenant, refusal, now)
        raise refusal(now)

    def _few_copies(self, tenant: TenantId, now: int) -> None:
        recent = [
            each.requested_at for each in self.exports.all(tenant) if each.requested_at > now - SECONDS_A_DAY
        ]
        if len(recent) >= EXPORTS_A_DAY:
            raise HttpError(
                429,
                "too_many_exports",
                f"The limit is {EXPORTS_A_DAY} data exports in 24 hours. Download an existing one, or retry "
                "after the number of seconds in Retry-After.",
                retry_after_seconds=min(recent) + SECONDS_A_DAY - now,
            )

    def _notice_item(self, tenant: TenantId, notice: PrivacyNotice) -> Write:
        return self.notices.put_item(tenant, notice.notice_id, notice.kind, notice.title, notice.text)


def _new_id() -> str:
    return f"era_{secrets.token_hex(ID_BYTES)}"


def _no_erasure() -> HttpError:
    return HttpError(404, "not_found", "There is no erasure with this id.")


def _forgotten(export: Export, now: float) -> bool:
    """Check the date: DynamoDB deletes expired items late."""
    return export.forget_at <= now


def _too_many_open(_now: int) -> HttpError:
    return HttpError(
        409,
        "too_many_erasures",
        f"{MAX_OPEN_ERASURES} erasures are open, the maximum. Wait until one is verified.",
    )


def _too_many_today(until: int, now: int) -> HttpError:
    return HttpError(
        429,
        "too_many_erasures_today",
        f"The limit is {ERASURES_A_DAY} erasures of persons in 24 hours. Retry after the number of "
        "seconds in Retry-After.",
        retry_after_seconds=max(1, until - now),
    )
