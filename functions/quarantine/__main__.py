"""The operator's quarantine commands: `python -m functions.quarantine list acme --bucket <staging bucket>`.

Credentials and region come from the environment, as for the AWS CLI.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from functions.quarantine.documents import QuarantineStore
from functions.shared.buckets.platform import open_bucket
from functions.shared.errors import AstralogError
from functions.shared.tenancy import TenantId


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 on success; on failure print a sentence to standard error and return 1."""
    asked = _parser().parse_args(arguments)
    try:
        documents, tenant = QuarantineStore(open_bucket(asked.bucket)), TenantId(asked.tenant)
        named = asked.ids if asked.what == "replay" else []
        ids, strangers = (named, []) if named else documents.listed(tenant, None)
        work = partial(_show, as_json=asked.json) if asked.what == "list" else _replay
        for each in strangers:
            print(f"{each}: not the id of a document", file=sys.stderr)  # noqa: T201
        done = [*(_is_done(work, documents, tenant, each) for each in ids), not strangers]
    except AstralogError as fault:
        print(fault, file=sys.stderr)  # noqa: T201
        return 1
    return 0 if all(done) else 1


def _is_done(
    work: Callable[..., None], documents: QuarantineStore, tenant: TenantId, document_id: str
) -> bool:
    """Whether `work` succeeded for the document; a failed document does not stop the others."""
    try:
        work(documents, tenant, document_id)
    except AstralogError as fault:
        print(f"{document_id}: {fault}", file=sys.stderr)  # noqa: T201
        return False
    return True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m functions.quarantine", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    show = commands.add_parser("list", help="list a tenant's quarantined rows, oldest first")
    show.add_argument("--json", action="store_true", help="one JSON object per line")
    replay = commands.add_parser("replay", help="stage rows again for sync; a repeat loads them once")
    for command in (show, replay):
        command.add_argument("tenant", help="the tenant's id")
        command.add_argument("--bucket", required=True, help="the staging bucket")
    replay.add_argument("ids", nargs="*", metavar="id", help="document ids (default: all of the tenant's)")
    return parser


def _show(documents: QuarantineStore, tenant: TenantId, document_id: str, as_json: bool) -> None:
    header = documents.read(tenant, document_id).header
    shown = {
        "id": document_id,
        "rows": header.rows,
        "engine_code": header.engine_code,
        "source": header.source,
        "positions": header.positions,
        "set_aside_at": header.quarantined_at.isoformat(timespec="seconds"),
    }
    line = json.dumps(shown) if as_json else "  ".join(str(value) for value in shown.values())
    print(line)  # noqa: T201


def _replay(documents: QuarantineStore, tenant: TenantId, document_id: str) -> None:
    rows = documents.replay(tenant, documents.read(tenant, document_id), datetime.now(UTC).date())
    print(f"{document_id}: {rows} rows staged again")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
