"""The rights of an account through the whole stack: a copy that is fetched, an erasure that is looked at."""

import hashlib
import io
import json
import subprocess
import sys
import time
import zipfile
from typing import Any

import httpx
import pytest

from local.naming import PROJECT_ROOT
from tests.integration.data_inventory import found_in
from tests.integration.sending import batch, drain, ids, new_run
from tests.integration.stack import RunningStack, bearer, wait_until


@pytest.fixture
def client(stack: RunningStack) -> httpx.Client:
    return httpx.Client(base_url=stack.api, timeout=60)


def invoke(stack: RunningStack, function: str) -> dict[str, int]:
    """Run a scheduled function now."""
    command = [sys.executable, "-m", "local", "--state", str(stack.logs.parent), "invoke", function]
    ran = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    answer: dict[str, int] = json.loads(ran.stdout)
    return answer


def test_a_copy_is_made_and_its_link_needs_no_key(stack: RunningStack, client: httpx.Client) -> None:
    """With the second account's logs in the same tables, and none of them in it."""
    mine, theirs, admin = new_run(), new_run(), bearer(stack.second_keys["admin"])
    sent = batch(mine, "mine", 300)
    assert drain(client, stack.second_keys["ingest"], sent, wait=True).status_code in (200, 202)
    assert drain(client, stack.keys["ingest"], batch(theirs, "theirs", 20), wait=True).status_code in (
        200,
        202,
    )
    stack.wait_until_settled()
    period = {"from": "2020-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z"}
    response = client.post("/v1/account/export", json={"logs": period}, headers=admin)
    assert response.status_code == 202
    path = f"/v1/account/exports/{response.json()['id']}"

    def export_status() -> dict[str, Any]:
        invoke(stack, "exporter")
        answer: dict[str, Any] = client.get(path, headers=admin).json()
        return answer

    wait_until(lambda: export_status()["state"] == "ready", 120, "the copy is ready")
    link = client.get(path, headers=admin).json()["url"]
    archive = zipfile.ZipFile(io.BytesIO(httpx.get(link).content))
    manifest = json.loads(archive.read("manifest.json"))
    for file in manifest["files"]:
        assert hashlib.sha256(archive.read(file["name"])).hexdigest() == file["sha256"]
    logs = b"".join(archive.read(name) for name in archive.namelist() if name.startswith("logs/events"))
    events = [json.loads(line)["metadata"] for line in logs.splitlines()]
    assert sorted(each["event_id"] for each in events if each.get("run") == mine) == sorted(ids(sent))
    assert theirs.encode() not in logs
    assert client.get(path, headers=bearer(stack.keys["admin"])).status_code == 404
    assert client.get(path).status_code == 401


def test_closing_an_account_refuses_logs_and_can_be_taken_back(
    stack: RunningStack, client: httpx.Client
) -> None:
    admin, ingest = bearer(stack.byoc_keys["admin"]), stack.byoc_keys["ingest"]
    tenant = client.get("/v1/account", headers=admin).json()["tenant_id"]
    assert client.delete("/v1/account", headers=admin).json()["code"] == "confirmation_required"
    response = client.request("DELETE", "/v1/account", headers=admin, json={"confirm": tenant})
    assert response.status_code == 202
    path = f"/v1/erasures/{response.json()['id']}"
    refused = lambda: drain(client, ingest, batch(new_run(), "late", 1))  # noqa: E731
    wait_until(lambda: refused().status_code == 402, 60, "no logs are taken")
    assert refused().json()["code"] == "account_closing"
    assert client.post("/v1/search", json={"q": "x"}, headers=admin).status_code == 200
    status = client.get(path).json()
    assert (status["state"], "value" in status) == ("requested", False)
    assert invoke(stack, "eraser")["open"] == 0
    assert client.delete(path, headers=admin).json()["state"] == "cancelled"
    wait_until(lambda: refused().status_code in (200, 202), 60, "logs are taken again")


@pytest.mark.soak
def test_a_person_is_erased_everywhere_and_the_receipt_says_so(
    stack: RunningStack, client: httpx.Client
) -> None:
    """Minutes long: a minute until nothing can come any more, and the engine's own time to clean up."""
    run, admin = new_run(), bearer(stack.keys["admin"])
    person = f"jane-{run}@example.org"
    events = [
        {"message": f"mail to {person}", "metadata": {"run": run}},
        {"message": "other", "metadata": {"run": run}},
    ]
    assert drain(client, stack.keys["ingest"], events, wait=True).status_code in (200, 202)
    stack.wait_until_settled()
    assert found_in(stack, [person]) == [f"rows: {person}"]
    erasure = client.post("/v1/erasures", json={"field": "message", "value": person}, headers=admin).json()
    path = f"/v1/erasures/{erasure['id']}"

    def verified() -> bool:
        time.sleep(20)
        invoke(stack, "eraser")
        return bool(client.get(path, headers=admin).json()["state"] == "verified")

    wait_until(verified, 900, "the erasure is verified")
    receipt = client.get(path).json()["receipt"]
    assert receipt["counts"] == {"rows": 1}
    assert found_in(stack, [person]) == []
    files = subprocess.run(
        ["grep", "-rla", person, str(stack.logs.parent)], capture_output=True, text=True, check=False
    )
    assert files.stdout == ""
