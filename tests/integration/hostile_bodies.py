"""Hostile bodies, made from a seed: the same number makes the same body."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from backports import zstd

from tests.integration.hostile_large_bodies import LARGE
from tests.integration.sent_body import Sent

LARGE_EVERY = 100
"""One body in so many is large: they cost a second where the others cost a millisecond."""


def bodies(seed: int, count: int) -> Iterator[Sent]:
    """`count` bodies, one after the other; large ones now and then."""
    random = Random(seed)
    for number in range(count):
        if number % LARGE_EVERY == 0:
            yield LARGE[number // LARGE_EVERY % len(LARGE)]()
        else:
            yield small_body(random)


def small_body(random: Random) -> Sent:
    """A body of a few hundred bytes, wrong in one way or several, or in none."""
    name, body = random.choice(SMALL)(random)
    if random.random() < 0.4:
        name, body = f"{name}, mutated", mutated(random, body)
    headers = {"content-type": random.choice(CONTENT_TYPES)}
    if random.random() < 0.3:
        encoding, encode = random.choice(ENCODINGS)
        name, body = f"{name}, {encoding}", encode(body)
        headers["content-encoding"] = encoding
        if random.random() < 0.3:
            body = mutated(random, body)
    if random.random() < 0.1:
        headers["idempotency-key"] = random.choice(["k", "é", "\0", "k" * 255, "k" * 256, "../x", "'; --"])
    return Sent(name, body, headers)


CONTENT_TYPES = [
    "application/json",
    "application/json; charset=utf-16",
    "application/x-ndjson",
    "application/jsonl",
    "text/plain",
    "application/x-www-form-urlencoded",
    "",
    ";;;",
    "x" * 5000,
]

ENCODINGS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", lambda body: gzip.compress(body, 1, mtime=0)),
    ("deflate", zlib.compress),
    ("deflate", lambda body: zlib.compress(body)[2:-4]),
    ("zstd", lambda body: zstd.compress(body, 1)),
    ("gzip", bytes),
    ("zstd", bytes),
    ("deflate", bytes),
    ("identity", bytes),
    ("br", bytes),
    ("gzip, gzip", bytes),
    ("\0", bytes),
]

EVIL_VALUES = [
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"-0",
    b"1" * 5000,
    b"0." + b"1" * 5000,
    b"1e-5000",
    b"18446744073709551616",
    rb'"\ud800"',
    rb'"\udc00\ud800"',
    rb'"\ud83d\ude00"',
    rb'"\u0000"',
    b'"\0"',
    b'"\xff\xfe"',
    b'"\xed\xa0\x80"',
    b'"\xf0\x9f\x98"',
    rb'"\x"',
    b'"\t"',
    b'"\r\n"',
    '"\u2028\u2029\ufeff"'.encode(),
    b"'single'",
    b"true",
    b"null",
    b"[]",
    b"{}",
    b'{"a":1,"a":2}',
    b'{"a.b":1,"a":{"b":2}}',
    b'{"":{"":{"":""}}}',
    rb'{"\ud800":1,"\u0000":2}',
    b'{"tenant_id":"globex","batch_id":"x","expires_on":"2000-01-01"}',
    b'{"\\u0074race_id":"x","trace_id":5}',
    b"[" * 150 + b"]" * 150,
    b'{"a":' * 300 + b"1" + b"}" * 300,
    b"[" * 3000,
    b"{\n\r\n}",
    b'{"a"\n:\n1}',
    b'"' + b"\\\\" * 1000 + b'"',
    b'"{\\"nested\\":\\"json\\"}"',
    b'"2026-13-45T99:99:99Z"',
    b'"9999-12-31T23:59:59.999999999Z"',
    b'"0000-00-00"',
    b'"2026-11-23T10:00:00+99:99"',
    b"253402300800",
    b"-1",
    b'"' + b"9" * 400 + b'"',
    b'"' + b"n" * 300 + b'"',
    b'"' + "é".encode() * 150 + b'"',
]

FIELDS = [
    "message", "timestamp", "level", "service", "project_id", "trace_id", "span_id", "metadata",
    "tenant_id", "batch_id", "expires_on", "received_at", "original_timestamp", "_root.level", "", "extra",
]  # fmt: skip


def _event(random: Random) -> bytes:
    pairs = [] if random.random() < 0.1 else [b'"message":"hello"']
    for _ in range(random.randrange(5)):
        name = json.dumps(random.choice(FIELDS)).encode()
        pairs.append(name + random.choice([b":", b" : "]) + random.choice(EVIL_VALUES))
    random.shuffle(pairs)
    return b"{" + b",".join(pairs) + b"}"


def _wrapped(random: Random, events: list[bytes]) -> bytes:
    return random.choice(
        [
            lambda: b'{"events":[' + b",".join(events) + b"]}",
            lambda: b'{"logs":[' + b",\r\n".join(events) + b'],"events":null}',
            lambda: b"[" + b" , ".join(events) + b"]",
            lambda: b"\n".join(events) + b"\n",
            lambda: b"\r\n\r\n".join(events),
            lambda: b" ".join(events),
        ]
    )()


def _events(random: Random) -> tuple[str, bytes]:
    return "evil events", _wrapped(random, [_event(random) for _ in range(random.randrange(1, 6))])


def _good(random: Random) -> tuple[str, bytes]:
    events: list[dict[str, Any]] = [
        {
            "message": f"user {random.randrange(1000)} signed in",
            "timestamp": f"2026-11-{random.randrange(1, 24):02}T10:00:00.{random.randrange(10**6):06}Z",
            "level": random.choice(["info", "WARN", "err", "fatal", "debug", "loud"]),
            "service": "auth",
            "metadata": {"user_id": random.randrange(10**6), "ratio": random.random(), "tags": ["a", None]},
        }
        for _ in range(random.randrange(1, 8))
    ]
    return "good events", _wrapped(random, [json.dumps(event).encode() for event in events])


def _noise(random: Random) -> tuple[str, bytes]:
    return "noise", random.randbytes(random.randrange(200))


def _bare(random: Random) -> tuple[str, bytes]:
    return "a bare value", random.choice(EVIL_VALUES)


def _other_unicode(random: Random) -> tuple[str, bytes]:
    encoding = random.choice(["utf-16", "utf-32", "utf-8-sig", "latin-1"])
    return encoding, '[{"message":"grüß"}]'.encode(encoding)


SMALL = [_events, _events, _events, _good, _good, _noise, _bare, _other_unicode]


def mutated(random: Random, body: bytes) -> bytes:
    """`body`, cut off or changed in up to three places."""
    changed = bytearray(body)
    for _ in range(random.randrange(1, 4)):
        at = random.randrange(len(changed) + 1)
        match random.randrange(4):
            case 0:
                del changed[at:]
            case 1:
                changed[at : at + 1] = random.randbytes(1)
            case 2:
                changed[at:at] = random.choice([b'"', b"\\", b"{", b"]", b",", b"\n", b"\0", b"\xff", b"0"])
            case 3:
                length = random.randrange(20)
                del changed[at : at + length]
    return bytes(changed)
