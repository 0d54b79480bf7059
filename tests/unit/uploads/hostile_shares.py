"""What a hostile account does to the drop-in function, each as a call that tests.measured runs by itself."""

import contextlib
import io
import os
from typing import Any

from backports import zstd

from functions.shared.accounts.account_status import AccountStatus
from functions.uploads import file_reader
from tests.unit.uploads.test_turns import Turns, body
from tests.unit.uploads.world import ACME, GLOBEX, cloud, world

BOMB_ROWS = 3_000_000
CAPPED = AccountStatus("managed_30", 30, 10**7, capped_until=4_000_000_000)


def capped_bomb(objects: int) -> dict[str, Any]:
    """Kilobytes of zstd that are millions of rows; the cap is reached once so many objects are staged."""
    os.environ.update(AWS_ACCESS_KEY_ID="t", AWS_SECRET_ACCESS_KEY="t", AWS_DEFAULT_REGION="us-east-1")
    rows = b'{"message":"m"}\n' * 100_000
    bomb = b"".join(zstd.compress(rows) for _ in range(BOMB_ROWS // 100_000))
    put, count = file_reader.put_package, [0]
    with cloud() as clients, contextlib.redirect_stdout(io.StringIO()):
        here = world(*clients)

        def counted(*arguments: Any) -> None:
            put(*arguments)
            count[0] += 1
            if count[0] == objects:
                here.account(ACME, CAPPED)

        file_reader.put_package = counted
        if not objects:
            here.account(ACME, CAPPED)
        shown = here.drop("bomb", bomb)
        count[0] = objects
        other = here.drop("x", b"line\n", GLOBEX)
    return {
        "bytes": len(bomb),
        "state": shown["state"],
        "code": shown["error"]["code"],
        "rows": shown["rows_stored"],
        "other": other["state"],
    }


def flood(messages: int) -> dict[str, int]:
    """Messages of an account without a free slot, and one of another's in each batch of ten."""
    turns = Turns()
    worker = turns.worker(small=1)
    for number in range(messages // 9):
        turns.now += 0.01
        batch = [body("flood", f"{number}-{each}") for each in range(9)]
        turns.answer_to(worker, *batch, body("small", str(number)))
    return {
        "read": len(worker.read),
        "appended": turns.backlogs.requests["append"],
        "asked": worker.asked,
        "sent": len(turns.sqs.bodies) + len(turns.sqs.delayed) + turns.sqs.released,
    }
