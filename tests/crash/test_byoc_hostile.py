"""Two customers in one invocation, one of whom is hostile: the other's rows are loaded, and memory stays."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from backports import zstd

from functions.shared.events.staged_key import StagedKey, time_ordered_id
from functions.shared.tenancy import own_destination
from functions.sync.byoc_loader import MAX_BATCH_BYTES
from functions.sync.notifications import StagedObject
from tests.crash.byoc_world import ACME, EXPIRES_ON, GLOBEX, Clouds
from tests.crash.test_byoc import clouds, port  # noqa: F401 - fixtures
from tests.crash.world import row_of
from tests.unit.shared.hostile_server import answering, dripping, endless, http

ZEROS = bytes(65_536)
MEBIBYTE = 1024 * 1024
BOMB = zstd.compress(bytes(10**8), 1)

ANSWERS = {
    "endless": ("answer_refused", lambda _: endless(http(), ZEROS)),
    "ten gigabytes": ("answer_refused", lambda _: endless(http("Content-Length: 10000000000"), ZEROS)),
    "headers": ("answer_refused", lambda _: endless(b"HTTP/1.1 200 OK\r\n", b"x: " + b"y" * 9_000 + b"\r\n")),
    "an error": ("answer_refused", lambda _: endless(http(status="500 No"), ZEROS)),
    "drips": ("no_answer", lambda _: dripping(http(), seconds=0.1)),
    "a bomb": ("answer_refused", lambda _: [http("Content-Encoding: zstd"), BOMB]),
}


@contextmanager
def little_memory(megabytes: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < megabytes * MEBIBYTE
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("how", ANSWERS)
def test_a_hostile_clickhouse_costs_the_other_nothing(clouds: Clouds, how: str) -> None:  # noqa: F811
    reason, script = ANSWERS[how]
    clouds.deliver((GLOBEX, clouds.stage(GLOBEX, 1)))
    acme, globex = clouds.stage(ACME, 2), clouds.stage(GLOBEX, 2)
    with answering(script) as server:
        clouds.destinations.stored[ACME] = clouds.destination(ACME, port=server.port)
        with little_memory(60):
            assert clouds.deliver((ACME, acme), (GLOBEX, globex)) == {"acme"}
        assert clouds.sync.seconds_taken[GLOBEX] < 10
        assert clouds.sync.seconds_taken[ACME] < 10, "nor does it take the invocation's time"
    assert clouds.health.of(own_destination(ACME)).reason == reason
    assert clouds.stored(GLOBEX) == clouds.expected[GLOBEX]
    clouds.destinations.stored[ACME] = clouds.destination(ACME)
    clouds.destinations.evict(ACME)
    clouds.now += 3600
    assert clouds.deliver((ACME, acme)) == set(), "what is staged there is loaded as soon as it behaves"
    assert clouds.stored(ACME) == clouds.expected[ACME]


def put(clouds: Clouds, body: bytes, rows: int = 1, listed_bytes: int | None = None) -> StagedObject:  # noqa: F811
    key = str(StagedKey(ACME, EXPIRES_ON.replace(year=2029), time_ordered_id(), rows, 300, EXPIRES_ON))
    etag = clouds.buckets[ACME].create(key, body) or ""
    return StagedObject(key, etag, len(body) if listed_bytes is None else listed_bytes)


def refused_row() -> bytes:
    return row_of(ACME, "poison").replace(b"2029-12-02T10:00:00.000000001Z", b"no time at all")


def hostile_object(clouds: Clouds, how: str) -> StagedObject:  # noqa: F811
    match how:
        case "larger than listed":
            return put(clouds, bytes(8 * MEBIBYTE), listed_bytes=1024)
        case "larger than may be":
            return put(clouds, bytes(MAX_BATCH_BYTES + 1))
        case "replaced":
            listed = put(clouds, b"x")
            clouds.buckets[ACME].delete([listed.key])
            clouds.buckets[ACME].create(listed.key, b"another")
            return listed
        case _:
            step = zstd.ZstdCompressor(1)
            return put(clouds, zstd.compress(refused_row()) + _bomb(step))


def _bomb(step: Any) -> bytes:
    line = b" " * (MEBIBYTE - 1) + b"\n"
    return b"".join(step.compress(line) for _ in range(300)) + step.flush()


OBJECTS = {
    "larger than listed": None,
    "larger than may be": "objects_too_large",
    "replaced": None,
    "a bomb": "objects_too_large",
}


@pytest.mark.parametrize("how", OBJECTS)
def test_a_hostile_bucket_costs_the_other_nothing(clouds: Clouds, how: str) -> None:  # noqa: F811
    clouds.deliver((GLOBEX, clouds.stage(GLOBEX, 1)), (ACME, clouds.stage(ACME, 1)))
    bad, globex = hostile_object(clouds, how), clouds.stage(GLOBEX, 2)
    assert clouds.deliver((ACME, [bad]), (GLOBEX, globex)) == {"acme"}
    assert clouds.stored(GLOBEX) == clouds.expected[GLOBEX]
    assert clouds.stored(ACME) == clouds.expected[ACME]
    condition = clouds.health.of(own_destination(ACME))
    assert condition.reason == OBJECTS[how] if OBJECTS[how] else condition.failures == 0
    assert clouds.buckets[ACME].etag_of(bad.key), "it is left where it is"
