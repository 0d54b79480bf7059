"""A web shop's log lines: visits whose lines share a trace, identical for one seed.

Most visitors look around, some search, one in six orders; sometimes a bank declines, a password is wrong or a
shard of the search does not answer. Lines are spread evenly over the hour that ends now.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from local.demo.source import Event, Source

SEED = 7
SPAN = timedelta(hours=1)
DECLINED = "declined by the bank"


@dataclass(frozen=True, slots=True)
class _Step:
    service: str
    level: str
    text: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class _Visit:
    weight: int
    steps: tuple[_Step, ...]


_VISITS = (
    _Visit(
        50,
        (
            _Step("gateway", "info", "GET /products/{sku} 200 in {ms} ms", 200),
            _Step("catalog", "debug", "product {sku} was in the cache"),
        ),
    ),
    _Visit(
        25,
        (
            _Step("gateway", "info", "GET /search?q={word} 200 in {ms} ms", 200),
            _Step("search", "info", "{hits} hits for {word!r} on shard {shard}"),
        ),
    ),
    _Visit(
        16,
        (
            _Step("gateway", "info", "POST /orders 201 in {ms} ms", 201),
            _Step("checkout", "info", "order {order} placed: {items} items, {total} EUR"),
            _Step("payment", "info", "payment of order {order} authorized"),
            _Step("warehouse", "info", "{items} items reserved for order {order}"),
            _Step("mailer", "info", "confirmation of order {order} queued"),
        ),
    ),
    _Visit(
        3,
        (
            _Step("gateway", "info", "POST /orders 402 in {ms} ms", 402),
            _Step("checkout", "info", "order {order} placed: {items} items, {total} EUR"),
            _Step("payment", "error", "payment of order {order} " + DECLINED + ": insufficient funds"),
            _Step("checkout", "warn", "order {order} is on hold until it is paid"),
        ),
    ),
    _Visit(
        4,
        (
            _Step("auth", "warn", "wrong password for customer {customer}, attempt {items}"),
            _Step("gateway", "info", "POST /login 401 in {ms} ms", 401),
        ),
    ),
    _Visit(
        2,
        (
            _Step("search", "error", "shard {shard} did not answer within 2000 ms: connection reset by peer"),
            _Step("gateway", "error", "GET /search?q={word} 503 in {ms} ms", 503),
        ),
    ),
)
_WORDS = ("lamp", "desk", "kettle", "bicycle", "raincoat", "notebook", "headphones")
_REGIONS = ("eu-central-1", "eu-west-1", "us-east-1")


def shop_source(count: int, until: datetime, seed: int = SEED) -> Source:
    """`count` lines of the hour up to `until`."""
    chance = random.Random(seed)
    events = list(islice(_events(chance), count))
    for number, event in enumerate(events):
        moment = until - SPAN + SPAN * ((number + chance.random()) / count)
        event["timestamp"] = moment.isoformat()
    return Source("a web shop, generated", events)


def _events(chance: random.Random) -> Iterator[Event]:
    weights = [visit.weight for visit in _VISITS]
    while True:
        visit = chance.choices(_VISITS, weights)[0]
        trace_id, region = f"{chance.getrandbits(128):032x}", chance.choice(_REGIONS)
        facts = _facts(chance)
        for step in visit.steps:
            duration_ms = int(chance.lognormvariate(3.2, 1.1))
            metadata = {"region": region, "customer": facts["customer"], "duration_ms": duration_ms}
            yield {
                "message": step.text.format(ms=duration_ms, **facts),
                "level": step.level,
                "service": step.service,
                "project_id": "shop",
                "trace_id": trace_id,
                "span_id": f"{chance.getrandbits(64):016x}",
                "metadata": {**metadata, "status": step.status} if step.status else metadata,
            }


def _facts(chance: random.Random) -> dict[str, object]:
    """The fields of a visit: the same in all of its lines."""
    return {
        "sku": f"B{chance.randrange(10_000):04}",
        "word": chance.choice(_WORDS),
        "hits": chance.randrange(400),
        "shard": chance.randrange(1, 9),
        "order": 500_000 + chance.randrange(500_000),
        "items": chance.randrange(1, 6),
        "total": f"{chance.randrange(500, 40_000) / 100:.2f}",
        "customer": f"c{chance.randrange(20_000)}",
    }
