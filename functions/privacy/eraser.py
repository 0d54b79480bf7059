"""Eraser: what was asked to be erased is, and that nothing is left is verified.

Trigger: the scheduler, every five minutes. Promise: each open erasure is worked on, the longest waiting
first, from where the last run left it, and is called verified only after a round through every place that
found nothing, begun when nothing more could arrive. Then its receipt joins the chain. A run that dies
anywhere, or two at once, do no harm: each step is written down, and done again it finds nothing. Who signed
up and has not confirmed an address for eight days is forgotten by the identity provider, too.
On failure: a place that cannot be emptied is left for a later round, the others go on; an erasure that fails
keeps no other from being worked on. One that takes longer than a day, or than the law allows, wakes somebody
(`OldestErasureSeconds`, `ErasuresOverdue`).
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from functions.privacy import letters
from functions.privacy.erasure.drop_bucket import DropBucket
from functions.privacy.erasure.erasures import ErasureChangedError, Erasures
from functions.privacy.erasure.place import Time
from functions.privacy.erasure.receipts import Receipts
from functions.privacy.erasure.record import PERSON, Erasure, Item
from functions.privacy.erasure.rows import STATEMENT_TIMEOUT_SECONDS, EventRows
from functions.privacy.erasure.works import Works
from functions.privacy.export.archives import Archives
from functions.privacy.export.exports import Exports
from functions.privacy.never_confirmed import NeverConfirmed
from functions.privacy.parts import Left, tables
from functions.privacy.sign_ins import SignIns
from functions.shared import journal
from functions.shared.account.audit import Audit, Origin
from functions.shared.account.closing import Closings
from functions.shared.account.notices import Notices
from functions.shared.account.suppressions import Suppressions
from functions.shared.account.tombstones import Tombstones
from functions.shared.address import Address
from functions.shared.buckets.own import open_bucket
from functions.shared.custody.clouds import custody
from functions.shared.custody.sealing import Shards
from functions.shared.custody.settings import CustodySettings
from functions.shared.dynamo.answers import open_client
from functions.shared.errors import AstralogError
from functions.shared.secret_store import read_secret
from functions.shared.settings import load
from functions.shared.warehouse import Warehouse

FUNCTION = "eraser"

ERASER = Origin("eraser", "", "")
"""Who acts, in the audit trail."""


@dataclass(frozen=True, slots=True)
class Settings(CustodySettings):
    accounts_table: str
    people_table: str
    keys_table: str
    key_lists_table: str
    audit_table: str
    announcements_table: str
    notices_table: str
    health_table: str
    billing_table: str
    usage_table: str
    uploads_table: str
    suppressions_table: str
    erasures_table: str
    exports_table: str
    identity_pool: str
    staging_bucket: str
    drop_bucket: str
    exports_bucket: str
    warehouse_secret: str
    receipts_table: str
    tombstones_table: str


@dataclass(frozen=True, slots=True)
class Eraser:
    """The parts of this function."""

    erasures: Erasures
    works: Works
    audit: Audit
    notices: Notices
    never_confirmed: NeverConfirmed
    time: Time

    def run(self) -> dict[str, int]:
        """Work on what is open: how many, how many were verified, the oldest's seconds, those overdue; and
        forget who never confirmed an address.
        """
        now = self.time.now()
        due = self.erasures.due(now)
        verified = sum(self._work_on(each) for each in due)
        left = self.erasures.due(now)
        return {
            "open": len(left),
            "verified": verified,
            "oldest_seconds": max((int(now) - each.starts_at for each in left), default=0),
            "overdue": sum(each.due_at < now for each in left),
            "never_confirmed": self._forget_strangers(now),
        }

    def _forget_strangers(self, now: float) -> int:
        try:
            return self.never_confirmed.forget(now)
        except AstralogError as fault:
            journal.write("never_confirmed_not_forgotten", error_type=type(fault).__name__)
            return 0

    def _work_on(self, erasure: Erasure) -> bool:
        """Whether it is verified now."""
        try:
            work = self.works.of(self.erasures.start(erasure, self.time.now()))
            if not work.go_on(self.erasures, self.time):
                return False
            self.erasures.finish(work.erasure, work.counts, self.time.now(), self._told(work.erasure))
        except ErasureChangedError:
            return False
        except AstralogError as fault:
            journal.write("erasure_failed", error_type=type(fault).__name__)
            return False
        except Exception as fault:  # noqa: BLE001 - the last line of defence: the others go on
            journal.write("unexpected_error", error_type=type(fault).__name__)
            return False
        journal.write("erasure_verified", state=erasure.kind, rows=work.counts.get("rows", 0))
        return True

    def _told(self, erasure: Erasure) -> Sequence[Item]:
        """Of an account nobody is left to be told; it has the receipt."""
        if erasure.kind != PERSON:
            return ()
        tenant, letter = erasure.tenant, letters.verified(erasure)
        return (
            self.audit.entry(tenant, ERASER, "person.erasure_verified", erasure.erasure_id),
            self.notices.due(tenant, letter.notice_id, letter.kind, letter.title, letter.text),
        )


_LEFT = Left()


@cache
def _eraser() -> Eraser:
    settings, client = load(Settings), open_client()
    given = Time(time.time, _LEFT)
    erasures = Erasures(
        settings.erasures_table,
        settings.accounts_table,
        Receipts(settings.receipts_table, client),
        client,
    )
    works = Works(
        tables=tables(settings, client),
        erasures=erasures,
        exports=Exports(settings.exports_table, client),
        archives=Archives(settings.exports_bucket),
        tombstones=Tombstones(settings.tombstones_table, client),
        shards=Shards(settings.shards_table, client),
        closings=Closings(settings.billing_table, settings.accounts_table, client),
        sign_ins=SignIns(settings.identity_pool),
        suppressions=Suppressions(settings.suppressions_table, client),
        drops=DropBucket(settings.drop_bucket),
        staging=open_bucket(settings.staging_bucket),
        exports_bucket=open_bucket(settings.exports_bucket),
        rows=EventRows(
            Warehouse(Address.from_json(read_secret(settings.warehouse_secret)), STATEMENT_TIMEOUT_SECONDS)
        ),
        custody=custody(settings),
        time=given,
    )
    audit, notices = Audit(settings.audit_table, client), Notices(settings.notices_table, client)
    never_confirmed = NeverConfirmed(works.sign_ins)
    return Eraser(erasures, works, audit, notices, never_confirmed, given)


def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    _LEFT.context = context
    told = _eraser().run()
    journal.measure(
        FUNCTION,
        {
            "OpenErasures": (told["open"], "Count"),
            "VerifiedErasures": (told["verified"], "Count"),
            "OldestErasureSeconds": (told["oldest_seconds"], "Seconds"),
            "ErasuresOverdue": (told["overdue"], "Count"),
            "NeverConfirmed": (told["never_confirmed"], "Count"),
        },
    )
    return told
