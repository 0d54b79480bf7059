"""A large file under little memory, in invocations that have a share of its time: complete, exact."""

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from functions.shared.accounts.account_status import AccountStatus
from functions.shared.tenancy import TenantId
from functions.uploads.register import UploadRegister
from local.naming import LOOPBACK, PROJECT_ROOT
from tests.account_items import account_item
from tests.aws_environment import set_aws_environment
from tests.unit.uploads.file_s3 import ETAG, FileS3, serving
from tests.unit.uploads.world import ACCOUNTS, UPLOADS, s3_says, sqs_event, table

MEMORY_MB = 256
REGION = "eu-central-1"
"""Not that of the other tests: moto has one cloud a process."""

KEY = "dropin/v1/tenant=acme/large.ndjson.gz"
ROW = (
    '{{"timestamp":"2026-01-{day:02d}T10:{minute:02d}:{second:02d}.{f:06d}Z","level":"info","service":"shop-{s}",'
    '"message":"request {h:016x} of user {u} answered in {ms} ms","metadata":{{"n":{n},"status":{status},'
    '"path":"/api/v1/items/{u}","agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"}}}}\n'
)


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    set_aws_environment(monkeypatch)
    server = ThreadedMotoServer(LOOPBACK, 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client("dynamodb", endpoint_url=f"http://{host}:{port}", region_name=REGION)
    table(client, UPLOADS, "tenant_id", "entry")
    table(client, ACCOUNTS, "tenant_id")
    client.put_item(TableName=ACCOUNTS, Item=account_item("acme", AccountStatus("managed_30", 30, 10**7)))
    yield client
    server.stop()


def written(path: Path, size_bytes: int) -> int:
    """Make the file; how many rows it has."""
    n = size = 0
    with gzip.open(path, "wb", compresslevel=1) as file:
        while size < size_bytes:
            lines = []
            for n in range(n, n + 10_000):  # noqa: B020
                h = (n * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
                lines.append(
                    ROW.format(
                        day=1 + n % 28, minute=n % 60, second=n % 59, f=n % 1_000_000, n=n, s=h % 9,
                        h=h, u=h % 100_003,
                        ms=h % 997, status=(200, 200, 404, 500)[n % 4],
                    )
                )  # fmt: skip
            n += 1
            body = "".join(lines).encode()
            size += len(body)
            file.write(body)
    return n


@pytest.mark.parametrize(
    ("size_mb", "part_mb", "reserve_seconds", "share"),
    [(60, 1, 0.02, 4), pytest.param(2000, 16, 1.0, 4, marks=pytest.mark.soak)],
)
def test_a_large_file_with_a_share_of_the_time(
    dynamodb: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    size_mb: int,
    part_mb: int,
    reserve_seconds: float,
    share: int,
) -> None:
    file = tmp_path / "large.ndjson.gz"
    rows = written(file, size_mb * 1024 * 1024)
    limits = {
        "memory_mb": MEMORY_MB,
        "reserve_seconds": reserve_seconds,
        "part_bytes": part_mb * 1024 * 1024,
        "checkpoint_every_seconds": 15,
        "dynamodb": dynamodb.meta.endpoint_url,
    }
    whole, _, _ = _read(dynamodb, file, rows, {**limits, "seconds": 10_000.0}, "whole")
    report, invocations, status = _read(
        dynamodb, file, rows, {**limits, "seconds": whole["seconds"] / share}, "shares"
    )
    with capsys.disabled():
        print(
            f"\n{size_mb} MB of NDJSON, {file.stat().st_size / 1e6:.0f} MB gzip, {rows} rows: "
            f"{whole['seconds']:.1f} s and {whole['peak_mb']:.0f} MB at once; {invocations} invocations of "
            f"{whole['seconds'] / share:.2f} s, {report['peak_mb']:.0f} MB at the most"
        )
    assert (status.state, status.rows) == ("done", rows)
    assert invocations >= share
    assert max(whole["peak_mb"], report["peak_mb"]) < MEMORY_MB


def _read(
    dynamodb: Any, file: Path, rows: int, limits: dict[str, Any], name: str
) -> tuple[dict[str, Any], int, Any]:
    """Invoke until nothing is sent any more: the last or heaviest, how many, and the file's status."""
    file_s3 = FileS3(file, rows)
    body = s3_says(f"{KEY}.{name}", file.stat().st_size, ETAG)
    heaviest: dict[str, Any] = {"peak_mb": 0.0}
    with serving(file_s3) as endpoint:
        environment = {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
        }
        invocations = 0
        while body:
            report = _invoked({**limits, "environment": environment}, body)
            invocations += 1
            heaviest = max(heaviest, report, key=lambda each: each["peak_mb"])
            body = report["sent"][0] if report["sent"] else ""
            assert invocations < 400, "it never ends"
    assert set(file_s3.seen) == {1}, "each row once"
    (found,) = (
        file
        for upload, file in UploadRegister(UPLOADS, dynamodb).page(TenantId("acme"), 10).uploads
        if upload.key == f"{KEY}.{name}"
    )
    return heaviest, invocations, found


def _invoked(limits: dict[str, Any], body: str) -> dict[str, Any]:
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.unit.uploads.invocation",
            json.dumps(limits),
            json.dumps(sqs_event(body)),
        ],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    report: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    assert not report["failures"], ran.stdout
    return report
