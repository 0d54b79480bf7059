"""Both readers of secrets, held to the same behaviour: Powertools' parameters and signed requests."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Protocol

import boto3
import pytest
from aws_lambda_powertools.utilities.parameters import base as powertools_cache
from moto import mock_aws

from functions.shared import signed_json_client
from functions.shared.secret_contract import (
    MAX_AGE_SECONDS,
    OUTAGE_SECONDS,
    ReadSecret,
    SecretsUnavailableError,
)
from functions.shared.secret_store import SecretStore
from functions.shared.signed_json_client import MAX_ANSWER_BYTES, TRIES
from functions.shared.signed_secrets import SignedSecrets
from tests.signed_connection import SignedResponse, connecting_to

CANARY = "canary-of-acme"


class SecretReader(Protocol):
    """SecretStore or SignedSecrets."""

    @property
    def read(self) -> ReadSecret: ...


class Secrets:
    """Secrets Manager with two secrets; counts the reads, and fails them while `fault` is set."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.ahead = 0.0
        self.reads = 0
        self.fault = ""
        self._get = client.get_secret_value
        client.get_secret_value = self._counted

    def now(self) -> float:
        return time.time() + self.ahead

    def _counted(self, **request: Any) -> Any:
        self.reads += 1
        if self.fault:
            error = {"Error": {"Code": self.fault, "Message": CANARY}}
            raise self.client.exceptions.ClientError(error, "GetSecretValue")
        return self._get(**request)


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Secrets]:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    with mock_aws():
        made = Secrets(boto3.client("secretsmanager"))
        for name in ("acme", "globex"):
            made.client.create_secret(Name=name, SecretString=f"canary-of-{name}")
        yield made


@pytest.fixture(params=["powertools", "signed"])
def reader(request: pytest.FixtureRequest, secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> SecretReader:
    if request.param == "signed":
        monkeypatch.setattr(signed_json_client, "connect", connecting_to(secrets.client))
        return SignedSecrets(secrets.now)

    class Turned(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> "Turned":
            return super().now(tz) + timedelta(seconds=secrets.ahead)

    monkeypatch.setattr(powertools_cache, "datetime", Turned)
    return SecretStore(secrets.client)


def test_each_name_has_its_secret_and_is_read_once(reader: SecretReader, secrets: Secrets) -> None:
    for _ in range(2):
        assert reader.read("acme").reveal() == CANARY
        assert reader.read("globex").reveal() == "canary-of-globex"

    assert secrets.reads == 2


def test_a_rotated_secret_is_used_within_five_minutes_and_at_once_when_read_anew(
    reader: SecretReader, secrets: Secrets
) -> None:
    assert reader.read("acme").reveal() == CANARY
    secrets.client.put_secret_value(SecretId="acme", SecretString="second")
    secrets.ahead = MAX_AGE_SECONDS - 10
    assert reader.read("acme").reveal() == CANARY
    secrets.ahead = MAX_AGE_SECONDS + 1
    assert reader.read("acme").reveal() == "second"

    secrets.client.put_secret_value(SecretId="acme", SecretString="third")
    assert reader.read("acme").reveal() == "second"
    assert reader.read("acme", anew=True).reveal() == reader.read("acme").reveal() == "third"


@pytest.mark.parametrize("anew", [False, True])
def test_during_an_outage_the_last_value_is_used_and_asked_for_every_half_minute(
    reader: SecretReader, secrets: Secrets, capsys: pytest.CaptureFixture[str], anew: bool
) -> None:
    reader.read("acme")
    secrets.fault = "InternalServiceError"
    secrets.ahead = MAX_AGE_SECONDS + 1
    assert reader.read("acme", anew=anew).reveal() == CANARY
    reads = secrets.reads
    assert [reader.read("acme").reveal() for _ in range(3)] == [CANARY] * 3
    assert secrets.reads == reads
    line = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (line["event"], line["code"]) == ("secret_not_refreshed", "InternalServiceError")

    secrets.fault = ""
    secrets.client.put_secret_value(SecretId="acme", SecretString="second")
    secrets.ahead += OUTAGE_SECONDS + 1
    assert reader.read("acme").reveal() == "second"


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException", "DecryptionFailure"])
def test_without_an_earlier_value_an_error_has_the_code_and_no_word_of_the_answer(
    reader: SecretReader, secrets: Secrets, code: str
) -> None:
    secrets.fault = code
    for name in ("acme", "globex"):
        with pytest.raises(SecretsUnavailableError, match=code) as raised:
            reader.read(name)
        assert CANARY not in f"{raised.value!r} {raised.value.__context__!r}"
    secrets.fault = ""
    assert reader.read("acme").reveal() == CANARY


def test_no_repr_and_no_attribute_shows_a_secret(reader: SecretReader) -> None:
    value = reader.read("acme")

    assert CANARY not in f"{value!r} {value} {reader!r} {vars(reader)}"


@pytest.mark.parametrize(
    "answer",
    [
        lambda: SignedResponse(500, b'{"__type": "InternalServiceError"}'),
        lambda: SignedResponse(400, b'{"__type": "ThrottlingException"}'),
        lambda: SignedResponse(200, f"<html>{CANARY}".encode()),
        lambda: SignedResponse(200, b" " * (MAX_ANSWER_BYTES + 1)),
        TimeoutError,
    ],
)
def test_a_signed_read_is_tried_three_times(
    answer: Callable[[], SignedResponse | TimeoutError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    connection = FailingConnection(answer)
    monkeypatch.setattr(signed_json_client, "connect", lambda *_: connection)
    monkeypatch.setattr(signed_json_client.time, "sleep", lambda _seconds: None)

    with pytest.raises(SecretsUnavailableError) as raised:
        SignedSecrets().read("acme")

    assert connection.targets == ["secretsmanager.GetSecretValue"] * TRIES
    assert CANARY not in str(raised.value)
    assert raised.value.__context__ is None


class FailingConnection:
    """Answers each request alike."""

    def __init__(self, answer: Callable[[], SignedResponse | TimeoutError]) -> None:
        self._answer = answer
        self.targets: list[str] = []

    def request(self, *_: Any, headers: dict[str, str], **__: Any) -> None:
        self.targets.append(headers["x-amz-target"])

    def getresponse(self) -> SignedResponse:
        answer = self._answer()
        if isinstance(answer, TimeoutError):
            raise answer
        return answer

    def close(self) -> None:
        """The next request connects anew."""
