"""The open routes over the local AWS: how the tests of signing in ask, and what they look up."""

import json
import re
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import quote

import boto3
import pytest

from bench.children import child
from functions.accounts import password_hash
from functions.accounts.attempt_counter import TableCounter
from functions.accounts.attempts import AttemptLimiter
from functions.accounts.authentication import Authentication
from functions.accounts.authorizer import Authorizer
from functions.accounts.directory import Directory
from functions.accounts.email_copy import EmailCopy
from functions.accounts.failures import FailureLimiter
from functions.accounts.identity import Identity
from functions.accounts.people import People
from functions.accounts.sessions import Sessions
from functions.accounts.sign_in import SignInService, answer_to
from functions.accounts.tokens import AccessTokenVerifier
from functions.shared.accounts.audit import AuditTrail
from functions.shared.accounts.mail import Mailer
from functions.shared.http import answering
from local.mail import provision_mail
from local.user_pool import provision_identity
from tests.documented import documented_answers

MAIL_FROM = "no-reply@astralog.example"
PASSWORD, OTHER_PASSWORD = "correct-horse-battery", "another-long-password"
TABLES = {
    "people": ("subject",),
    "attempts": ("counter",),
    "accounts": ("tenant_id",),
    "keys": ("key_hash",),
    "audit": ("tenant_id", "entry"),
}

_numbers = count(1)


