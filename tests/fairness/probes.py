"""What the second tenant does while another is hostile, each time measured from outside, in seconds.

Every probe uses events of its own, so that a row that is found is the row that was sent.
"""

import gzip
import json
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

import httpx

from local.naming import physical
from tests.integration.sending import batch, drain, new_run
from tests.integration.stack import RunningStack, bearer

PATIENCE_SECONDS = 60
POLL_SECONDS = 0.05
EVENTS_A_REQUEST = 20
ROWS_A_FILE = 200
REQUEST_TO_SEARCHABLE = "request to searchable"
SEARCH = "search"
FILE_TO_ROWS = "small file to rows"
ERASURE = "erasure to verified"
ANNOUNCE_QUEUED, ANNOUNCED, ANNOUNCE_SENT, PUT, QUEUED, READ = (
    "file: announcement waits",
    "file: announcement works",
    "file: announcement on its way",
    "file: put",
    "file: in the queue",
    "file: read",
)
"""The parts of FILE_TO_ROWS. Its announcement: until the authorizer and the function have an environment,
which Lambda would start; their work; and the gateway's own time, one process here. Then until it is put,
until an invocation has a slot for it, and from then on until its status says that it is read."""

STATUS = "file: one status"
"""One request for the status, the last: reading a file ends with the first that says so."""

SEARCH_QUEUED, SEARCHED = "search: waits", "search: works"
"""The parts of SEARCH: until there is an environment for it, which Lambda would start, and the rest."""

ONE_REQUEST = "one request"
"""Of the local AWS, which is one process for S3, SQS and DynamoDB: no queue of the service delays it."""


class ProbeFailedError(Exception):
    """The second tenant got an error, or waited PATIENCE_SECONDS in vain."""


