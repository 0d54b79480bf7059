"""Files through the whole stack: put by URL or into the bucket, ours or a customer's, and found by search."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.integration.sending import new_run
from tests.integration.stack import RunningStack, bearer, wait_until
from tests.unit.uploads.samples import COMPRESSIONS, FORMS, hadoop

SETTLED = {"done", "partly", "failed"}


@pytest.fixture(scope="module")
def client(stack: RunningStack) -> Iterator[httpx.Client]:
    with stack.client() as connected:
        yield connected


def uploads(client: httpx.Client, key: str, name: str) -> list[dict[str, Any]]:
    """The account's uploads whose file's name holds `name`."""
    answer = client.get("/v1/uploads", params={"limit": "100"}, headers=bearer(key))
    assert answer.status_code == 200, answer.text
    return [each for each in answer.json()["uploads"] if name in each["filename"]]


def wait_for(client: httpx.Client, key: str, name: str, count: int) -> list[dict[str, Any]]:
    def settled() -> bool:
        listed = uploads(client, key, name)
        return len(listed) == count and all(each["state"] in SETTLED for each in listed)

    wait_until(settled, 60, "the files are loaded")
    return uploads(client, key, name)


def records(run: str, count: int, whose: str) -> bytes:
    return "".join(
        json.dumps(
            {"message": f"{whose} {number}", "metadata": {"run": run, "event_id": f"{whose}-{number}"}}
        )
        + "\n"
        for number in range(count)
    ).encode()


def test_a_file_goes_from_its_url_to_search_and_stays_its_tenants(
    stack: RunningStack, client: httpx.Client
) -> None:
    run = new_run()
    for keys, whose in ((stack.keys, "acme"), (stack.second_keys, "globex")):
        body = gzip.compress(records(run, 500, whose))
        announced = client.post(
            "/v1/uploads",
            json={"filename": f"{run} 100% a+b.WRONG", "size": len(body)},
            headers=bearer(keys["ingest"]),
        ).json()
        put = httpx.put(announced["url"], content=body, headers=announced["headers"])
        assert put.status_code == 200, put.text
        (shown,) = wait_for(client, keys["read"], run, 1)
        assert (shown["state"], shown["rows_stored"], shown["compression"]) == ("done", 500, "gzip")
        other = stack.second_keys if whose == "acme" else stack.keys
        missing = client.get(f"/v1/uploads/{announced['id']}", headers=bearer(other["read"]))
        assert missing.status_code == 404

    expected = [f"{whose}-{number}" for whose in ("acme", "globex") for number in range(500)]
    assert sorted(stack.stored_ids(run)) == sorted(expected)
    question = {"where": [{"field": "metadata.run", "op": "eq", "value": run}], "limit": 1000}
    for keys, whose in ((stack.keys, "acme"), (stack.second_keys, "globex")):
        events = client.post("/v1/search", json=question, headers=bearer(keys["read"])).json()["events"]
        assert {event["message"].split()[0] for event in events} == {whose}
        assert len(events) == 500


def test_files_put_into_the_bucket_are_read_whatever_they_are(
    stack: RunningStack, client: httpx.Client
) -> None:
    run = new_run()
    s3, page = stack.aws("s3"), stack.page
    lines = hadoop(50)
    cases = [(form, "none") for form in FORMS] + [("lines", compression) for compression in COMPRESSIONS]
    for number, (form, compression) in enumerate(cases):
        body = COMPRESSIONS[compression](FORMS[form](lines))
        key = f"{page['drop_prefix']}{run}/ÜPPER {number}+%.bin"
        s3.put_object(Bucket=page["drop_bucket"], Key=key, Body=body)
        s3.put_object(Bucket=page["drop_bucket"], Key=key, Body=body)

    shown = wait_for(client, stack.keys["read"], run, len(cases))
    assert {(each["state"], each["rows_stored"]) for each in shown} == {("done", 50)}
    stack.wait_until_settled()
    rows = stack.rows(
        "SELECT message, count() AS n FROM events WHERE position(message, 'TaskAttempt attempt_') > 0 "
        "AND received_at >= {since:String} AND tenant_id = 'acme' GROUP BY message",
        since=min(each["received_at"] for each in shown)[:19].replace("T", " "),
    )
    assert {row["message"]: int(row["n"]) for row in rows} == {line: len(cases) for line, _ in lines}


def test_a_customers_file_is_read_in_their_bucket_and_loaded_into_their_clickhouse(
    stack: RunningStack, client: httpx.Client
) -> None:
    run = new_run()
    page = stack.page["byoc_account"]
    body = gzip.compress(records(run, 300, "initech"))
    key = f"{page['drop_prefix']}{run}.log"
    stack.aws("s3").put_object(Bucket=page["drop_bucket"], Key=key, Body=body)
    (shown,) = wait_for(client, stack.byoc_keys["read"], run, 1)
    assert (shown["state"], shown["rows_stored"], shown["original"]) == ("done", 300, "keep")

    def rows_stored() -> int:
        rows = stack.rows(
            "SELECT count() AS n FROM {database:Identifier}.events "
            "WHERE JSONExtractString(metadata, 'run') = {run:String}",
            run=run,
            database=stack.byoc_database,
        )
        return int(rows[0]["n"])

    wait_until(lambda: rows_stored() == 300, 60, "their rows are there")
    assert stack.stored_ids(run) == []
    announced = client.post(
        "/v1/uploads", json={"filename": "own.log", "size": 3}, headers=bearer(stack.byoc_keys["ingest"])
    ).json()
    assert announced["bucket"] == page["drop_bucket"], "their own URL leads into their own bucket"
