"""Billing around the real fake Stripe and DynamoDB in memory: accounts that buy, pay, fail to, and leave.

The clock is Stripe's, which tests move; signatures go by the machine's, as Stripe's do.
"""

import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import boto3
from moto import mock_aws

from functions.accounts.directory import Account, Directory
from functions.billing import bookkeeper, catalogue, closer, routes, webhook_handler
from functions.billing import handler as billing_handler
from functions.billing.stripe_client import StripeSdkClient
from functions.billing.stripe_secret import StripeSecret
from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.billing_store import BillingStore
from functions.shared.accounts.account_closings import AccountClosings
from functions.shared.accounts.account_status import AccountStatus, account_status_on
from functions.shared.accounts.audit import AuditTrail
from functions.shared.http import Answer, answering
from functions.shared.plans import PLANS, TRIAL, TRIAL_DAYS
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId
from local import transactions
from tests.aws_in_memory import create_tables
from tests.fake_stripe.server import API_KEY, CARD, SECRET, Stripe, fake_stripe_server

DAY = 86_400
DASHBOARD = "http://127.0.0.1:1"
FAILS_LATER = {**CARD, "number": "4000 0000 0000 0341"}
LOADING_SECONDS, INVOICE_SECONDS = 900, 3600

KEPT = {
    "accounts_table": "accounts",
    "billing_table": "billing",
    "usage_table": "usage",
    "audit_table": "audit",
    "notices_table": "notices",
    "stripe_secret": "stripe",
    "stripe_address": "",
}
WRITES = ("TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem")


class KilledError(Exception):
    """The process died here."""


class Dying:
    """A Stripe at whose nth call the process dies: before it is made, or after it was answered."""

    def __init__(self, gate: Any, at: int, *, after: bool) -> None:
        self._gate, self._left, self._after = gate, at, after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._gate, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self._left -= 1
            if self._left == -1 and not self._after:
                raise KilledError(name)
            answer = method(*args, **kwargs)
            if self._left == -1:
                raise KilledError(name)
            return answer

        return call