@dataclass
class World:
    """One local AWS, and all our code before it."""

    endpoint: str
    clients: dict[str, Any]
    authentication: Authentication
    verifier: AccessTokenVerifier
    pool: str
    client_id: str

    def ask(
        self,
        route: str,
        body: Any,
        address: str | None = None,
        headers: dict[str, str] | None = None,
        cookies: Sequence[str] = (),
    ) -> "Answered":
        """One request, by default from a new address."""
        event = {
            "routeKey": f"POST {route}",
            "rawPath": route,
            "headers": headers or {},
            "cookies": list(cookies),
            "body": body if isinstance(body, str) else json.dumps(body),
            "requestContext": {
                "requestId": "r-1",
                "http": {"method": "POST", "sourceIp": address or new_address()},
            },
        }
        handler = answering(
            lambda event: answer_to(event, SignInService(self.authentication, min_response_seconds=0))
        )
        return documented(route, handler(event, None))

    def ask_signed_in(
        self,
        route: str,
        body: Any,
        access: str,
        address: str | None = None,
        headers: dict[str, str] | None = None,
        cookies: Sequence[str] = (),
    ) -> "Answered":
        """One request of a person who is signed in."""
        event = {
            "routeKey": f"POST {route}",
            "rawPath": route,
            "headers": {"authorization": f"Bearer {access}", **(headers or {})},
            "cookies": list(cookies),
            "body": json.dumps(body) if body is not None else "",
            "requestContext": {
                "requestId": "r-1",
                "http": {"method": "POST", "sourceIp": address or new_address(), "userAgent": "tests"},
                "authorizer": {"lambda": self.verdict(access)},
            },
        }
        handler = answering(
            lambda event: answer_to(event, SignInService(self.authentication, min_response_seconds=0))
        )
        return documented(route, handler(event, None))

    def authorizer(self) -> Authorizer:
        """One that remembers nothing yet."""
        failures = FailureLimiter(TableCounter("attempts", self.clients["dynamodb"]))
        return Authorizer(self.authentication.directory, self.authentication.people, self.verifier, failures)

    def verdict(self, access: str, after_seconds: float = 0) -> dict[str, str]:
        """What a new authorizer says of an access token, so much later."""
        headers = {"authorization": f"Bearer {access}"}
        return self.authorizer().context(headers, time.time() + after_seconds, new_address())

    def opens(self, access: str, after_seconds: float = 0) -> bool:
        """Whether an access token opens anything."""
        verdict = self.verdict(access, after_seconds)["verdict"]
        assert verdict in ("ok", "refused_token")
        return verdict == "ok"

    def sign_up(self, email: str, password: str = PASSWORD, **fields: Any) -> "Answered":
        form = {"name": "Ada", "email": email, "password": password, "accept_terms": True, **fields}
        return self.ask("/v1/signup", form)

    def confirm(self, email: str, code: str | None = None, password: str = PASSWORD) -> "Answered":
        form = {"email": email, "code": code or self.code(email), "password": password}
        return self.ask("/v1/signup/confirm", form)

    def log_in(self, email: str, password: str = PASSWORD, address: str | None = None) -> "Answered":
        return self.ask("/v1/login", {"email": email, "password": password}, address)

    def joined(self) -> str:
        """The address of a person who has just signed up and confirmed."""
        email = new_email()
        assert self.sign_up(email).status == 202
        assert self.confirm(email).status == 200
        return email

    def mails(self, to: str) -> list[dict[str, str]]:
        with urllib.request.urlopen(f"{self.endpoint}/_mail?to={quote(to)}", timeout=10) as answer:  # noqa: S310
            mails: list[dict[str, str]] = json.load(answer)
            return mails

    def code(self, email: str) -> str:
        """The code that was mailed last."""
        codes = [found for mail in self.mails(email) for found in re.findall(r"\b\d{6}\b", mail["text"])]
        return codes[-1]

    def items(self, table: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.clients["dynamodb"].scan(TableName=table)["Items"]
        return items


@dataclass(frozen=True)
class Answered:
    status: int
    body: dict[str, Any]
    headers: dict[str, str]
    cookies: list[str] = field(default_factory=list)

    @property
    def refused(self) -> tuple[int, str]:
        return self.status, self.body["code"]


def documented(route: str, given: dict[str, Any]) -> Answered:
    """The response of a handler to a POST, which the OpenAPI document describes."""
    media = given["headers"].get("content-type", "")
    documented_answers().check("POST", route, given["statusCode"], media, given["body"].encode())
    return answered(given)


def answered(given: dict[str, Any]) -> Answered:
    """A handler's answer."""
    return Answered(
        given["statusCode"], json.loads(given["body"]), given["headers"], given.get("cookies") or []
    )


def new_email() -> str:
    return f"person{next(_numbers)}@example.com"


def new_address() -> str:
    number = next(_numbers)
    return f"198.51.{number // 250}.{number % 250}"


def wrong(code: str) -> str:
    """Another code of that form."""
    return f"{(int(code) + 1) % 1_000_000:06d}"


@contextmanager
def world() -> Iterator[World]:
    """A world with empty tables and an empty pool, where hashing a password costs next to nothing.

    What it costs otherwise is tested in test_password_hash.py.
    """
    with child("local.aws") as aws, pytest.MonkeyPatch.context() as patched:
        patched.setattr(password_hash, "_COST", 2)
        endpoint = f"http://127.0.0.1:{aws.port}"
        yield _built(
            endpoint, {name: client(name, endpoint) for name in ("dynamodb", "cognito-idp", "sesv2")}
        )


def client(service: str, endpoint: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="tests",
        aws_secret_access_key="tests",
    )


def _built(endpoint: str, clients: dict[str, Any]) -> World:
    for table, (key, *sort_key) in TABLES.items():
        clients["dynamodb"].create_table(
            TableName=table,
            KeySchema=[
                {"AttributeName": key, "KeyType": "HASH"},
                *({"AttributeName": each, "KeyType": "RANGE"} for each in sort_key),
            ],
            AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in (key, *sort_key)],
            BillingMode="PAY_PER_REQUEST",
        )
    provision_mail(clients["sesv2"], MAIL_FROM)
    pool, client_id, issuer, keys_url = provision_identity(clients["cognito-idp"])
    identity = Identity(pool, client_id, clients["cognito-idp"])
    audit = AuditTrail("audit", clients["dynamodb"])
    people, attempts = People("people", clients["dynamodb"]), AttemptLimiter("attempts", clients["dynamodb"])
    failures = FailureLimiter(TableCounter("attempts", clients["dynamodb"]), what="refresh")
    authentication = Authentication(
        identity=identity,
        people=people,
        directory=Directory("accounts", "keys", client=clients["dynamodb"]),
        attempts=attempts,
        mailer=Mailer(MAIL_FROM, "notices", clients["sesv2"]),
        audit=audit,
        emails=EmailCopy("people", identity, audit, clients["dynamodb"]),
        sessions=Sessions(identity, people, audit, attempts, failures),
    )
    return World(
        endpoint, clients, authentication, AccessTokenVerifier(issuer, client_id, keys_url), pool, client_id
    )
