"""The routes of destinations before a real engine and moto's S3, DynamoDB, KMS, STS and IAM."""

import json
from dataclasses import dataclass, replace
from typing import Any

import httpx

from functions.destinations import bucket_tester, clickhouse_tester
from functions.destinations.handler import DestinationService, answer_to
from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.http import answering
from functions.shared.warehouse import Warehouse
from tests.integration.customer_clouds import OwnClouds

STEPS = [*bucket_tester.STEPS, *clickhouse_tester.STEPS]

TABLES = {
    "destinations": ("tenant_id", None),
    "shards": ("tenant_id", None),
    "external-ids": ("tenant_id", None),
    "health": ("destination", None),
    "audit": ("tenant_id", "entry"),
}

KEY_IDS = {"acme": "AKIACANARYACME000001", "globex": "AKIACANARYGLOBEX0001"}

SECRETS = {"acme": "canary-secret-of-acme", "globex": "canary-secret-of-globex"}

PASSWORD = "tests"
"""The engine's; it is a word of the tests' too, so it is looked for as a JSON string only."""


@dataclass
class World:
    """Two customers' clouds and the service that stores and tests them; `ask` sends a customer's request."""

    clouds: OwnClouds
    engine: ClickHouseAddress
    service: DestinationService

    def ask(self, route: str, tenant: str = "acme", body: Any = None, scopes: str = "admin") -> Any:
        """The answer of `route`: its status and its body."""
        handler = answering(lambda event: answer_to(event, self.service))
        response = handler(event_of(route, tenant, body, scopes), None)
        return response["statusCode"], json.loads(response["body"] or "null")

    def body(self, tenant: str = "acme", **changes: Any) -> dict[str, Any]:
        bucket, at = f"{tenant}-logs", self.engine
        fields: dict[str, Any] = {
            "bucket": {
                "name": bucket,
                "region": "us-east-1",
                "endpoint": self.clouds.url,
                "access_key_id": KEY_IDS[tenant],
                "secret_access_key": SECRETS[tenant],
            },
            "clickhouse": {
                "host": at.host,
                "port": at.port,
                "secure": False,
                "user": at.user,
                "password": PASSWORD,
                "database": tenant,
            },
        }
        for path, value in changes.items():
            part, name = path.split("__")
            fields[part][name] = value
        return fields

    def warehouse(self, database: str) -> Warehouse:
        return Warehouse(replace(self.engine, database=database), 10)

    def order(self, **fault: Any) -> None:
        """Order a fault from the engine; see local.faults."""
        url = f"http://{self.engine.host}:{self.engine.port}/_fault"
        httpx.post(url, json=fault).raise_for_status()

    def left(self, tenant: str = "acme") -> list[Any]:
        """What there is in the customer's bucket and tables."""
        warehouse = self.warehouse(tenant)
        try:
            tables = warehouse.select(
                "SELECT name FROM system.tables WHERE database = currentDatabase() AND name = 'events'"
            ).rows
            rows = warehouse.select("SELECT tenant_id FROM events").rows if tables else []
        finally:
            warehouse.close()
        return [*self.clouds.keys(f"{tenant}-logs"), *rows]

    def stored(self) -> str:
        """All items of all tables, as text."""
        dynamodb = self.clouds.client("dynamodb")
        return json.dumps([dynamodb.scan(TableName=table)["Items"] for table in TABLES])


def event_of(route: str, tenant: str, body: Any, scopes: str) -> dict[str, Any]:
    method, path = route.split()
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "headers": {},
        "requestContext": {
            "http": {"method": method, "path": path, "sourceIp": "203.0.113.9", "userAgent": "a browser"},
            "requestId": "request-1",
            "authorizer": {
                "lambda": {
                    "verdict": "ok",
                    "tenant_id": tenant,
                    "key_id": "key_1",
                    "project_id": "default",
                    "scopes": scopes,
                    "retention_days": "30",
                    "bytes_per_second": "1000",
                    "actor": "key:key_1",
                    "plan": "byoc",
                    "refusal": "",
                }
            },
        },
        "body": "" if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


def by_step(report: dict[str, Any]) -> dict[str, Any]:
    return {step["step"]: step for step in report["steps"]}


def only_failed(report: dict[str, Any]) -> dict[str, Any]:
    """The one step that failed."""
    (failed,) = [step for step in report["steps"] if step.get("ok") is False]
    return failed
