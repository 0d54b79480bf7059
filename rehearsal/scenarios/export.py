"""docs/privacy.md, data export."""

import hashlib
import io
import json
import urllib.request
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

from rehearsal.api_client import expect
from rehearsal.deployed import Deployed

PROVES = "A data export has all logs of its account and none of another's; its link needs no key."
A_MINUTE = timedelta(minutes=1)
ROUNDS = 6


def run(here: Deployed) -> None:
    ada, bob = here.two
    now = datetime.now(UTC)
    period = {"from": (now - timedelta(days=20)).isoformat(), "to": (now + timedelta(days=1)).isoformat()}
    asked = here.api.done("POST /v1/account/export", ada.token, {"logs": period})
    path = f"GET /v1/account/exports/{asked['id']}"
    shown: dict[str, Any] = {}
    for _ in range(ROUNDS):
        here.schedules.forward(A_MINUTE)
        shown = here.api.done(path, ada.token)
        if shown["state"] == "ready":
            break
    expect(shown["state"] == "ready", f"the export is {shown['state']} after {ROUNDS} runs")
    expect(here.api.ask(path, bob.token).status == 404, "another account sees the export")
    with urllib.request.urlopen(shown["url"], timeout=60) as answer:  # noqa: S310 - loopback
        archive = zipfile.ZipFile(io.BytesIO(answer.read()))
    for file in json.loads(archive.read("manifest.json"))["files"]:
        digest = hashlib.sha256(archive.read(file["name"])).hexdigest()
        expect(digest == file["sha256"], f"{file['name']} differs from the manifest")
    names = [name for name in archive.namelist() if name.startswith("logs/events")]
    lines = [json.loads(line)["message"] for name in names for line in archive.read(name).splitlines()]
    expect(sorted(lines) == sorted(ada.sent), f"the export has {len(lines)} of {len(ada.sent)} events")
    expect(bob.mark.encode() not in b"".join(map(archive.read, archive.namelist())), "it has another's data")
