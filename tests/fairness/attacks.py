"""What the hostile tenant does: one attack for each resource that tenants share.

    python -m tests.fairness.attacks <name> <attacker as JSON> <seconds>

Each runs in a process of its own, so that it takes no time of the process that measures, and ends by itself.
It begins when it is asked to (tests.fairness.waiting_process) and prints how often it acted with which
status. Files are announced and put, which is the only way into our bucket that a tenant has.
"""

import gzip
import io
import json
import sys
import threading
import time
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import httpx
import pyarrow
import pyarrow.parquet
from backports import zstd

from tests.fairness.hostile_s3 import hostile_s3
from tests.fairness.waiting_process import ready_to_begin
from tests.integration.stack import bearer

CREATED, TOO_MANY = 201, 429
CONNECTIONS = 8
PAUSE_SECONDS = 0.01
"""Between two requests of a connection: this machine's two cores serve the attacker, too."""

REJECTED_PAUSE_SECONDS = 0.1
"""After a 429: far less than its Retry-After."""

SAVED_UPLOADS = 400
SAVING_SECONDS = 60
"""URLs that are announced before the account's cap is reached, and put all at once afterwards."""


@dataclass(frozen=True, slots=True)
class Attacker:
    """The hostile tenant: one admin key; `destination` is a BYOC tenant's."""

    tenant: str
    api: str
    key: str
    aws_endpoint: str
    destination: dict[str, Any] | None = None

    def as_json(self) -> str:
        return json.dumps(asdict(self))


Act = Callable[[httpx.Client], int]
"""One hostile act; the status it was answered with."""


@contextmanager
def endless_listing(attacker: Attacker) -> Iterator[Act]:
    """A BYOC customer asks for an erasure, and its bucket lists the quarantine for ever."""
    assert attacker.destination is not None
    bucket = attacker.destination["bucket"]
    with (
        hostile_s3(attacker.aws_endpoint, "quarantine/") as s3,
        httpx.Client(base_url=attacker.api) as client,
    ):
        destination = {**attacker.destination, "bucket": {**bucket, "endpoint": s3.url}}
        answer = client.put("/v1/destination", json=destination, headers=bearer(attacker.key), timeout=60)
        assert answer.status_code == 200, answer.text
        s3.turn_hostile()

        def ask(client: httpx.Client) -> int:
            person = {"field": "message", "value": f"person {time.monotonic_ns()}"}
            return client.post("/v1/erasures", json=person, headers=bearer(attacker.key)).status_code

        yield ask


@contextmanager
def refresh_flood(_attacker: Attacker) -> Iterator[Act]:
    """Sessions that never were are refreshed."""
    yield lambda client: client.post("/v1/login", json={"refresh_token": "a" * 1000}).status_code


@contextmanager
def capped_bomb(attacker: Attacker) -> Iterator[Act]:
    """Small zstd files of millions of rows, put after the account's cap is reached.

    Such an account may announce no more, so the URLs are from before.
    """
    rows = b'{"message":"m"}\n' * 100_000
    compressor = zstd.ZstdCompressor()
    body = b"".join(compressor.compress(rows) for _ in range(30)) + compressor.flush()
    saved = _saved_uploads(attacker, len(body))
    announce = _uploading(attacker, body)
    with httpx.Client(base_url=attacker.api) as client:
        client.patch("/v1/billing", json={"hard_cap_gb": 0}, headers=bearer(attacker.key)).raise_for_status()

    def put(client: httpx.Client) -> int:
        try:
            upload = saved.popleft()
        except IndexError:
            return announce(client)
        return client.put(upload["url"], content=body, headers=upload["headers"]).status_code

    yield put


@contextmanager
def heavy_search(attacker: Attacker) -> Iterator[Act]:
    """Long paths, many values: as much as one search may ask for, and more."""
    path = "metadata." + ".".join(["a"] * 16)
    where = [
        {"field": f"{path}{number}", "op": "in", "value": [f"v{each}" for each in range(1000)]}
        for number in range(6)
    ]
    body = json.dumps({"where": where, "from": "2020-01-01T00:00:00Z", "limit": 1000}).encode()
    yield lambda client: client.post("/v1/search", content=body, headers=bearer(attacker.key)).status_code


