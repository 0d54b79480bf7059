"""The privacy function as its handler makes it, with S3 and DynamoDB in memory."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from moto import mock_aws

from functions.accounts.directory import Account, Directory
from functions.privacy.export.record import READY
from functions.privacy.handler import Settings, answer_to, service
from functions.privacy.service import PrivacyService
from functions.shared.accounts.account_status import AccountStatus
from functions.shared.http import Answer, answering
from functions.shared.tenancy import TenantId
from local import transactions
from tests.aws_in_memory import create_tables

NOON = 1_800_000_000.0
DAY = 86_400
JANE = {"field": "metadata.user_id", "value": "jane@example.org"}


@dataclass
class World:
    client: Any
    s3: Any
    now: float = NOON

    def __post_init__(self) -> None:
        tables = ("accounts", "people", "audit", "notices", "erasures", "receipts", "exports", "turns")
        names = {f"{name}_table": name for name in tables}
        settings = Settings(**names, exports_bucket="exports", cancel_days=7)
        self.service: PrivacyService = service(settings, self.client, self.s3, lambda: self.now)
        self.directory = Directory("accounts", "keys", client=self.client)

    def account(self, name: str) -> TenantId:
        tenant = TenantId(name)
        self.directory.put_account(Account(tenant, AccountStatus("managed_30", 30, 1)))
        return tenant

    def ask(
        self,
        route: str,
        tenant: str | None,
        body: Any = None,
        *,
        of: str = "",
        scopes: str = "admin",
        plan: str = "managed_30",
        query: dict[str, str] | None = None,
        **verdict: str,
    ) -> Answer:
        event = event_of(route, tenant, body, of, scopes, plan, query or {})
        event["requestContext"]["authorizer"]["lambda"] |= verdict
        return answering(lambda each: answer_to(each, self.service))(event, None)

    def ready(self, tenant: TenantId, export_id: str) -> None:
        """As the exporter leaves it."""
        stored = self.service.exports.of(tenant, export_id)
        assert stored
        self.s3.put_object(Bucket="exports", Key=stored.object_key, Body=b"PK")
        self.service.exports.finish(
            type(stored)(**{**_fields(stored), "state": READY, "ready_at": int(self.now)})
        )

    def actions(self, tenant: str) -> list[str]:
        return [each["action"] for each in self.service.audit.page(TenantId(tenant), 100).entries]

    def notices(self, tenant: str) -> list[str]:
        found = self.client.query(
            TableName="notices",
            KeyConditionExpression="tenant_id = :t",
            ExpressionAttributeValues={":t": {"S": tenant}},
        )["Items"]
        return sorted(item["kind"]["S"] for item in found)


def _fields(thing: Any) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in thing.__dataclass_fields__}


def event_of(
    route: str, tenant: str | None, body: Any, of: str, scopes: str, plan: str, query: dict[str, str]
) -> dict[str, Any]:
    method, path = route.split(" ")
    verdict = {"verdict": "unknown_key"}
    if tenant is not None:
        verdict = {
            "verdict": "ok", "tenant_id": tenant, "key_id": "key_1", "project_id": "p", "scopes": scopes,
            "retention_days": "30", "bytes_per_second": "1", "refusal": "", "actor": "key:k", "plan": plan,
        }  # fmt: skip
    return {
        "routeKey": route,
        "rawPath": path.replace("{id}", of),
        "pathParameters": {"id": of},
        "queryStringParameters": query,
        "headers": {},
        "requestContext": {
            "requestId": "r",
            "http": {"method": method, "path": path, "sourceIp": "192.0.2.7", "userAgent": "curl"},
            "authorizer": {"lambda": verdict},
        },
        "body": "" if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


def decoded(answer: Answer) -> Any:
    return json.loads(answer["body"])


@contextmanager
def privacy_world() -> Iterator[World]:
    """One in which no account has asked for anything yet."""
    transactions.install()
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_tables(client)
        s3 = boto3.client("s3", region_name="us-east-1", config=Config(signature_version="s3v4"))
        s3.create_bucket(Bucket="exports")
        yield World(client, s3)


def verified(here: World, tenant: TenantId, erasure_id: str) -> None:
    """As the eraser leaves it."""
    erasures = here.service.erasures
    erasures.finish(erasures.start(here.service.erasure(tenant, erasure_id), here.now), {}, here.now)
