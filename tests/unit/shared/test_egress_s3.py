"""boto3 under a guard: every byte goes over a connection the guard opened, with the customer's keys alone."""

import io
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError
from botocore.exceptions import SSLError as BotocoreSSLError
from moto.server import ThreadedMotoServer

from functions.shared.egress.botocore_session import FilteredSession
from functions.shared.egress.egress_filter import AddressRefusedError, EgressFilter
from functions.shared.egress.s3 import MAX_RETRIES, Timeouts, filtered_s3_client
from functions.shared.errors import PermanentError
from functions.shared.secret_text import SecretText
from tests.unit.shared.hostile_hosts import HOSTILE, LED_TO, PUBLIC_V4, in_a_url
from tests.unit.shared.loopback import LOOPBACK, Names, ReceivedRequest, certified, serving, traffic

NAME = "s3.customer.example"
REGION = "eu-central-1"


@dataclass(frozen=True)
class CountingGuard(EgressFilter):
    """Counts the connections it opens."""

    opened: list[Any] = field(default_factory=list)

    def connect(self, *arguments: Any, **named: Any) -> socket.socket:
        connection = super().connect(*arguments, **named)
        self.opened.append(connection.getpeername())
        return connection


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(LOOPBACK, 0, verbose=False)
    server.start()
    yield f"http://{LOOPBACK}:{server.get_host_and_port()[1]}"
    server.stop()


def client(
    guard: EgressFilter, endpoint: str | None, tenant: str = "acme", region: str = REGION, **settings: Any
) -> Any:
    keys = SecretText(f"{tenant}-id"), SecretText(f"{tenant}-secret")
    return filtered_s3_client(guard, region, endpoint, *keys, Timeouts(10, 30), **settings)


def to_loopback() -> CountingGuard:
    return CountingGuard(allow_loopback=True, resolve=Names(LOOPBACK))


