"""Tables, KMS keys and clients to keep credentials with, and clients that fail or are overtaken."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

from functions.shared.byoc.encryption import CredentialEncryption, Shards
from functions.shared.tenancy import TenantId

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
SHARDS, DESTINATIONS = "shards", "destinations"


@dataclass
class KmsWorld:
    """Two KMS keys and two empty tables."""

    kms: Any
    dynamodb: Any
    key_id: str
    other_key_id: str

    @property
    def shards(self) -> Shards:
        return Shards(SHARDS, self.dynamodb)

    def sealer(self, key_id: str | None = None) -> CredentialEncryption:
        return CredentialEncryption(self.kms, key_id or self.key_id, self.shards)

    def empty(self) -> None:
        for table in (SHARDS, DESTINATIONS):
            for item in self.dynamodb.scan(TableName=table)["Items"]:
                self.dynamodb.delete_item(TableName=table, Key={"tenant_id": item["tenant_id"]})


@contextmanager
def kms_world() -> Iterator[KmsWorld]:
    with mock_aws():
        kms, dynamodb = (boto3.client(name, region_name="us-east-1") for name in ("kms", "dynamodb"))
        for table in (SHARDS, DESTINATIONS):
            dynamodb.create_table(
                TableName=table,
                KeySchema=[{"AttributeName": "tenant_id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "tenant_id", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        one, other = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
        yield KmsWorld(kms, dynamodb, one, other)


class Overtaken:
    """A client; `before` is called once, just before `operation` is."""

    def __init__(self, client: Any, operation: str, before: Callable[[], object]) -> None:
        self._client, self._operation, self._before = client, operation, [before]

    def __getattr__(self, name: str) -> Any:
        if name == self._operation and self._before:
            self._before.pop()()
        return getattr(self._client, name)


class Failing:
    """A client whose `operation`, or every one, raises."""

    def __init__(self, fault: Exception, client: Any = None, operation: str | None = None) -> None:
        self._fault, self._client, self._operation = fault, client, operation

    def __getattr__(self, name: str) -> Any:
        if self._operation not in (None, name):
            return getattr(self._client, name)
        return self._fail

    def _fail(self, **parameters: Any) -> None:
        raise self._fault from ValueError(parameters)


def refusal(code: str, quoting: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"{code} of {quoting}"}}, "Decrypt")


def full_report(fault: BaseException) -> str:
    """All that a diligent error reporter could write of `fault`: its chain, and locals of our frames."""
    reported = ""
    chain: BaseException | None = fault
    while chain is not None:
        report = traceback.TracebackException.from_exception(chain, capture_locals=True)
        report.stack[:] = [frame for frame in report.stack if "/tests/" not in frame.filename]
        reported += "".join(report.format()) + repr(chain) + repr(vars(chain))
        chain = chain.__cause__ or chain.__context__
    return reported
