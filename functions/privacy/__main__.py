"""The operator's side of erasures: `python -m functions.privacy open`, `chain`, `restored`.

`open` shows what is being erased, for how long and what it waits for; never whom it is about. `chain` checks
that every receipt follows from the one before it, and says the last one's hash: note it somewhere else.
`restored`, after a table was brought back from a backup, has every account erased again whose tombstone
stands; with `--go`, for without it only tells how many these are.

Tables are those of the environment; credentials and region as the AWS CLI takes them.
"""

import argparse
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from functions.privacy.desk import ID_BYTES
from functions.privacy.erasure.erasures import Erasures
from functions.privacy.erasure.receipt import checked
from functions.privacy.erasure.receipts import Receipts
from functions.privacy.erasure.record import ACCOUNT, REQUESTED, Erasure
from functions.shared.account.tombstones import Tombstones, name_of
from functions.shared.dynamo.answers import answered, open_client
from functions.shared.errors import AstralogError
from functions.shared.settings import load
from functions.shared.tenancy import TenantId


@dataclass(frozen=True, slots=True)
class Settings:
    accounts_table: str
    erasures_table: str
    receipts_table: str
    tombstones_table: str


@dataclass(frozen=True, slots=True)
class Bench:
    """What the commands work with. `clock`: Unix seconds."""

    erasures: Erasures
    receipts: Receipts
    tombstones: Tombstones
    accounts_table: str
    client: Any
    clock: Callable[[], float]

    def resurrected(self) -> Iterator[tuple[TenantId, bool]]:
        """Accounts that are there although they were erased; whether their logs are in their own cloud."""
        buried = self.tombstones.all()
        under_way = {each.tenant for each in self.erasures.due(self.clock())}
        start: dict[str, Any] = {}
        while True:
            with answered():
                page = self.client.scan(TableName=self.accounts_table, ConsistentRead=True, **start)
            for item in page["Items"]:
                tenant = TenantId(item["tenant_id"]["S"])
                if name_of(tenant) in buried and tenant not in under_way:
                    yield tenant, item["plan"]["S"] == "byoc"
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def erase_again(self, tenant: TenantId, byoc: bool) -> None:
        """At once: it was cancellable the first time."""
        now = int(self.clock())
        erasure_id = f"era_{secrets.token_hex(ID_BYTES)}"
        self.erasures.ask_again(Erasure(tenant, erasure_id, ACCOUNT, REQUESTED, now, now, byoc=byoc))


def bench(settings: Settings, client: Any, clock: Callable[[], float]) -> Bench:
    """Wire the parts around one DynamoDB client."""
    receipts = Receipts(settings.receipts_table, client)
    return Bench(
        erasures=Erasures(settings.erasures_table, settings.accounts_table, receipts, client),
        receipts=receipts,
        tombstones=Tombstones(settings.tombstones_table, client, clock),
        accounts_table=settings.accounts_table,
        client=client,
        clock=clock,
    )


def main(arguments: Sequence[str] | None = None, at: Bench | None = None) -> int:
    """0 when all is well; 1 with a sentence on standard error when it is not."""
    parser = argparse.ArgumentParser(
        prog="python -m functions.privacy",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="what", required=True)
    commands.add_parser("open", help="erasures that are not verified yet")
    commands.add_parser("chain", help="check all receipts")
    restored = commands.add_parser("restored", help="erase again what a backup brought back")
    restored.add_argument("--go", action="store_true", help="do it")
    asked = parser.parse_args(arguments)
    try:
        here = at or bench(load(Settings), open_client(), time.time)
        _COMMANDS[asked.what](here, asked)
    except AstralogError as fault:
        print(fault, file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _open(here: Bench, _asked: argparse.Namespace) -> None:
    now = here.clock()
    for each in here.erasures.due(now):
        waits = ", ".join(sorted(set(each.progress.waits_for.values()))) or "nothing"
        hours = (now - each.starts_at) / 3600
        _say(f"{each.tenant} {each.kind} {each.state} for {hours:.1f} h, waits for {waits}")


def _chain(here: Bench, _asked: argparse.Namespace) -> None:
    number, last = here.receipts.head()
    found = list(here.receipts.all())
    if len(found) != number or checked(found) != last:
        raise AstralogError(f"the chain is said to have {number} receipts and to end otherwise than it does")
    _say(f"{number} receipts, the last is {last}")


def _restored(here: Bench, asked: argparse.Namespace) -> None:
    count = 0
    for tenant, byoc in here.resurrected():
        count += 1
        if asked.go:
            here.erase_again(tenant, byoc)
    done = "are erased again" if asked.go else "would be erased again (--go)"
    _say(f"{count} accounts that a backup brought back {done}")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


_COMMANDS: dict[str, Callable[[Bench, argparse.Namespace], None]] = {
    "open": _open,
    "chain": _chain,
    "restored": _restored,
}

if __name__ == "__main__":
    sys.exit(main())
