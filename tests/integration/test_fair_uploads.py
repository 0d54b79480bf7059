"""One account's flood of files and another's small file, on the whole stack with its real queue."""

import gzip
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.integration.sending import new_run
from tests.integration.stack import RunningStack, bearer, wait_until

FLOOD_FILES = 16
PROBES = 2
FLOOR_SECONDS = 2.0
"""Two processors do the flood's reading and all else beside it; the stack looks for messages each second."""

SETTLED = {"done", "partly", "failed"}
READ = SETTLED | {"loading"}

SLOW = gzip.compress(b'{"message":"m"}\n' * 2 + b"1\n" * 230_000)
"""2 KB that take most of a second to read and make two rows, so that ClickHouse has little part in it."""


@pytest.fixture(scope="module")
def client(stack: RunningStack) -> Iterator[httpx.Client]:
    with stack.client() as connected:
        yield connected


def flood(stack: RunningStack, run: str) -> None:
    page, s3 = stack.page, stack.aws("s3")
    for number in range(FLOOD_FILES):
        s3.put_object(Bucket=page["drop_bucket"], Key=f"{page['drop_prefix']}{run}/{number}", Body=SLOW)


def seconds_of_a_small_file(client: httpx.Client, keys: dict[str, str], run: str) -> float:
    """From announcing a small file until its rows are staged."""
    began, body = time.monotonic(), f"{run} a line of another account\n".encode()
    announced = client.post(
        "/v1/uploads", json={"filename": f"{run}.log", "size": len(body)}, headers=bearer(keys["ingest"])
    ).json()
    httpx.put(announced["url"], content=body, headers=announced["headers"]).raise_for_status()

    def upload() -> dict[str, Any]:
        answer: dict[str, Any] = client.get(
            f"/v1/uploads/{announced['id']}", headers=bearer(keys["read"])
        ).json()
        return answer

    wait_until(lambda: upload()["state"] in READ, 60, "the small file is read")
    assert upload()["rows_stored"] == 1
    return time.monotonic() - began


def states(client: httpx.Client, key: str, run: str) -> list[str]:
    """The states of the uploads whose name holds `run`."""
    found: list[str] = []
    query = {"limit": "100"}
    while True:
        page = client.get("/v1/uploads", params=query, headers=bearer(key)).json()
        found += [each["state"] for each in page["uploads"] if run in each["filename"]]
        if page["next_cursor"] is None:
            return found
        query = {"limit": "100", "cursor": page["next_cursor"]}


def slowest(act: Callable[[], float]) -> float:
    """Of a few: the first one is put right behind the flood."""
    return max(act() for _ in range(PROBES))


def test_a_small_file_is_read_at_once_beside_a_flood_of_another_accounts(
    stack: RunningStack, client: httpx.Client
) -> None:
    run, small = new_run(), stack.second_keys
    seconds_of_a_small_file(client, small, run)  # the functions' cold starts
    before = slowest(lambda: seconds_of_a_small_file(client, small, run))
    flood(stack, run)
    beside = slowest(lambda: seconds_of_a_small_file(client, small, run))
    under_way = states(client, stack.keys["read"], run)

    assert len([each for each in under_way if each in READ]) < FLOOD_FILES / 2, "it was beside a flood"
    wait_until(
        lambda: [each in SETTLED for each in states(client, stack.keys["read"], run)] == [True] * FLOOD_FILES,
        300,
        "each file of the flood is read, too",
    )
    assert set(states(client, stack.keys["read"], run)) == {"partly"}
    after = slowest(lambda: seconds_of_a_small_file(client, small, run))
    assert beside <= 2 * max(before, after) + FLOOR_SECONDS, (before, beside, after)