@contextmanager
def empty_members(attacker: Attacker) -> Iterator[Act]:
    """A body of a hundred thousand compressed members without content."""
    body = zlib.compress(b"") * 100_000
    headers = {**bearer(attacker.key), "content-encoding": "deflate"}
    yield lambda client: client.post("/v1/drain", content=body, headers=headers).status_code


@contextmanager
def parquet_bomb(attacker: Attacker) -> Iterator[Act]:
    """A file of a few kilobytes whose one long value is in a million rows."""
    value = pyarrow.array(["m" * 100_000])
    column = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * 1_000_000, pyarrow.int32()), value)
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"message": column}), file, compression="zstd")
    yield _uploading(attacker, file.getvalue())


@contextmanager
def file_flood(attacker: Attacker) -> Iterator[Act]:
    """Files by the thousand, of a second's work each.

    Compressed, so that the work is the service's: the local S3 is one process with the queue and the tables,
    and a body of 11 MB occupies it.
    """
    line = json.dumps({"message": "m" * 200, "metadata": {"n": 1}}).encode() + b"\n"
    yield _uploading(attacker, gzip.compress(line * 50_000))


def _uploading(attacker: Attacker, body: bytes) -> Act:
    """Announce a file and put it; the status of the announcement unless that is 201."""

    def upload(client: httpx.Client) -> int:
        announced = _announced(client, attacker, len(body))
        if announced.status_code != CREATED:
            return announced.status_code
        upload = announced.json()
        return client.put(upload["url"], content=body, headers=upload["headers"]).status_code

    return upload


def _saved_uploads(attacker: Attacker, size_bytes: int) -> deque[dict[str, Any]]:
    """SAVED_UPLOADS announced uploads, or as many as the service permits in SAVING_SECONDS."""
    saved, ends_at = deque[dict[str, Any]](), time.monotonic() + SAVING_SECONDS
    with httpx.Client(base_url=attacker.api, timeout=60) as client:
        while len(saved) < SAVED_UPLOADS and time.monotonic() < ends_at:
            announced = _announced(client, attacker, size_bytes)
            if announced.status_code == CREATED:
                saved.append(announced.json())
            else:
                time.sleep(float(announced.headers.get("retry-after", 1)))
    return saved


def _announced(client: httpx.Client, attacker: Attacker, size_bytes: int) -> httpx.Response:
    body = {"filename": "hostile.bin", "size": size_bytes}
    return client.post("/v1/uploads", json=body, headers=bearer(attacker.key))


ATTACKS: dict[str, Callable[[Attacker], Any]] = {
    "endless listing": endless_listing,
    "refresh flood": refresh_flood,
    "capped bomb": capped_bomb,
    "heavy search": heavy_search,
    "empty members": empty_members,
    "parquet bomb": parquet_bomb,
    "file flood": file_flood,
}
"""By name, in the order of the review's points 1, 3, 4, 5, 6, 7 and 8."""


def run(name: str, attacker: Attacker, seconds: float) -> Counter[str]:
    """Act over CONNECTIONS at once for so long, or until SIGTERM; how often each status was the answer."""
    answers: Counter[str] = Counter()

    def one_connection(act: Act, ends_at: float, ended: threading.Event) -> None:
        with httpx.Client(base_url=attacker.api, timeout=60) as client:
            while time.monotonic() < ends_at and not ended.is_set():
                try:
                    status = act(client)
                    answers[str(status)] += 1
                except httpx.HTTPError as fault:
                    status = 0
                    answers[type(fault).__name__] += 1
                time.sleep(REJECTED_PAUSE_SECONDS if status == TOO_MANY else PAUSE_SECONDS)

    with ATTACKS[name](attacker) as act:
        ended = ready_to_begin()
        arguments = (act, time.monotonic() + seconds, ended)
        threads = [threading.Thread(target=one_connection, args=arguments) for _ in range(CONNECTIONS)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    return answers


def main() -> None:
    name, attacker, seconds = sys.argv[1], Attacker(**json.loads(sys.argv[2])), float(sys.argv[3])
    print(json.dumps(run(name, attacker, seconds)), flush=True)


if __name__ == "__main__":
    main()
