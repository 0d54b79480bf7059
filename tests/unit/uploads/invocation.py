"""One invocation of the drop-in function in a process of its own, with little memory and little time.

    python -m tests.unit.uploads.invocation <limits as JSON> <event as JSON>

Prints the seconds it took, its peak resident memory in MB, and what it sent to the queue.
"""

import json
import os
import resource
import sys
import time
from typing import Any

from tests.measured import peak_mb

MB = 1024 * 1024


class Queue:
    def __init__(self) -> None:
        self.bodies: list[str] = []

    def get_queue_url(self, QueueName: str) -> dict[str, str]:  # noqa: N803
        return {"QueueUrl": QueueName}

    def send_message(self, QueueUrl: str, MessageBody: str, DelaySeconds: int = 0) -> None:  # noqa: ARG002, N803
        self.bodies.append(MessageBody)

    def change_message_visibility(self, **_asked: Any) -> None:
        """What is redelivered is reported as a failure."""


def main() -> None:
    limits: dict[str, Any] = json.loads(sys.argv[1])
    event = json.loads(sys.argv[2])
    most = limits["memory_mb"] * MB
    # What a process may hold of its own: heap, anonymous maps, stacks.
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    os.environ.update(limits["environment"])
    import boto3

    from functions.shared.buckets.platform import open_bucket
    from functions.uploads import dropin, file_reader
    from functions.uploads.account_status import AccountStatuses
    from functions.uploads.backlog import Backlogs
    from functions.uploads.counters import KeptOriginals, OpenUploads, StagedBytes
    from functions.uploads.file_processor import FileProcessor
    from functions.uploads.managed_drop_bucket import open_drops
    from functions.uploads.queue import DropQueue
    from functions.uploads.register import UploadRegister
    from functions.uploads.slots import TenantSlots
    from functions.uploads.turns import FairTurns

    file_reader.RESERVE_SECONDS = limits["reserve_seconds"]
    file_reader.SECONDS_AFTER_SKIPPING = limits["reserve_seconds"]
    file_reader.PART_BYTES = limits["part_bytes"]
    file_reader.CHECKPOINT_EVERY_SECONDS = limits["checkpoint_every_seconds"]
    dynamodb = boto3.client("dynamodb", endpoint_url=limits["dynamodb"])
    queue = Queue()
    drop_queue = DropQueue("dropped", "tests", queue)
    parts = dropin.DropIn(
        open_drops("drop"),
        open_bucket("staging"),
        AccountStatuses("accounts", dynamodb),
        StagedBytes("uploads", dynamodb),
        TenantSlots("uploads", 2, dynamodb),
        FairTurns(drop_queue, Backlogs("uploads", dynamodb), dropin.FILES_A_TURN),
        FileProcessor(
            UploadRegister("uploads", dynamodb),
            drop_queue.publish,
            "dropin",
            OpenUploads("uploads", dynamodb),
            KeptOriginals("uploads", dynamodb),
        ),
        lambda _tenant: False,
    )
    # Its own CPU time: beside other work, the clock on the wall gives one reading more than another.
    began = time.process_time()
    answer = dropin.answer_to(event, lambda: limits["seconds"] - (time.process_time() - began), parts)
    shown = {
        "seconds": time.process_time() - began,
        "peak_mb": peak_mb(),
        "sent": queue.bodies,
        "failures": answer["batchItemFailures"],
    }
    sys.stdout.write("\n" + json.dumps(shown) + "\n")


if __name__ == "__main__":
    main()
