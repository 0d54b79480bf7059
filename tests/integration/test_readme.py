import json
import re
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from functions.accounts.keys import generate
from local.naming import PROJECT_ROOT
from tests.integration.stack import RunningStack

README = PROJECT_ROOT / "README.md"


def test_the_readmes_curl_lines_send_a_log_and_find_it(stack: RunningStack, tmp_path: Path) -> None:
    (tmp_path / ".local").mkdir()
    page = {"api": stack.api, "keys": stack.keys}
    (tmp_path / ".local" / "stack.json").write_text(json.dumps(page))
    block = re.search(r"```sh\n(.*?)```", README.read_text(), re.DOTALL)
    assert block

    ran = subprocess.run(
        ["bash", "-euc", block[1]], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )

    sent, found = _documents(ran.stdout)
    assert sent["accepted"] == 1
    assert [event["message"] for event in found["events"]] == ["payment of order 42 declined"]


@pytest.mark.parametrize("pair", ["{}:", ":{}"])
def test_curl_sends_and_reads_with_the_key_as_user_or_as_password(stack: RunningStack, pair: str) -> None:
    run = uuid4().hex

    def curl(path: str, key: str, *more: str) -> tuple[str, Any]:
        command = ["curl", "-sS", "-u", pair.format(key), "-w", "\n%{http_code}", f"{stack.api}{path}", *more]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        body, _, status = ran.stdout.rpartition("\n")
        return status, json.loads(body)

    accounts = {"mine": stack.keys, "theirs": stack.second_keys}
    for whose, keys in accounts.items():
        status, sent = curl(
            "/v1/drain?wait=true", keys["ingest"], "-d", json.dumps({"message": f"{whose} {run}"})
        )
        assert (status, sent["accepted"]) == ("200", 1), sent
    for whose, keys in accounts.items():
        status, result = curl("/v1/search", keys["read"], "-d", json.dumps({"q": run}))
        assert (status, [each["message"] for each in result["events"]]) == ("200", [f"{whose} {run}"])
        assert curl("/v1/uploads", keys["read"])[0] == "200"
    for path, more in (
        ("/v1/drain", ("-d", '{"message": "x"}')),
        ("/v1/search", ("-d", "{}")),
        ("/v1/uploads", ()),
    ):
        assert curl(path, generate(), *more)[0] == "401"


def _documents(text: str) -> list[Any]:
    """JSON documents back to back."""
    decoder, found = json.JSONDecoder(), []
    while text := text.strip():
        document, end = decoder.raw_decode(text)
        found.append(document)
        text = text[end:]
    return found
