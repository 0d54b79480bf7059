"""A local stack of a test run's own: started on free ports, asked over the wire, ended by signal."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import httpx

from infra.topology import QUEUES, Queue
from local.naming import CREDENTIALS, PROJECT_ROOT, queue_url
from tests.documented import comparing_answers

START_SECONDS = 90
STOP_SECONDS = 30
STAGED = "staged/"

Events = list[dict[str, Any]]


class StackNotReadyError(Exception):
    """The stack did not start, or did not become what was waited for, in time."""


class RunningStack:
    """What a test may do with a stack. Every property is read from `stack.json` as it is now."""

    def __init__(self, page_path: Path) -> None:
        self._page_path = page_path
        page = self.page
        self.api: str = page["api"]
        self.aws_endpoint: str = page["aws_endpoint"]
        self.keys: dict[str, str] = page["keys"]
        self.second_keys: dict[str, str] = page["second_account"]["keys"]
        self.byoc_keys: dict[str, str] = page["byoc_account"]["keys"]
        self.byoc_bucket: str = page["byoc_account"]["bucket"]
        self.byoc_destination: dict[str, Any] = page["byoc_account"]["destination"]
        self.byoc_database: str = page["byoc_account"]["database"]
        self.mail: str = page["mail"]
        self.stripe: str = page["stripe"]
        self.clickhouse: str = page["clickhouse"]
        self._bucket: str = page["staging_bucket"]
        self.logs = page_path.parent / "logs"
        self._clients: dict[str, Any] = {}
        self._s3 = self.aws("s3")
        self._sqs = self.aws("sqs")

    @property
    def page(self) -> dict[str, Any]:
        page: dict[str, Any] = json.loads(self._page_path.read_text())
        return page

    def client(self) -> httpx.Client:
        """A connection to the gateway; a request may take as long as an HTTP API's."""
        return httpx.Client(base_url=self.api, timeout=30)

    def rows(self, statement: str, **parameters: str) -> list[dict[str, Any]]:
        """The rows ClickHouse answers a SELECT with; `{name:Type}` in it is bound from `parameters`."""
        answer = httpx.post(
            self.clickhouse,
            params={"database": "astralog", **{f"param_{name}": text for name, text in parameters.items()}},
            content=f"{statement} FORMAT JSONEachRow",
            timeout=30,
        )
        answer.raise_for_status()
        return [json.loads(line) for line in answer.text.splitlines()]

    def command(self, statement: str) -> None:
        """Run a statement of the operator's that returns no rows."""
        httpx.post(
            self.clickhouse, params={"database": "astralog"}, content=statement, timeout=30
        ).raise_for_status()

    def stored_ids(self, run: str) -> list[str]:
        """`event_id` of each stored row whose metadata says it is of `run`; one for each row."""
        rows = self.rows(
            "SELECT JSONExtractString(metadata, 'event_id') AS event_id FROM events "
            "WHERE JSONExtractString(metadata, 'run') = {run:String}",
            run=run,
        )
        return [row["event_id"] for row in rows]

    def wait_until_settled(self, seconds: float = 120) -> None:
        """Return once sync has nothing left to do: no staged object, no message."""
        wait_until(self._is_settled, seconds, "all is loaded")

    def staged_keys(self) -> list[str]:
        """The staged objects that sync has not taken away yet; at most 1000 of them."""
        listed = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=STAGED)
        return [each["Key"] for each in listed.get("Contents", ())]

    def kill(self, child: str) -> None:
        """Kill one child as a crash would, and return when the supervisor has another one started."""
        pid = self.page["pids"][child]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.page["pids"][child] != pid, 30, f"{child} is started again")

    def visible_messages(self, queue: str) -> int:
        """Messages that a function could receive now; deferred messages and those in flight are not."""
        name = "ApproximateNumberOfMessages"
        parameters = {"QueueUrl": queue_url(queue, self.aws_endpoint), "AttributeNames": [name]}
        return int(self._sqs.get_queue_attributes(**parameters)["Attributes"][name])

    def _is_settled(self) -> bool:
        return not self.staged_keys() and not any(map(self._has_messages, QUEUES))

    def _has_messages(self, queue: Queue) -> bool:
        counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        parameters = {"QueueUrl": queue_url(queue.name, self.aws_endpoint), "AttributeNames": counts}
        attributes = self._sqs.get_queue_attributes(**parameters)["Attributes"]
        return any(int(attributes[name]) for name in counts)

    def aws(self, service: str) -> Any:
        """The boto3 client of a service of the stack's AWS."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                endpoint_url=self.aws_endpoint,
                region_name=CREDENTIALS["AWS_REGION"],
                aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            )
        return self._clients[service]


def bearer(key: str) -> dict[str, str]:
    """The header most senders use."""
    return {"authorization": f"Bearer {key}"}


def wait_until(holds: Callable[[], bool], seconds: float, what: str) -> None:
    """Ask again and again until `holds`.

    Raises
    ------
    StackNotReadyError: it still does not after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise StackNotReadyError(f"waited {seconds} s in vain until {what}")
        time.sleep(0.1)


@contextmanager
def running_stack(state: Path) -> Iterator[RunningStack]:
    """Run `python -m local up` with its files in `state`; it ends with the block.

    Answers of its API that are not in the OpenAPI document are errors.
    """
    state.mkdir(parents=True, exist_ok=True)
    output = state / "up.log"
    with output.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local", "--state", str(state), "up"],
            cwd=PROJECT_ROOT,
            env={**os.environ, "PORT": "0"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    page = state / "stack.json"
    try:
        wait_until(lambda: page.exists() or process.poll() is not None, START_SECONDS, "the stack is up")
        if process.poll() is not None:
            raise StackNotReadyError(f"the stack ended while starting:\n{output.read_text()}")
        running = RunningStack(page)
        with comparing_answers(running.api):
            yield running
    finally:
        process.terminate()
        process.wait(timeout=STOP_SECONDS)
