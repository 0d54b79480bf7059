"""Eraser for BYOC: erase persons in customers' own buckets and ClickHouses.

Trigger: the scheduler, every five minutes. Promise: that of functions.privacy.eraser, for erasures of persons
whose account is on BYOC. It is a separate function, because a customer's endpoint may be hostile: endless,
silent, or a bomb. Whatever it does to this process, no erasure of an account on our managed plans waits for
it (docs/adr/0018).
Between BYOC accounts: each has one turn of TURN_SECONDS in a run, recorded before it begins, and the run
waits for no answer beyond the end of the turn. If a run dies in the middle of a turn, that account comes
after all others. Listings, documents and answers are bounded in bytes and time. If a bound is exceeded, the
erasure waits, and its `waits_for` shows the reason to the customer.
On failure: as functions.privacy.eraser. An alarm is on `ErasuresOverdue`.
"""

import time
from dataclasses import dataclass
from functools import cache
from typing import Any

from functions.privacy.eraser import Eraser, metrics
from functions.privacy.erasure.drop_bucket import DropBucket
from functions.privacy.erasure.erasures import Erasures
from functions.privacy.erasure.person_works import PersonWorks
from functions.privacy.erasure.place import Time
from functions.privacy.erasure.receipts import Receipts
from functions.privacy.erasure.rows import STATEMENT_TIMEOUT_SECONDS, EventRows
from functions.privacy.export.archives import Archives
from functions.privacy.export.exports import Exports
from functions.privacy.parts import Left, tables
from functions.shared import journal
from functions.shared.account.audit import Audit
from functions.shared.account.notices import Notices
from functions.shared.address import Address
from functions.shared.buckets.own import open_bucket
from functions.shared.custody.clouds import custody
from functions.shared.custody.settings import CustodySettings
from functions.shared.secret_store import read_secret
from functions.shared.settings import load
from functions.shared.tables.transaction import open_client
from functions.shared.turn_log import DynamoTurnLog
from functions.shared.turns import TurnClock
from functions.shared.warehouse import Warehouse

FUNCTION = "eraser-byoc"

TURN_SECONDS = 200
"""A statement of two minutes, and the work before and after it. Four full turns fit into a run."""


@dataclass(frozen=True, slots=True)
class Settings(CustodySettings):
    accounts_table: str
    audit_table: str
    notices_table: str
    uploads_table: str
    exports_table: str
    erasures_table: str
    receipts_table: str
    turns_table: str
    staging_bucket: str
    drop_bucket: str
    exports_bucket: str
    warehouse_secret: str


_LEFT = Left()


@cache
def _eraser() -> Eraser:
    settings, client = load(Settings), open_client()
    clock = TurnClock(_LEFT)
    given = Time(time.time, clock)
    receipts = Receipts(settings.receipts_table, client)
    works = PersonWorks(
        tables=tables(settings, client),
        exports=Exports(settings.exports_table, client),
        archives=Archives(settings.exports_bucket),
        drops=DropBucket(settings.drop_bucket),
        staging=open_bucket(settings.staging_bucket),
        exports_bucket=open_bucket(settings.exports_bucket),
        rows=EventRows(
            Warehouse(Address.from_json(read_secret(settings.warehouse_secret)), STATEMENT_TIMEOUT_SECONDS)
        ),
        time=given,
        custody=custody(settings),
    )
    return Eraser(
        Erasures(settings.erasures_table, settings.accounts_table, receipts, client),
        works,
        Audit(settings.audit_table, client),
        Notices(settings.notices_table, client),
        DynamoTurnLog(settings.turns_table, FUNCTION, client),
        given,
        clock,
        in_own_cloud=True,
        turn_seconds=TURN_SECONDS,
    )


def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    _LEFT.context = context
    counts = _eraser().run()
    journal.measure(FUNCTION, metrics(counts))
    return counts