@dataclass(slots=True)
class Samples:
    """Seconds by probe, its parts, and what went wrong; safe to fill from several threads."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    parts: dict[str, list[float]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, probe: str, seconds: float, parts: Mapping[str, float] | None = None) -> None:
        with self._lock:
            self.seconds.setdefault(probe, []).append(seconds)
            for part, its_seconds in (parts or {}).items():
                self.parts.setdefault(part, []).append(its_seconds)

    def fail(self, probe: str, reason: str) -> None:
        with self._lock:
            self.failures.append(f"{probe}: {reason}")

    @staticmethod
    def of_all(samples: Iterable["Samples"]) -> "Samples":
        """All of them together."""
        together = Samples()
        for each in samples:
            for probe, seconds in each.seconds.items():
                together.seconds.setdefault(probe, []).extend(seconds)
            for part, seconds in each.parts.items():
                together.parts.setdefault(part, []).extend(seconds)
            together.failures += each.failures
        return together


class Tenant:
    """The second tenant: its keys, one connection, and what it does."""

    def __init__(self, stack: RunningStack, keys: dict[str, str]) -> None:
        self._client = stack.client()
        # A client of its own for each file would load the certificates of all authorities each time.
        self._s3 = httpx.Client(timeout=30)
        self._dynamodb = stack.aws("dynamodb")
        self._keys = keys
        self._run = new_run()
        self._numbers = count()
        self._rejection = ""
        self._queued_seconds = self._status_seconds = 0.0
        self._send_batch("warm-up")

    def wait_until_warm(self) -> None:
        """Return when `search` has something to find."""
        self._until(lambda: bool(self._search(self._own_events)), "the first events are searchable")

    def close(self) -> None:
        self._client.close()
        self._s3.close()

    def send_request(self) -> str:
        """Send a request; the `event_id` of its first event, which no other request ever has."""
        name = f"r{next(self._numbers)}-{self._run}"
        self._send_batch(name)
        return f"{name}-0"

    def searchable(self, event_ids: Collection[str]) -> set[str]:
        """Those of `event_ids` that one search finds."""
        where = {"field": "metadata.event_id", "op": "in", "value": sorted(event_ids)}
        found = self._search({"where": [where], "limit": len(event_ids)})
        return {each["metadata"]["event_id"] for each in found or ()}

    def search(self) -> dict[str, float]:
        """A search that finds something, once; the seconds of its parts."""
        began = time.monotonic()
        found = self._search(self._own_events)
        if found is None:
            raise ProbeFailedError(f"the search was rejected: {self._rejection}")
        if not found:
            raise ProbeFailedError("the search found nothing")
        took = time.monotonic() - began
        return {SEARCH_QUEUED: self._queued_seconds, SEARCHED: took - self._queued_seconds}

    def file_to_rows(self) -> dict[str, float]:
        """Announce a small file, put it and wait until its rows are stored; the seconds of its parts.

        `received_at` is the time at which an invocation with a slot first saw the file.
        """
        name = f"f{next(self._numbers)}"
        lines = "".join(json.dumps(each) + "\n" for each in batch(self._run, name, ROWS_A_FILE))
        body = gzip.compress(lines.encode())
        upload, parts = self._announce(f"{name}.ndjson.gz", len(body))
        began_at = time.time()
        _expect(self._s3.put(upload["url"], content=body, headers=upload["headers"]), 200)
        put_at = time.time()
        self._until(lambda: self._is_read(upload["id"]), "the file is read")
        read_at, received_at = time.time(), self._received_at(upload["id"])
        queued = max(0.0, received_at - put_at)
        return {
            **parts,
            PUT: put_at - began_at,
            QUEUED: queued,
            READ: read_at - received_at,
            STATUS: self._status_seconds,
        }

    def _announce(self, filename: str, size_bytes: int) -> tuple[dict[str, Any], dict[str, float]]:
        """The announced upload, and the seconds of the parts of the announcement."""
        began = time.monotonic()
        body = {"filename": filename, "size": size_bytes}
        answer = self._client.post("/v1/uploads", json=body, headers=bearer(self._keys["ingest"]))
        took = time.monotonic() - began
        _expect(answer, 201)
        waited, handled = _server_timing(answer)
        parts = {ANNOUNCE_QUEUED: waited, ANNOUNCED: handled - waited, ANNOUNCE_SENT: took - handled}
        return answer.json(), parts

    def one_request(self) -> dict[str, float]:
        """Ask for the description of a table. A small file costs about twenty requests."""
        began = time.monotonic()
        self._dynamodb.describe_table(TableName=physical("uploads"))
        took = time.monotonic() - began
        time.sleep(4 * POLL_SECONDS)
        return {ONE_REQUEST: took}

    def erasure(self, patience_seconds: float) -> float:
        """Erase a person of whom one row is stored; the seconds from the request until that is verified."""
        person = f"person-{next(self._numbers)}-{self._run}"
        events = [{"message": f"mail to {person}", "metadata": {"run": self._run, "event_id": person}}]
        _expect(drain(self._client, self._keys["ingest"], events), 200, 202)
        self._until(lambda: bool(self.searchable([person])), "the person's row is searchable")
        began = time.monotonic()
        response = self._client.post(
            "/v1/erasures", json={"field": "message", "value": person}, headers=bearer(self._keys["admin"])
        )
        _expect(response, 202)
        while not self._is_verified(response.json()["id"]):
            if time.monotonic() - began > patience_seconds:
                raise ProbeFailedError("the erasure is not verified in time")
            time.sleep(POLL_SECONDS)
        return time.monotonic() - began

    def _send_batch(self, name: str) -> None:
        events = batch(self._run, name, EVENTS_A_REQUEST)
        _expect(drain(self._client, self._keys["ingest"], events), 200, 202)

    @property
    def _own_events(self) -> dict[str, Any]:
        return {"where": [{"field": "metadata.run", "op": "eq", "value": self._run}]}

    def _search(self, asked: dict[str, Any]) -> list[Any] | None:
        """Its events; None when it is to be tried again."""
        answer = self._client.post("/v1/search", json=asked, headers=bearer(self._keys["read"]))
        self._queued_seconds, _ = _server_timing(answer)
        if answer.status_code in (429, 503):
            self._rejection = f"{answer.status_code} {answer.text[:200]}"
            return None
        _expect(answer, 200)
        events: list[Any] = answer.json()["events"]
        return events

    def _is_read(self, upload_id: str) -> bool:
        return self._upload(upload_id)["state"] in ("loading", "done")

    def _received_at(self, upload_id: str) -> float:
        return datetime.fromisoformat(self._upload(upload_id)["received_at"]).timestamp()

    def _upload(self, upload_id: str) -> dict[str, Any]:
        began = time.monotonic()
        answer = self._client.get(f"/v1/uploads/{upload_id}", headers=bearer(self._keys["read"]))
        self._status_seconds = time.monotonic() - began
        _expect(answer, 200)
        shown: dict[str, Any] = answer.json()
        return shown

    def _is_verified(self, erasure_id: str) -> bool:
        answer = self._client.get(f"/v1/erasures/{erasure_id}")
        _expect(answer, 200)
        return bool(answer.json()["state"] == "verified")

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            if time.monotonic() > deadline:
                raise ProbeFailedError(f"waited {PATIENCE_SECONDS} s in vain until {what}")
            time.sleep(POLL_SECONDS)


def repeat(
    probe: str, once: Callable[[], Mapping[str, float] | None], samples: Samples, ended: threading.Event
) -> None:
    """Measure `once` again and again until `ended`; a failure is counted and the next one tried."""
    while not ended.is_set():
        began = time.monotonic()
        try:
            parts = once()
        except (ProbeFailedError, httpx.HTTPError) as fault:
            samples.fail(probe, f"{type(fault).__name__}: {fault}")
        else:
            samples.add(probe, time.monotonic() - began, parts)
        ended.wait(POLL_SECONDS)


def _server_timing(answer: httpx.Response) -> tuple[float, float]:
    """`queue` and `total` of the local gateway's Server-Timing, in seconds."""
    durations = [each.partition("dur=")[2] for each in answer.headers["server-timing"].split(",")]
    queued, total = (float(each) / 1000 for each in durations)
    return queued, total


def _expect(answer: httpx.Response, *statuses: int) -> None:
    if answer.status_code not in statuses:
        raise ProbeFailedError(f"{answer.status_code} {answer.text[:200]}")
