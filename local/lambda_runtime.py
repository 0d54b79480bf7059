"""One execution environment of a function: `python -m local.lambda_runtime <module.function> <fd>`.

It reads invocations from the inherited socket and answers on it, one at a time, as Lambda's runtime does.
When the socket closes the environment ends, even during an invocation.

A frame is four bytes of length, big-endian, and that much JSON:
in   {"event", "request_id", "function_arn", "deadline_ms"}     deadline in Unix milliseconds
out  {"answer"} or {"error_type", "error_message"}; the first frame, {"ready": true}, ends the cold start
"""

import contextlib
import importlib
import json
import os
import queue
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LENGTH_BYTES = 4

Handler = Callable[[Any, "Context"], Any]


@dataclass(frozen=True, slots=True)
class Context:
    """The invocation's context, with Lambda's names."""

    aws_request_id: str
    function_name: str
    invoked_function_arn: str
    memory_limit_in_mb: str
    deadline_ms: int
    function_version: str = "$LATEST"
    log_group_name: str = ""
    log_stream_name: str = ""

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self.deadline_ms - time.time_ns() // 1_000_000)


def main(handler_path: str, descriptor: int) -> None:
    """Import the handler, report ready, and serve until the socket closes."""
    line = socket.socket(fileno=descriptor)
    line.set_inheritable(False)
    module_name, _, function_name = handler_path.rpartition(".")
    handler: Handler = getattr(importlib.import_module(module_name), function_name)
    _send(line, {"ready": True})
    invocations: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_receive_all, args=(line, invocations), daemon=True).start()
    while True:
        _send(line, _invoke(handler, invocations.get()))


def _invoke(handler: Handler, invocation: dict[str, Any]) -> dict[str, Any]:
    context = Context(
        aws_request_id=invocation["request_id"],
        function_name=os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        invoked_function_arn=invocation["function_arn"],
        memory_limit_in_mb=os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        deadline_ms=invocation["deadline_ms"],
    )
    try:
        answer = handler(invocation["event"], context)
        json.dumps(answer)
    except Exception as fault:  # noqa: BLE001 - what a handler raises is its caller's answer
        traceback.print_exc()
        return {"error_type": type(fault).__name__, "error_message": str(fault)}
    return {"answer": answer}


def _receive_all(line: socket.socket, invocations: "queue.SimpleQueue[dict[str, Any]]") -> None:
    """Only a reading thread sees the socket close while the handler runs; a killed gateway resets it."""
    with contextlib.suppress(ConnectionError), line.makefile("rb") as frames:
        while len(length := frames.read(LENGTH_BYTES)) == LENGTH_BYTES:
            invocations.put(json.loads(frames.read(int.from_bytes(length, "big"))))
    os._exit(0)


def _send(line: socket.socket, message: dict[str, Any]) -> None:
    encoded = json.dumps(message).encode()
    line.sendall(len(encoded).to_bytes(LENGTH_BYTES, "big") + encoded)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