def test_every_operation_goes_over_connections_of_the_guard_and_no_other(moto: str) -> None:
    guard = to_loopback()
    with traffic() as connections:
        s3 = client(guard, moto)
        s3.create_bucket(Bucket="logs", CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_object(Bucket="logs", Key="a/1", Body=b"one", IfNoneMatch="*")
        with pytest.raises(ClientError, match="PreconditionFailed"):
            s3.put_object(Bucket="logs", Key="a/1", Body=b"two", IfNoneMatch="*")
        s3.upload_fileobj(io.BytesIO(b"x" * 9_000_000), "logs", "a/large")
        s3.copy_object(Bucket="logs", Key="a/2", CopySource={"Bucket": "logs", "Key": "a/1"})
        listed = [
            each["Key"]
            for each in s3.get_paginator("list_objects_v2").paginate(Bucket="logs").search("Contents")
        ]
        assert listed == ["a/1", "a/2", "a/large"]
        assert s3.get_object(Bucket="logs", Key="a/2")["Body"].read() == b"one"
        s3.get_waiter("object_exists").wait(Bucket="logs", Key="a/1")
        s3.delete_objects(Bucket="logs", Delete={"Objects": [{"Key": key} for key in listed]})
        s3.delete_bucket(Bucket="logs")
    # A botocore that went round the guard would dial more than the guard opened.
    assert connections.dialled == guard.opened
    assert guard.opened
    assert connections.looked_up == []


@pytest.mark.parametrize("bucket", ["logs", "logs.with.dots", "logs--euc1-az1--x-s3"])
def test_not_one_operation_gets_past_a_guard_that_refuses(bucket: str) -> None:
    for endpoint in (None, f"https://{NAME}"):
        names = Names("10.0.0.1")
        with traffic() as connections:
            s3 = client(EgressFilter(resolve=names), endpoint)
            for operation in (s3.head_bucket, s3.list_objects_v2, s3.get_bucket_location):
                with pytest.raises(AddressRefusedError):
                    operation(Bucket=bucket)
            with pytest.raises(AddressRefusedError):
                s3.put_object(Bucket=bucket, Key="k", Body=b"")
        assert (connections.dialled, connections.looked_up) == ([], [])
        assert all(name.endswith(("amazonaws.com", NAME)) for name in names.asked)


@pytest.mark.parametrize(("spelling", "address"), HOSTILE)
def test_a_hostile_endpoint_makes_no_client(spelling: str, address: str) -> None:
    names = Names(PUBLIC_V4)
    for host in {in_a_url(spelling), in_a_url(address)}:
        with traffic() as connections, pytest.raises(AddressRefusedError):
            client(EgressFilter(resolve=names), f"https://{host}")
        assert (connections.dialled, connections.looked_up, names.asked) == ([], [], [])


@pytest.mark.parametrize("address", LED_TO)
def test_a_name_that_leads_there_or_changes_is_never_dialled(address: str) -> None:
    names = Names(PUBLIC_V4, address)
    session = FilteredSession(EgressFilter(resolve=names), (1, 2))
    request = AWSRequest("GET", f"https://{NAME}/logs").prepare()
    with traffic() as connections:
        with pytest.raises(EndpointConnectionError):
            session.send(request)
        assert (connections.dialled, names.asked) == ([(PUBLIC_V4, 443)], [NAME])
        with pytest.raises(AddressRefusedError):
            session.send(request)
        assert (connections.dialled, names.asked, connections.looked_up) == (
            [(PUBLIC_V4, 443)],
            [NAME, NAME],
            [],
        )


def test_a_retry_is_judged_anew() -> None:
    names = Names(PUBLIC_V4, "169.254.169.254")
    s3 = client(EgressFilter(resolve=names), f"https://{NAME}")
    with traffic() as connections, pytest.raises(AddressRefusedError):
        s3.head_bucket(Bucket="logs")
    assert (connections.dialled, names.asked) == ([(PUBLIC_V4, 443)], [NAME, NAME])


def test_no_redirect_is_followed_to_another_host() -> None:
    where: list[str] = []

    def script(request: ReceivedRequest) -> tuple[int, dict[str, str]]:
        index = int(request.path.rpartition("/")[2]) if request.path[-1].isdigit() else 0
        return (301, 302, 307)[index % 3], {"Location": where[index], "x-amz-bucket-region": "evil.example/"}

    with serving() as sink, serving(script) as server, traffic() as connections:
        s3 = client(to_loopback(), f"http://{NAME}:{server.port}")
        where += [f"http://{LOOPBACK}:{sink.port}/{each}" for each in ("a", "b", "c")]
        where += [f"https://{address}/" for spelling, address in HOSTILE]
        for index in range(len(where)):
            with pytest.raises((ClientError, BotoCoreError)):
                s3.get_object(Bucket="logs", Key=str(index))
        assert sink.requests == []
        assert set(connections.dialled) == {(LOOPBACK, server.port)}


def test_retries_are_bounded() -> None:
    with serving(lambda _: (503, {})) as server, pytest.raises(ClientError):
        client(to_loopback(), f"http://{NAME}:{server.port}").get_object(Bucket="logs", Key="k")
    assert len(server.requests) == 1 + MAX_RETRIES


def test_an_unreachable_endpoint_is_reported_as_botocore_reports_it() -> None:
    with traffic() as connections, pytest.raises(EndpointConnectionError):
        client(EgressFilter(resolve=Names(PUBLIC_V4)), f"https://{NAME}").head_bucket(Bucket="logs")
    assert connections.dialled == [(PUBLIC_V4, 443)] * (1 + MAX_RETRIES)


def test_the_customers_keys_are_used_and_none_of_our_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text(
        "[profile ours]\nregion = us-west-2\ns3 =\n  addressing_style = virtual\n"
    )
    with serving() as sink, serving() as server:
        ours = {
            "AWS_ACCESS_KEY_ID": "ours-id",
            "AWS_SECRET_ACCESS_KEY": "ours-secret",
            "AWS_SESSION_TOKEN": "ours-token",
            "AWS_PROFILE": "ours",
            "AWS_CONFIG_FILE": str(tmp_path / "config"),
            "AWS_MAX_ATTEMPTS": "9",
            "AWS_USE_FIPS_ENDPOINT": "true",
            "AWS_ENDPOINT_URL": f"http://{LOOPBACK}:{sink.port}",
            "AWS_ENDPOINT_URL_S3": f"http://{LOOPBACK}:{sink.port}",
            "AWS_CA_BUNDLE": "/nowhere",
            "AWS_LAMBDA_FUNCTION_NAME": "ours-function",
            "AWS_EXECUTION_ENV": "ours-environment",
            "_X_AMZN_TRACE_ID": "Root=ours-trace",
        }
        for name, value in ours.items():
            monkeypatch.setenv(name, value)
        for tenant in ("acme", "globex"):
            s3 = client(to_loopback(), f"http://{NAME}:{server.port}", tenant)
            s3.put_object(Bucket=tenant, Key="k", Body=b"x")
    assert sink.requests == []
    assert [request.path for request in server.requests] == ["/acme/k", "/globex/k"]
    for tenant, request in zip(("acme", "globex"), server.requests, strict=True):
        assert f"AWS4-HMAC-SHA256 Credential={tenant}-id/" in request.headers["Authorization"]
        assert f"/{REGION}/s3/aws4_request" in request.headers["Authorization"]
        assert "ours" not in str(request)
        assert "checksum" not in str(request).lower()


def test_the_stacks_own_endpoint_counts_only_where_loopback_is_allowed(
    moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
    assert client(to_loopback(), None).list_buckets()["Buckets"] == []
    names = Names("10.0.0.1")
    with traffic() as connections, pytest.raises(AddressRefusedError):
        client(EgressFilter(resolve=names), None).list_buckets()
    assert (connections.dialled, names.asked) == ([], [f"s3.{REGION}.amazonaws.com"])


@pytest.mark.parametrize("name", ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"])
def test_a_proxy_of_the_environment_sees_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as sink, serving() as server:
        monkeypatch.setenv(name, f"http://{LOOPBACK}:{sink.port}")
        client(to_loopback(), f"http://{NAME}:{server.port}").head_bucket(Bucket="logs")
        with traffic(), pytest.raises(AddressRefusedError):
            client(EgressFilter(resolve=Names("10.0.0.1")), f"https://{NAME}").head_bucket(Bucket="logs")
        assert (len(sink.requests), len(server.requests)) == (0, 1)


def test_tls_is_verified_for_the_name_that_was_asked_for(tmp_path: Path) -> None:
    certificate = certified(NAME, tmp_path)
    with serving(tls=certificate.context) as server:
        endpoint = f"https://{NAME}:{server.port}"
        client(to_loopback(), endpoint, ca_certs=certificate.roots).head_bucket(Bucket="logs")
        assert server.server_names == [NAME]
        assert len(server.requests) == 1
        with pytest.raises(BotocoreSSLError):
            client(to_loopback(), endpoint).head_bucket(Bucket="logs")
        other = client(
            to_loopback(), f"https://other.customer.example:{server.port}", ca_certs=certificate.roots
        )
        with pytest.raises(BotocoreSSLError):
            other.head_bucket(Bucket="logs")
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "region",
    [
        "",
        "eu-central-1.evil.example/",
        "us-east-1#",
        "a@b",
        "us_east_1",
        "US-EAST-1",
        "eu-central-1\n",
        "-",
        "fips-us-east-1",
        "us-east-1-fips",
    ],
)
def test_what_is_no_region_is_refused(region: str) -> None:
    for endpoint in (None, f"https://{NAME}"):
        with pytest.raises(PermanentError, match="region"):
            client(EgressFilter(), endpoint, region=region)


def test_a_word_for_a_region_is_taken_only_with_an_endpoint() -> None:
    client(EgressFilter(), f"https://{NAME}", region="auto")
    with pytest.raises(PermanentError, match="region"):
        client(EgressFilter(), None, region="auto")
