"""Events over HTTP: several clients at once, using each body format of POST /v1/drain in turn."""

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle
from queue import Empty, SimpleQueue
from uuid import uuid4

from backports import zstd

from local.demo.client import Client
from local.demo.source import Event

CLIENTS = 4
EVENTS_A_REQUEST = 250

OnAnswer = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Form:
    """One encoding of events."""

    name: str
    headers: Mapping[str, str]
    encode: Callable[[Sequence[Event]], bytes]


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _ndjson(events: Sequence[Event]) -> bytes:
    return b"".join(_json(event) + b"\n" for event in events)


FORMS = (
    Form(
        '{"events": […]}',
        {"Content-Type": "application/json"},
        lambda events: _json({"events": events}),
    ),
    Form(
        "NDJSON, gzip",
        {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"},
        lambda events: gzip.compress(_ndjson(events), 6),
    ),
    Form(
        "bare array, zstd",
        {"Content-Type": "application/json", "Content-Encoding": "zstd"},
        lambda events: zstd.compress(_json(events)),
    ),
)


@dataclass(frozen=True, slots=True)
class Sent:
    """`accepted` and `rejected` as the API reported; `wire_bytes` of bodies, compressed as sent."""

    requests: int = 0
    accepted: int = 0
    rejected: int = 0
    wire_bytes: int = 0
    retries: int = 0

    def __add__(self, other: "Sent") -> "Sent":
        return Sent(
            self.requests + other.requests,
            self.accepted + other.accepted,
            self.rejected + other.rejected,
            self.wire_bytes + other.wire_bytes,
            self.retries + other.retries,
        )


@dataclass(frozen=True, slots=True)
class _Parcel:
    form: Form
    events: Sequence[Event]
    idempotency_key: str = field(default_factory=lambda: uuid4().hex)


def send(events: Sequence[Event], api: str, key: str, on_answer: OnAnswer) -> Sent:
    """Send all `events`; `on_answer` is called with the size of each request once it is answered.

    Raises
    ------
    ApiError: the API rejected a request.
    """
    parcels: SimpleQueue[_Parcel] = SimpleQueue()
    for start, form in zip(range(0, len(events), EVENTS_A_REQUEST), cycle(FORMS), strict=False):
        parcels.put(_Parcel(form, events[start : start + EVENTS_A_REQUEST]))
    with ThreadPoolExecutor(CLIENTS) as pool:
        shares = [pool.submit(_work_off, parcels, Client(api, key), on_answer) for _ in range(CLIENTS)]
        return sum((share.result() for share in shares), Sent())


def _work_off(parcels: "SimpleQueue[_Parcel]", client: Client, on_answer: OnAnswer) -> Sent:
    sent = Sent()
    try:
        while True:
            parcel = parcels.get_nowait()
            sent += _sent(parcel, client)
            on_answer(len(parcel.events))
    except Empty:
        return sent + Sent(retries=client.retries)
    finally:
        client.close()


def _sent(parcel: _Parcel, client: Client) -> Sent:
    body = parcel.form.encode(parcel.events)
    headers = {**parcel.form.headers, "Idempotency-Key": parcel.idempotency_key}
    verdict = client.post("/v1/drain", body, headers)
    return Sent(1, verdict["accepted"], verdict["rejected"], len(body))