@dataclass
class Shop:
    client: Any
    here: Stripe
    ahead: float = 0.0
    wrap: Callable[[Any], Any] = lambda gate: gate
    writes_left: int | None = None
    """After so many writes the process dies at the next; None for no end."""
    dies_after: bool = False
    """Whether it dies after the write took place, rather than before."""
    taken: int = 0
    asked: int = 0

    def __post_init__(self) -> None:
        self.secret = StripeSecret(SecretText(API_KEY), SecretText(SECRET))
        self.gate = StripeSdkClient(lambda: self.secret.api_key, self.here.url)
        self.directory = Directory("accounts", "keys", "key-lists", self.client)
        self.records = BillingStore("billing", "accounts", self.client)
        self.audit = AuditTrail("audit", self.client)
        self.closings = AccountClosings("billing", "accounts", self.client, self.now)
        self.client.meta.events.register("before-call.dynamodb", self._before)
        self.client.meta.events.register("after-call.dynamodb", self._after)

    def now(self) -> float:
        """Each time a millisecond later, so that events keep the order of the changes."""
        self.asked += 1
        return self.here.now() + self.ahead + self.asked / 1000

    def webhook_secret(self) -> SecretText:
        return self.secret.webhook_secret

    def pass_by(self, seconds: int) -> None:
        self.here.advance(seconds / DAY)

    def renew(self, tenant: TenantId) -> None:
        """Until hours after the end of the tenant's period, in which Stripe charges for the next one.

        A period is a month: how many days it has depends on the date of the test.
        """
        live = self.record(tenant).subscription
        assert live
        self.here.advance((live.period_end - self.here.now()) / DAY + 0.1)

    def _before(self, model: Any, **_: Any) -> None:
        if model.name in WRITES and self.writes_left == 0 and not self.dies_after:
            raise KilledError(model.name)

    def _after(self, model: Any, **_: Any) -> None:
        if model.name not in WRITES or self.writes_left is None:
            return
        if self.writes_left == 0:
            raise KilledError(model.name)
        self.writes_left -= 1

    # The functions, each made anew: nothing rests between two invocations.

    @property
    def billing_api(self) -> routes.BillingApi:
        settings = billing_handler.Settings(
            **KEPT, destinations_table="destinations", dashboard_address=DASHBOARD
        )
        return billing_handler.billing_api(settings, self.client, self.wrap(self.gate), self.now)

    @property
    def intake(self) -> Any:
        settings = webhook_handler.Settings(**KEPT, stripe_events_table="stripe-events")
        stripe = self.wrap(self.gate)
        made = webhook_handler.webhook_processor(settings, self.client, stripe, self.webhook_secret, self.now)
        return replace(made, clock=time.time)

    @property
    def bookkeeper(self) -> bookkeeper.Bookkeeper:
        return bookkeeper.bookkeeper(bookkeeper.Settings(**KEPT), self.client, self.wrap(self.gate), self.now)

    def close(self, final_usage: Any = None) -> dict[str, int]:
        """One round of the closer."""
        settings = closer.Settings(
            **KEPT, closing_loading_seconds=LOADING_SECONDS, closing_invoice_seconds=INVOICE_SECONDS
        )
        made = closer.offboarding(settings, self.client, self.wrap(self.gate), final_usage, self.now)
        return closer.run(*made)

    # Accounts.

    def account(self, name: str, account_status: AccountStatus | None = None) -> TenantId:
        """A new account, on its free trial unless another standing is given."""
        tenant, now = TenantId(name), int(self.now())
        trial = account_status_on(PLANS[TRIAL], now + TRIAL_DAYS * DAY, "trial_ended")
        self.directory.put_account(Account(tenant, account_status or trial, f"person-{name}", now))
        return tenant

    def subscribed(self, name: str, plan: str = "managed_15") -> TenantId:
        """A new account that has bought a plan, with no trial left, and whose events arrived."""
        tenant = self.account(name, account_status_on(PLANS[TRIAL], int(self.now()) + DAY, "trial_ended"))
        self.buy(tenant, plan)
        self.deliver()
        assert self.record(tenant).live
        return tenant

    def account_status(self, tenant: str) -> AccountStatus:
        found = self.records.account_status(TenantId(tenant))
        assert found
        return found

    def record(self, tenant: str) -> BillingRecord:
        return self.records.of(TenantId(tenant))

    def refusal(self, tenant: str) -> str:
        return self.account_status(tenant).refusal(self.now())

    def actions(self, tenant: str) -> list[str]:
        """The audit trail, oldest first."""
        return [each["action"] for each in self.audit.page(TenantId(tenant), 100).entries][::-1]

    def mails(self, tenant: str) -> list[str]:
        """Kinds of the notices, in the order they became due."""
        found = self.client.query(
            TableName="notices",
            KeyConditionExpression="tenant_id = :tenant",
            ExpressionAttributeValues={":tenant": {"S": tenant}},
        )["Items"]
        ordered = sorted(found, key=lambda each: (each["at"]["S"], each["notice"]["S"]))
        return [each["kind"]["S"].removeprefix("billing_") for each in ordered]

    # What people do.

    def ask(
        self,
        route: str,
        tenant: str,
        body: Any = None,
        scopes: str = "admin",
        query: dict[str, str] | None = None,
    ) -> Answer:
        """A request of `tenant` by its owner."""
        event = {**event_of(route, tenant, body, scopes), "queryStringParameters": query}
        return answering(lambda each: routes.answer_to(each, self.billing_api))(event, None)

    def page(self, route: str, tenant: str, body: Any = None) -> str:
        """The address of a page of Stripe's that a route answers with."""
        answer = self.ask(route, tenant, body)
        assert answer["statusCode"] == 201, answer
        return str(json.loads(answer["body"])["url"])

    def buy(self, tenant: str, plan: str = "managed_15", card: Any = CARD) -> None:
        page = self.page("POST /v1/billing/checkout", tenant, {"plan": plan})
        answer = self.here.post_form(page, "Subscribe", **card)
        assert answer.status_code == 303, answer.text

    def portal(self, tenant: str, button: str, **fields: Any) -> int:
        page = self.page("POST /v1/billing/portal", tenant)
        return self.here.post_form(page, button, **fields).status_code

    # Stripe's events.

    def pending(self) -> list[tuple[bytes, str]]:
        """Webhooks that came since the last look, with their signatures."""
        self.here.settle()
        received = self.here.receiver.received
        new = [(body, header or "") for body, header, _ in received[self.taken :]]
        self.taken = len(received)
        return new

    def deliver(self) -> list[int]:
        """Take all webhooks there are, in their order; the statuses."""
        return [self.webhook(*each)["statusCode"] for each in self.pending()]

    def webhook(self, body: bytes, signature: str) -> Answer:
        intake = self.intake
        return answering(lambda each: webhook_handler.answer_to(each, intake))(
            webhook_event(body, signature), None
        )

    def subscription(self, tenant: str) -> Any:
        """The newest at Stripe, as it is there."""
        (found, *_) = self.gate.subscriptions(self.record(tenant).customer_id)
        return found


def event_of(route: str, tenant: str, body: Any, scopes: str = "admin") -> dict[str, Any]:
    method, path = route.split(" ")
    verdict = {
        "verdict": "ok",
        "tenant_id": tenant,
        "key_id": "",
        "project_id": "default",
        "scopes": scopes,
        "retention_days": "15",
        "bytes_per_second": "1000",
        "refusal": "",
        "actor": f"person:person-{tenant}",
        "plan": "trial",
    }
    return {
        "routeKey": route,
        "rawPath": path,
        "headers": {},
        "requestContext": {
            "requestId": "request-1",
            "http": {"method": method, "path": path, "sourceIp": "192.0.2.7", "userAgent": "tests"},
            "authorizer": {"lambda": verdict},
        },
        "body": "" if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


def webhook_event(body: bytes, signature: str | None) -> dict[str, Any]:
    """As API Gateway hands a webhook on."""
    http = {"method": "POST", "path": "/v1/stripe/webhook"}
    return {
        "routeKey": "POST /v1/stripe/webhook",
        "rawPath": "/v1/stripe/webhook",
        "headers": {} if signature is None else {"stripe-signature": signature},
        "requestContext": {"requestId": "request-1", "http": http},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


@contextmanager
def dynamodb() -> Iterator[Any]:
    """DynamoDB in memory with the topology's tables."""
    transactions.install()
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_tables(client)
        yield client


@contextmanager
def shop() -> Iterator[Shop]:
    """A shop with its catalogue at Stripe, for a test or many that share no tenants."""
    with dynamodb() as client, fake_stripe_server() as here:
        made = Shop(client, here)
        catalogue.sync(made.gate)
        made.pending()
        yield made
