"""The accounts function around DynamoDB in memory, a provider with answers as set, and a clock."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from moto import mock_aws

from functions.accounts import keys, routes
from functions.accounts.directory import Account, Directory, Key
from functions.accounts.handler import Settings, account_service
from functions.accounts.identity_errors import AddressTakenError, IdentityUnavailableError, WrongCodeError
from functions.accounts.people import People
from functions.accounts.person import Person
from functions.shared.accounts.account_status import AccountStatus
from functions.shared.http import Answer, answering
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId
from infra.topology import TABLES
from local import transactions
from tests.aws_in_memory import create_tables

NOON = 1_800_000_000.0
CODE = "123456"
SESSION = "session-1"


@dataclass
class Provider:
    """Stands for Cognito: takes CODE for the address asked for last, once, and keeps what was asked of it.

    What is in `silent` does not answer, what is in `lost` does as it is asked and does not answer then.
    """

    taken: set[str] = field(default_factory=set)
    mailed: list[tuple[str, str]] = field(default_factory=list)
    emails: dict[str, str] = field(default_factory=dict)
    wanted: dict[str, str] = field(default_factory=dict)
    looks: int = 0
    silent: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    meanwhile: Callable[[], None] | None = None
    """Happens once, after the next look and before its answer arrives."""

    def change_email(self, access: SecretText, email: str) -> None:
        self._answering("change_email", self.silent)
        if email in self.taken:
            raise AddressTakenError("taken")
        self.mailed.append((access.reveal(), email))
        self.wanted[access.reveal()] = email
        self._answering("change_email", self.lost)

    def confirm_email(self, access: SecretText, code: SecretText) -> None:
        self._answering("confirm_email", self.silent)
        if code.reveal() != CODE or access.reveal() not in self.wanted:
            raise WrongCodeError("wrong")
        self.emails[access.reveal()] = self.wanted.pop(access.reveal())
        self._answering("confirm_email", self.lost)

    def verified_email(self, access: SecretText) -> str | None:
        self.looks += 1
        self._answering("verified_email", self.silent)
        email = self.emails.get(access.reveal())
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()
        return email

    def _answering(self, name: str, not_these: set[str]) -> None:
        if name in not_these:
            raise IdentityUnavailableError("silent")


def token_of(tenant: str) -> str:
    """The access token of the owner of an account."""
    return f"eyJhbGciOiJSUzI1NiJ9.{tenant}.c2ln"


@dataclass
class World:
    client: Any
    now: float = NOON
    provider: Provider = field(default_factory=Provider)
    calls: list[str] = field(default_factory=list)
    writes_left: int | None = None
    """After so many writes each further one fails; None for no end."""

    def __post_init__(self) -> None:
        names = {each.name: each.name for each in TABLES}
        settings = Settings(
            accounts_table=names["accounts"],
            keys_table=names["keys"],
            key_lists_table=names["key-lists"],
            people_table=names["people"],
            audit_table=names["audit"],
            announcements_table=names["announcements"],
            attempts_table=names["attempts"],
            saved_searches_table=names["saved-searches"],
            identity_pool="pool",
            identity_client="client",
            attempts_an_address=10_000,
            min_response_ms=0,
        )
        self.directory = Directory("accounts", "keys", "key-lists", self.client)
        self.people = People("people", self.client)
        self.account_service = account_service(settings, self.client, self.provider, lambda: self.now)
        self.client.meta.events.register("before-call.dynamodb", self._note)

    def _note(self, model: Any, params: Any, **_: Any) -> None:
        self.calls.append(model.name)
        if model.name not in ("TransactWriteItems", "PutItem", "UpdateItem") or self.writes_left is None:
            return
        if json.loads(params["body"]).get("TableName") == "attempts":
            return
        if self.writes_left == 0:
            _make_fail(params)
        self.writes_left = max(0, self.writes_left - 1)

    def forget_tries(self) -> None:
        """Every test asks from the same address at the same time."""
        for item in self.client.scan(TableName="attempts")["Items"]:
            self.client.delete_item(TableName="attempts", Key={"counter": item["counter"]})

    def account(self, name: str, *, owner: bool = True) -> TenantId:
        """A new account, with an owner `person-<name>`."""
        tenant = TenantId(name)
        subject = f"person-{name}"
        self.directory.put_account(
            Account(
                tenant,
                AccountStatus("managed_30", 30, 1_000_000),
                owner=subject if owner else "",
                created_at=int(NOON),
            )
        )
        if owner:
            self.provider.emails[token_of(tenant)] = f"{name}@example.com"
            self.people.put(
                Person(
                    subject=subject,
                    tenant=tenant,
                    name=f"Owner of {name}",
                    email=f"{name}@example.com",
                    terms_version="2026-11-01",
                    terms_accepted_at="2026-11-23T00:00:00Z",
                    marketing_opt_in=False,
                    state="confirmed",
                )
            )
        return tenant

    def key(self, tenant: TenantId, key_id: str, **fields: Any) -> str:
        text = keys.generate()
        self.directory.put_key(
            text, Key(tenant, key_id, frozenset({"ingest"}), "default", created_at=int(self.now), **fields)
        )
        return text

    def ask(
        self,
        route: str,
        tenant: str,
        body: Any = None,
        *,
        key_id: str = "",
        person: bool = False,
        scopes: str = "admin",
        query: dict[str, str] | None = None,
    ) -> Answer:
        """Answer a request of `tenant`, by key or by its owner in person."""
        event = event_of(route, tenant, body, key_id, person=person, scopes=scopes, query=query)
        return answering(lambda each: routes.answer_to(each, self.account_service))(event, None)

    def entries(self, tenant: str) -> list[dict[str, str]]:
        return self.account_service.audit.page(TenantId(tenant), 100).entries

    def actions(self, tenant: str) -> list[str]:
        return [each["action"] for each in self.entries(tenant)]


def _make_fail(params: Any) -> None:
    """Let DynamoDB itself refuse the write, a transaction as a whole: a condition of it does not hold."""
    body = json.loads(params["body"])
    if "TransactItems" in body:
        nobody = {
            "TableName": "accounts",
            "Key": {"tenant_id": {"S": "nobody"}},
            "ConditionExpression": "attribute_exists(tenant_id)",
        }
        body["TransactItems"].append({"ConditionCheck": nobody})
    else:
        body["ConditionExpression"] = "attribute_exists(nothing)"
    params["body"] = json.dumps(body).encode()


def event_of(
    route: str,
    tenant: str,
    body: Any,
    key_id: str,
    *,
    person: bool = False,
    scopes: str = "admin",
    query: dict[str, str] | None = None,
) -> dict[str, Any]:
    method, path = route.split(" ")
    verdict = {
        "verdict": "ok",
        "tenant_id": tenant,
        "key_id": "" if person else "key_caller",
        "project_id": "default",
        "scopes": scopes,
        "retention_days": "30",
        "bytes_per_second": "1000",
        "refusal": "",
        "actor": f"person:person-{tenant}" if person else "key:key_caller",
        "plan": "managed_30",
        **({"session": SESSION, "signed_in_at": str(int(NOON) - 60)} if person else {}),
    }
    return {
        "routeKey": route,
        "rawPath": path.replace("{id}", key_id),
        "pathParameters": {"id": key_id},
        "queryStringParameters": query or {},
        "headers": {"authorization": f"Bearer {token_of(tenant)}"},
        "requestContext": {
            "requestId": f"request-{random.randrange(10**9)}",
            "http": {"method": method, "path": path, "sourceIp": "192.0.2.7", "userAgent": "curl/8 " * 60},
            "authorizer": {"lambda": verdict},
        },
        "body": "" if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


def decoded(answer: Answer) -> Any:
    return json.loads(answer["body"]) if answer["body"] else None


@contextmanager
def world() -> Iterator[World]:
    """One world for many tests, which share its tables but none of their tenants."""
    transactions.install()
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_tables(client)
        yield World(client)
