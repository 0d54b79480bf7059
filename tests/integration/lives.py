"""Customers from their sign-up to their erasure, by one clock that tests turn.

Each request goes through the authorizer to the function that the topology has for its route. DynamoDB, S3,
SQS, KMS and Cognito are moto's, the engine and the fake Stripe are real, and what schedules and queues would
bring about happens when a test says `work`. Mails are kept apart: sent, they lie in their readers' mailboxes.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import pytest

from bench.in_process import EmbeddedEngine
from functions.accounts import handler as accounts_handler
from functions.accounts import routes as accounts_routes
from functions.accounts import sign_in
from functions.accounts.attempt_counter import TableCounter
from functions.accounts.attempts import AttemptLimiter
from functions.accounts.authentication import Authentication
from functions.accounts.authorizer import Authorizer, TokenVerifier
from functions.accounts.email_copy import EmailCopy
from functions.accounts.failures import FailureLimiter
from functions.accounts.identity import Identity
from functions.accounts.people import People
from functions.accounts.sessions import Sessions
from functions.billing import catalogue, report
from functions.billing import routes as billing_routes
from functions.billing.meter import Meter
from functions.billing.usage.done_batches import DoneBatches
from functions.billing.wiring import follow_ups_of, meter_event_sender_of, usage_store_of
from functions.ingest import handler as ingest_handler
from functions.ingest.rate_limit import RateLimit
from functions.ingest.staging_writer import StagingWriter
from functions.notices import unsubscribe
from functions.notices.delivery import Delivery
from functions.notices.notifier import RESERVED_SECONDS, Notifier
from functions.notices.outbox import Outbox
from functions.notices.recipients import Recipients
from functions.privacy import handler as privacy_handler
from functions.query.compile import statement
from functions.query.requests.request import search
from functions.query.results.page import page
from functions.query.searching.event_search import EventSearch, SearchLimits
from functions.shared.access import principal
from functions.shared.accounts.mail import Mailer
from functions.shared.accounts.suppressions import Suppressions
from functions.shared.accounts.tombstones import TombstoneCache
from functions.shared.buckets.drop_bucket import DropBucket
from functions.shared.http import Answer, Event, answer, answering, request
from functions.shared.notifications import notifications
from functions.shared.tenancy import TenantId
from functions.sync.notifications import StagedObject
from functions.uploads import dropin
from functions.uploads import handler as uploads_handler
from functions.uploads.account_status import AccountStatuses
from functions.uploads.backlog import Backlogs
from functions.uploads.counters import KeptOriginals, OpenUploads, StagedBytes, UploadRate
from functions.uploads.file_processor import FileProcessor
from functions.uploads.loading import LoadingFiles
from functions.uploads.queue import DropQueue
from functions.uploads.register import UploadRegister
from functions.uploads.slots import TenantSlots
from functions.uploads.turns import FairTurns
from infra.topology import FUNCTIONS
from tests.crash.privacy_world import World, world
from tests.fake_stripe.server import fake_stripe_server
from tests.unit.billing.shop import KEPT, Shop
from tests.unit.notices.world import Mail
from tests.unit.notices.world import Mailer as Mailbox

PASSWORD = "Correct-horse-battery-1"
API = "https://logs.example.org"
DOCS = "https://docs.example.org"
CLOCKED = ("functions.ingest.handler", "functions.uploads.dropin", "functions.uploads.file_processor")
"""Modules that ask the machine for the time of receipt."""


@dataclass
class Customer:
    """A customer. `mark` is in all they give us; `lines`: accepted events; `staged`: their messages."""

    mark: str
    tenant: TenantId = field(default=cast(TenantId, ""))
    token: str = ""
    key: str = ""
    lines: list[str] = field(default_factory=list)
    staged: list[StagedObject] = field(default_factory=list)

    @property
    def email(self) -> str:
        return f"{self.mark}@example.org"


@dataclass
class Lives:
    """Everything there is, and its clock."""

    here: World
    shop: Shop
    client_id: str

    def __post_init__(self) -> None:
        db, now = self.here.aws.dynamodb, self.now
        self.outside = Mailbox(lambda: None)
        mailer = cast(Mailer, self.outside)
        identity = Identity(self.here.aws.pool, self.client_id, self.here.aws.cognito)
        attempts, refreshes = (
            AttemptLimiter("attempts", db),
            FailureLimiter(TableCounter("attempts", db), what="refresh"),
        )
        self.authentication = Authentication(
            identity=identity,
            people=self.here.people,
            directory=self.here.directory,
            attempts=attempts,
            mailer=mailer,
            audit=self.here.audit,
            emails=EmailCopy("people", identity, self.here.audit, db),
            sessions=Sessions(identity, self.here.people, self.here.audit, attempts, refreshes, now),
        )
        names = (
            "accounts", "keys", "key_lists", "people", "audit", "announcements", "attempts", "saved_searches",
        )  # fmt: skip
        tables = {f"{each}_table": each.replace("_", "-") for each in names}
        settings = accounts_handler.Settings(
            **tables, identity_pool=self.here.aws.pool, identity_client=self.client_id, min_response_ms=0
        )
        service = accounts_handler.account_service(settings, db, identity, now)
        # The S3 in this process takes CPU time, too, that is not the sender's.
        ingest = ingest_handler.Ingest(StagingWriter(self.here.staging), RateLimit(cpu_clock=lambda: 0.0))
        drops = DropBucket(self.here.aws.s3, "drop")
        register = UploadRegister("uploads", db, now)
        queue = DropQueue("dropped", "tests", self.here.aws.sqs)
        open_uploads = OpenUploads("uploads", db, now)
        uploads = uploads_handler.UploadService(
            register,
            open_uploads,
            UploadRate("uploads", db, now),
            queue,
            queue,
            lambda: drops,
            lambda _tenant: drops,
            lambda: self.here.staging,
            LoadingFiles(register),
            now,
        )
        leaving = unsubscribe.unsubscribe_service(unsubscribe.Settings("people", "audit"), db)
        self.drop_in = dropin.DropIn(
            drops,
            self.here.staging,
            AccountStatuses("accounts", db),
            StagedBytes("uploads", db, now),
            TenantSlots("uploads", 2, db, now),
            FairTurns(queue, Backlogs("uploads", db, now), dropin.FILES_A_TURN),
            FileProcessor(
                register,
                queue.publish,
                dropin.FUNCTION,
                open_uploads,
                KeptOriginals("uploads", db, now),
            ),
            lambda tenant: TombstoneCache(self.here.tombstones).is_deleted(tenant),
        )
        self.answers: dict[str, Callable[[Event], Answer]] = {
            "sign-in": lambda event: sign_in.answer_to(event, sign_in.SignInService(self.authentication, 0)),
            "accounts": lambda event: accounts_routes.answer_to(event, service),
            "billing": lambda event: billing_routes.answer_to(event, self.shop.billing_api),
            "ingest": lambda event: ingest_handler.answer_to(event, ingest),
            "query": self._searched,
            "uploads": lambda event: uploads_handler.answer_to(event, uploads),
            "privacy": lambda event: privacy_handler.answer_to(event, self.here.service),
            "unsubscribe": lambda event: unsubscribe.answer_to(event, leaving),
        }
        delivery = Delivery(
            Outbox("notices", db, now),
            Recipients("people", db),
            Suppressions("suppressions", db, now),
            self.here.announcements,
            mailer,
            API,
            DOCS,
        )
        self.notifier = Notifier(Outbox("notices", db, now), delivery)

    def now(self) -> float:
        self.here.now = float(self.shop.here.now())
        return self.here.now

    # What people do.

    def ask(
        self, route: str, who: str = "", body: Any = None, query: dict[str, str] | None = None, **places: str
    ) -> tuple[int, Any]:
        """A request with a key or a token, or with none; what the function of the route answers."""
        headers = {"authorization": f"Bearer {who}"} if who else {}
        # Made anew each time: half a minute later it believes nothing of what it looked up.
        authorizer = Authorizer(
            self.here.directory,
            People("people", self.here.aws.dynamodb),
            cast(TokenVerifier, SimpleNamespace(verify=_believed)),
            FailureLimiter(TableCounter("attempts", self.here.aws.dynamodb)),
        )
        method, path = route.split(" ")
        http = {"method": method, "path": path, "sourceIp": "203.0.113.9", "userAgent": "tests"}
        event = {
            "routeKey": route,
            "rawPath": path,
            "headers": headers,
            "pathParameters": places,
            "queryStringParameters": query or {},
            "requestContext": {
                "requestId": "r",
                "http": http,
                "authorizer": {"lambda": authorizer.context(headers, self.now(), "203.0.113.9")},
            },
            "body": "" if body is None else json.dumps(body),
        }
        response = answering(self.answers[_function_of(route)])(event, None)
        assert response["statusCode"] < 500, (route, response)
        return response["statusCode"], json.loads(response["body"] or "null")

    def ask_ok(self, route: str, who: str = "", body: Any = None, **places: Any) -> Any:
        """The same, of a request that is not refused."""
        status, shown = self.ask(route, who, body, **places)
        assert status < 300, (route, status, shown)
        return shown

    def joins(self) -> Customer:
        """A customer signs up, opts in to marketing, confirms the address, signs in and creates a key."""
        customer = Customer(f"mark{uuid4().hex[:16]}")
        proof = {"email": customer.email, "password": PASSWORD}
        form = {"name": f"Name {customer.mark}", "accept_terms": True, "marketing_opt_in": True}
        self.ask_ok("POST /v1/signup", body={**form, **proof})
        confirmed = self.ask_ok("POST /v1/signup/confirm", body={**proof, "code": "123456"})
        customer.tenant = TenantId(confirmed["tenant_id"])
        customer.token = self.ask_ok("POST /v1/login", body=proof)["access_token"]
        wanted = {"scopes": ["ingest", "read"], "name": f"Key of {customer.mark}"}
        customer.key = self.ask_ok("POST /v1/keys", customer.token, wanted)["key"]
        search = {"name": f"Lines of {customer.mark}", "query": f'"{customer.mark}"', "columns": ["order"]}
        self.ask_ok("POST /v1/searches", customer.token, search)
        return customer

    def logs(self, customer: Customer, count: int = 3) -> tuple[int, str]:
        """Some lines are sent; the status and the code."""
        lines = [f"line {len(customer.lines) + n} of {customer.mark}" for n in range(count)]
        status, shown = self.ask("POST /v1/drain", customer.key, [{"message": line} for line in lines])
        if status == 202:
            customer.lines += lines
        return status, shown.get("code", "")

    def drops(self, customer: Customer) -> str:
        """A file is announced, put by its URL and read; what became of it."""
        line = f"line {len(customer.lines)} of {customer.mark}"
        body = json.dumps({"message": line}).encode() + b"\n"
        asked = {"filename": f"{customer.mark}.ndjson", "size": len(body), "original": "keep"}
        upload = self.ask_ok("POST /v1/uploads", customer.key, asked)
        self.put(unquote(urlsplit(upload["url"]).path).partition("dropin/")[2], body)
        shown = self.ask_ok("GET /v1/uploads/{id}", customer.key, id=upload["id"])
        if shown["rows_stored"]:
            customer.lines.append(line)
        return str(shown["state"])

    def upload_states(self, customer: Customer) -> set[str]:
        """The states of all files of the customer."""
        uploads = self.ask_ok("GET /v1/uploads", customer.key)["uploads"]
        return {str(each["state"]) for each in uploads}

    def put(self, name: str, body: bytes) -> None:
        """A file lies in our bucket, and S3 says so."""
        key = f"dropin/{name}"
        etag = self.here.aws.s3.put_object(Bucket="drop", Key=key, Body=body)["ETag"]
        put = {"bucket": {"name": "drop"}, "object": {"key": key, "size": len(body), "eTag": etag.strip('"')}}
        record = {
            "messageId": "1",
            "receiptHandle": "r",
            "attributes": {"ApproximateReceiveCount": "1"},
            "body": json.dumps({"Records": [{"eventName": "ObjectCreated:Put", "s3": put}]}),
        }
        outcome = dropin.answer_to({"Records": [record]}, lambda: 300.0, self.drop_in)
        assert outcome == {"batchItemFailures": []}

    def search_messages(self, customer: Customer) -> list[str]:
        now = datetime.fromtimestamp(self.now(), UTC)
        span = {"from": (now - timedelta(days=89)).isoformat(), "to": (now + timedelta(days=1)).isoformat()}
        shown = self.ask_ok("POST /v1/search", customer.key, {"limit": 1000, **span})
        return [each["message"] for each in shown["events"]]

    def buys(self, customer: Customer, plan: str, **card: str) -> None:
        url = self.ask_ok("POST /v1/billing/checkout", customer.token, {"plan": plan})["url"]
        assert self.shop.here.post_form(url, "Subscribe", **card).status_code == 303
        self.shop.deliver()

    def mails(self, customer: Customer) -> list[Mail]:
        return [each for each in self.outside.sent if each.to == customer.email]

    def token_in(self, mail: Mail) -> str:
        """Of the link that ends marketing."""
        match = re.search(r"/v1/unsubscribe/([\w-]+)", mail.headers["List-Unsubscribe"])
        assert match
        return match[1]

    # What happens by itself.

    def work(self, *customers: Customer) -> None:
        """Sync, meter, report, bookkeeper, closer, exporter, eraser and notifier each have their turn."""
        db, now = self.here.aws.dynamodb, self.now()
        by_tenant = {each.tenant: each for each in customers}
        for each in list(self.here.staging.under("staged/")):
            staged = StagedObject(each.key, each.etag, each.size_bytes)
            by_tenant[TenantId(each.key.split("/")[2].removeprefix("tenant="))].staged.append(staged)
            self.notify_staged(staged)
        settings = report.Settings(**KEPT)
        follow_ups, usage = follow_ups_of(settings, db, self.now), usage_store_of(settings, db)
        Meter(DoneBatches("ledger", db), usage, db, follow_ups.try_follow_up).run(now)
        reporter = meter_event_sender_of(settings, db, self.shop.gate, self.now)
        open_books = [record for record in self.shop.records.all() if record.closed_at is None]
        report.ReportRun(reporter, follow_ups, usage).run(open_books, lambda: 300.0)
        self.shop.deliver()
        self.shop.bookkeeper.run()
        self.here.exporter.run()
        self.here.eraser.run()
        self.shop.close()
        self.shop.deliver()
        self.notifier.run(lambda: RESERVED_SECONDS + 1)

    def notify_staged(self, *objects: StagedObject) -> None:
        """S3 says so to sync, who acts on it."""
        url = self.here.aws.sqs.get_queue_url(QueueName="staged")["QueueUrl"]
        for body in notifications(objects, "tests"):
            self.here.aws.sqs.send_message(QueueUrl=url, MessageBody=body)
        self.here.drain()

    def later(self, *customers: Customer, **by: float) -> None:
        """Time passes, for all processes and at Stripe."""
        days = by.get("days", 0) + by.get("hours", 0) / 24 + by.get("minutes", 0) / 1440
        self.shop.here.advance(days)
        self.shop.deliver()
        self.work(*customers)

    def _searched(self, event: Event) -> Answer:
        caller = principal(event).require("read")
        asked = search(request(event).body)
        event_search = EventSearch(self.here.warehouse, SearchLimits(10, 2**30, 2**26, 1))
        return answer(200, json.loads(page(asked, event_search.find(statement(asked, caller.tenant)))))


def _function_of(route: str) -> str:
    return next(
        spec.name for spec in FUNCTIONS for each in spec.routes if f"{each.method} {each.path}" == route
    )


def _believed(token: str) -> Any:
    """Whose token it is; tests/unit/accounts/test_tokens.py has how one is verified."""
    middle = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return SimpleNamespace(
        subject=claims["sub"], session=claims["origin_jti"], signed_in_at=claims["auth_time"]
    )


@contextmanager
def lives(patch: pytest.MonkeyPatch, place: Path) -> Iterator[Lives]:
    """An empty service."""
    room = EmbeddedEngine(place)
    with world(room, place, "lives") as here, fake_stripe_server() as stripe:
        shop = Shop(here.aws.dynamodb, stripe)
        catalogue.sync(shop.gate)
        shop.pending()
        made = here.aws.cognito.create_user_pool_client(
            UserPoolId=here.aws.pool,
            ClientName="sign-in",
            GenerateSecret=True,
            ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        )
        all_of_it = Lives(here, shop, made["UserPoolClient"]["ClientId"])

        class Clocked(datetime):
            @classmethod
            def now(cls, _zone: Any = None) -> Any:
                return datetime.fromtimestamp(all_of_it.now(), UTC)

        for module in CLOCKED:
            patch.setattr(f"{module}.datetime", Clocked)
        yield all_of_it
    room.close()
