"""Commands for quarantined rows: `list-quarantine`, `replay-quarantine`."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from functions.quarantine.documents import QuarantineStore
from functions.shared.buckets.platform import open_bucket
from functions.shared.errors import AstralogError
from functions.shared.tenancy import TenantId
from operate.command import Command, tenant_argument
from operate.errors import OperatorError
from operate.session import Session


@dataclass(frozen=True, slots=True)
class QuarantineSettings:
    staging_bucket: str


def _list_quarantine(asked: argparse.Namespace, session: Session) -> None:
    """List an account's quarantined rows, oldest first."""
    documents, tenant = _documents(session), TenantId(asked.tenant)

    def show(document_id: str) -> None:
        header = documents.read(tenant, document_id).header
        shown = {
            "id": document_id,
            "rows": header.rows,
            "engine_code": header.engine_code,
            "source": header.source,
            "positions": header.positions,
            "set_aside_at": header.quarantined_at.isoformat(timespec="seconds"),
        }
        session.console.show(shown, "  ".join(str(value) for value in shown.values()))

    _each(*_ids(documents, tenant, session), show, session)


def _replay_quarantine(asked: argparse.Namespace, session: Session) -> None:
    """Stage quarantined rows again, so that sync loads them; a repeat loads them once."""
    documents, tenant = _documents(session), TenantId(asked.tenant)

    def replay(document_id: str) -> None:
        today = datetime.fromtimestamp(session.clock(), UTC).date()
        rows = documents.replay(tenant, documents.read(tenant, document_id), today)
        session.console.show({"id": document_id, "rows": rows}, f"{document_id}: {rows} rows staged again")

    ids, strangers = (asked.ids, 0) if asked.ids else _ids(documents, tenant, session)
    _each(ids, strangers, replay, session)


def _documents(session: Session) -> QuarantineStore:
    return QuarantineStore(open_bucket(session.settings(QuarantineSettings).staging_bucket))


def _ids(documents: QuarantineStore, tenant: TenantId, session: Session) -> tuple[list[str], int]:
    """The ids of all documents of `tenant`, and the number of objects that are no documents."""
    ids, strangers = documents.listed(tenant, None)
    for each in strangers:
        session.console.note(f"{each}: not the id of a document")
    return list(ids), len(strangers)


def _each(ids: list[str], strangers: int, act: Callable[[str], None], session: Session) -> None:
    """Run `act` for each document; a failed document does not stop the others."""
    failed = strangers
    for each in ids:
        try:
            act(each)
        except AstralogError as fault:
            session.console.note(f"{each}: {fault}")
            failed += 1
    if failed:
        raise OperatorError(f"{failed} of {len(ids) + strangers} documents failed")


def _replay_arguments(parser: argparse.ArgumentParser) -> None:
    tenant_argument(parser)
    parser.add_argument("ids", nargs="*", metavar="id", help="document ids (default: all of the account's)")


COMMANDS = (
    Command("list-quarantine", "list an account's quarantined rows", _list_quarantine, tenant_argument),
    Command("replay-quarantine", "load an account's rows again", _replay_quarantine, _replay_arguments),
)
