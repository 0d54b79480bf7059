"""Events to measure with: logs of the services of a few web shops, identical for one seed.

Disk and CPU figures depend on the entropy, so here it is: eight services with two to four kinds of message
each, 70 % of the lines in a trace of about three, a third with a person's id, one request id (a UUID) per
line, and a few metadata keys with few values. A hundred rows share a request, and so their object and their
time of receipt. A staged row has about 476 bytes, of which `zstd -3` leaves a seventh.
"""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from functions.shared.events.staged_key import base32

START = datetime(2026, 11, 1, tzinfo=UTC)
OBJECT_ROWS = 100

_KINDS: dict[str, tuple[tuple[str, str, int], ...]] = {
    "gateway": (
        ("info", "{method} {path} {status} in {ms} ms", 20),
        ("info", "TLS handshake with {ip} finished, cipher TLS_AES_128_GCM_SHA256", 3),
        ("warn", "rate limit reached for client {ip}, answering 429", 1),
    ),
    "checkout": (
        ("info", "order {n} placed, {small} items, total {money} EUR", 8),
        ("info", "cart {hex} updated: {small} items", 8),
        ("error", "payment for order {n} declined by provider: insufficient funds", 1),
        ("warn", "stock check for sku {n} took {ms} ms, using the cached value", 2),
    ),
    "auth": (
        ("info", "session {hex} opened for user {user}", 6),
        ("info", "token refreshed for user {user}, expires in 3600 s", 6),
        ("warn", "failed login for user {user} from {ip}: wrong password", 2),
        ("error", "identity provider did not answer within {ms} ms, giving up", 1),
    ),
    "search": (
        ("debug", "query parsed in {ms} us, {small} terms, shard {small}", 8),
        ("info", "returned {small} of {n} hits for locale {locale}", 8),
        ("error", "shard {small} timed out after {ms} ms: connection reset by peer", 1),
    ),
    "mailer": (
        ("info", "message {hex} queued for delivery with template order-confirmation", 5),
        ("info", "250 2.0.0 OK {n} accepted for delivery by the relay", 5),
        ("warn", "temporary failure 451 from {ip}, retrying in {small} minutes", 1),
    ),
    "inventory": (
        ("info", "reserved {small} of sku {n} in warehouse {locale}", 8),
        ("debug", "cache miss for sku {n}, loading from the replica", 8),
        ("error", "deadlock found when trying to get lock; restarting transaction {n}", 1),
    ),
    "worker": (
        ("info", "job {hex} finished in {ms} ms after {small} attempts", 8),
        ("info", "job {hex} picked up from queue default by worker {small}", 8),
        ("fatal", "out of memory while resizing image {hex}, process will restart", 1),
    ),
    "ledger": (
        ("info", "entry {n} posted to account {n}, amount {money}", 8),
        ("warn", "balance of account {n} was read while entry {n} was open", 1),
    ),
}
_PATHS = ("/", "/cart", "/checkout", "/api/v1/items", "/api/v1/search", "/login", "/assets/app.js", "/health")
_REGIONS = ("eu-west-1", "eu-central-1", "us-east-1", "ap-south-1")
_LOCALES = ("de", "en", "fr", "es", "it", "nl", "pl", "sv")
_STATUS = (200, 200, 200, 200, 200, 201, 204, 301, 302, 400, 401, 404, 429, 500, 503)


def rows(count: int, tenant: str, seed: int = 1, start: datetime = START) -> Iterator[bytes]:
    """`count` staged rows of `tenant`, each a line of NDJSON with its newline, in order of arrival.

    They start at `start`, about 200 a second.
    """
    random_ = random.Random(f"{seed}:{tenant}")
    services = tuple(_KINDS)
    weights = (30, 12, 10, 14, 5, 10, 12, 7)
    now = start
    trace, trace_left = "", 0
    for first in range(0, count, OBJECT_ROWS):
        events = []
        for _ in range(min(OBJECT_ROWS, count - first)):
            now += timedelta(microseconds=random_.randrange(10_000))
            if trace_left == 0:
                trace = f"{random_.getrandbits(128):032x}" if random_.random() < 0.7 else ""
                trace_left = random_.randint(1, 5)
            trace_left -= 1
            service = random_.choices(services, weights)[0]
            events.append(_event(random_, tenant, service, now, trace))
        yield from _received(random_, events, now)


def _received(random_: random.Random, events: list[str], last: datetime) -> Iterator[bytes]:
    """The rows of one request, whose last event happened at `last`."""
    at = last + timedelta(microseconds=random_.randrange(200_000, 1_200_000))
    object_id = base32(int(at.timestamp() * 1000) << 80 | random_.getrandbits(80))
    for position, event in enumerate(events):
        yield (
            f'{event},"received_at":"{at:%Y-%m-%d %H:%M:%S.%f}",'
            f'"object_id":"{object_id}","position":{position}}}\n'
        ).encode()


def ndjson(count: int, tenant: str, seed: int = 1, start: datetime = START) -> bytes:
    """The same rows as one body."""
    return b"".join(rows(count, tenant, seed, start))


def expiry(start: datetime = START, days: int = 30) -> date:
    """The day on which rows received on the day of `start` expire."""
    return start.date() + timedelta(days=days + 1)


def _event(random_: random.Random, tenant: str, service: str, now: datetime, trace: str) -> str:
    """The row of an event up to what its request adds."""
    kinds = _KINDS[service]
    level, template, _ = random_.choices(kinds, [kind[2] for kind in kinds])[0]
    status = random_.choice(_STATUS)
    milliseconds = int(random_.lognormvariate(3.2, 1.1))
    user = f"u{random_.randrange(200_000)}"
    message = template.format(
        method=random_.choice(("GET", "GET", "GET", "POST", "PUT")),
        path=random_.choice(_PATHS),
        status=status,
        ms=milliseconds,
        ip=f"10.{random_.randrange(8)}.{random_.randrange(256)}.{random_.randrange(256)}",
        n=random_.randrange(1_000_000),
        small=random_.randrange(1, 20),
        money=f"{random_.randrange(100, 50_000) / 100:.2f}",
        hex=f"{random_.getrandbits(48):012x}",
        user=user,
        locale=random_.choice(_LOCALES),
    )
    person = f',"user_id":"{user}"' if random_.random() < 0.33 else ""
    metadata = (
        f'{{"request_id":"{UUID(int=random_.getrandbits(128), version=4)}",'
        f'"region":"{random_.choice(_REGIONS)}","status":{status},"duration_ms":{milliseconds},'
        f'"cached":{random_.choice(("true", "false"))}{person}}}'
    )
    span = f"{random_.getrandbits(64):016x}" if trace else ""
    return (
        f'{{"tenant_id":"{tenant}","project_id":"shop","timestamp":"{now:%Y-%m-%d %H:%M:%S.%f}000",'
        f'"level":"{level}","service":"{service}","message":"{message}",'
        f'"trace_id":"{trace}","span_id":"{span}","metadata":{metadata}'
    )
