"""One account's flood of files and another's small file, on the whole stack with its real queue."""

import gzip
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.overrides import HERE
from tests.integration.sending import new_run
from tests.integration.stack import RunningStack, bearer, wait_until

FLOOD_FILES = 10
SMALL_FILES = 2

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


def read_a_small_file(client: httpx.Client, keys: dict[str, str], run: str) -> None:
    """Announce and put a small file; return once its rows are staged."""
    body = f"{run} a line of another account\n".encode()
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


def test_a_small_file_is_read_at_once_beside_a_flood_of_another_accounts(
    stack: RunningStack, client: httpx.Client
) -> None:
    """An order, not a time: a busy machine reads both slowly. `make fairness` has the times."""
    run, small = new_run(), stack.second_keys
    flood(stack, run)
    at_once = [0]

    def flooded() -> list[str]:
        seen = states(client, stack.keys["read"], run)
        at_once.append(seen.count("reading"))
        return seen

    for _ in range(SMALL_FILES):
        read_a_small_file(client, small, run)
        overtaken = flooded()
    assert len([each for each in overtaken if each in READ]) < FLOOD_FILES / 2, overtaken
    wait_until(
        lambda: [each in SETTLED for each in flooded()] == [True] * FLOOD_FILES,
        300,
        "each file of the flood is read, too",
    )
    assert set(flooded()) == {"partly"}
    assert max(at_once) == int(HERE["slots_a_tenant"]), "the flood has its share of the invocations, no more"
