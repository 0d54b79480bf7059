"""Notices around DynamoDB in memory, a mailer that remembers, a clock, and a death after any step."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from moto import mock_aws

from functions.notices.delivery import Delivery
from functions.notices.notifier import RESERVED_SECONDS, Notifier, NotifierRun
from functions.notices.outbox import Outbox
from functions.notices.recipients import Recipients
from functions.shared.accounts.announcements import Announcements
from functions.shared.accounts.mail import MailError
from functions.shared.accounts.notice_outbox import NoticeOutbox
from functions.shared.accounts.suppressions import Suppressions
from functions.shared.tenancy import TenantId
from infra.topology import table
from local import transactions
from local.tables import definition
from operate.notices import NoticeStores, NoticeTables, notice_stores

NOON = 1_800_000_000.0
API = "https://logs.example.org"
DOCS = "https://docs.example.org"
TABLES = ("accounts", "people", "notices", "announcements", "suppressions", "audit")
WRITES = ("PutItem", "UpdateItem", "TransactWriteItems", "DeleteItem")


class DiedError(BaseException):
    """The process was killed."""


@dataclass(frozen=True)
class Mail:
    to: str
    subject: str
    text: str
    headers: dict[str, str]
    tags: dict[str, str]


@dataclass
class Mailer:
    """Stands for SES; takes nothing for the addresses in `refused`. `then` happens after the next mail."""

    step: Callable[[], None]
    sent: list[Mail] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    down: bool = False
    then: Callable[[], None] | None = None

    def send(self, to: str, subject: str, text: str, headers: dict[str, str], tags: dict[str, str]) -> None:
        if self.down or to in self.refused:
            raise MailError("SES: Throttling")
        self.sent.append(Mail(to, subject, text, dict(headers), dict(tags)))
        then, self.then = self.then, None
        if then:
            then()
        self.step()


@dataclass
class World:
    """`steps_left`: of writes that took place and mails that were taken, until the process dies."""

    client: Any
    now: float = NOON
    steps_left: int | None = None

    def __post_init__(self) -> None:
        self.mailer = Mailer(self._step)
        self.notices = NoticeOutbox("notices", self.client, lambda: self.now)
        self.announcements = Announcements("announcements", self.client, lambda: self.now)
        self.suppressions = Suppressions("suppressions", self.client, lambda: self.now)
        self.recipients = Recipients("people", self.client)
        self.client.meta.events.register("after-call.dynamodb", self._after)

    def _after(self, model: Any, **_: Any) -> None:
        if model.name in WRITES:
            self._step()

    def _step(self) -> None:
        if self.steps_left is None:
            return
        self.steps_left -= 1
        if self.steps_left < 0:
            self.steps_left = None
            raise DiedError

    def empty(self) -> None:
        """As it was at noon, without people."""
        self.now, self.steps_left = NOON, None
        self.mailer.sent.clear()
        self.mailer.refused.clear()
        self.mailer.down, self.mailer.then = False, None
        for name in TABLES:
            spec = table(name)
            keys = [each for each in (spec.partition_key, spec.sort_key) if each]
            for item in self.scanned(name):
                self.client.delete_item(TableName=name, Key={key: item[key] for key in keys})

    def scanned(self, name: str) -> list[dict[str, Any]]:
        pages = self.client.get_paginator("scan").paginate(TableName=name)
        return [item for page in pages for item in page["Items"]]

    def account(self, name: str, *people: str, plan: str = "managed_30", opted_in: bool = False) -> TenantId:
        """An account with confirmed people of these names, `<name>@<account>.example`."""
        self.client.put_item(TableName="accounts", Item={"tenant_id": {"S": name}, "plan": {"S": plan}})
        if people:
            items = [{"PutRequest": {"Item": _person(name, each, opted_in)}} for each in people]
            self.client.batch_write_item(RequestItems={"people": items})
        return TenantId(name)

    def person(self, tenant: str, name: str, *, opted_in: bool = False, state: str = "confirmed") -> None:
        self.client.put_item(TableName="people", Item=_person(tenant, name, opted_in, state))

    def opt_out(self, subject: str) -> None:
        self.client.update_item(
            TableName="people",
            Key={"subject": {"S": subject}},
            UpdateExpression="SET marketing_opt_in = :no",
            ExpressionAttributeValues={":no": {"BOOL": False}},
        )

    def notifier(self) -> Notifier:
        outbox = Outbox("notices", self.client, lambda: self.now)
        delivery = Delivery(
            outbox,
            self.recipients,
            self.suppressions,
            self.announcements,
            self.mailer,  # type: ignore[arg-type]
            API,
            DOCS,
        )
        return Notifier(outbox, delivery)

    def run(self, seconds_left: Callable[[], float] = lambda: RESERVED_SECONDS + 1) -> NotifierRun:
        """What the notifier does in a minute."""
        return self.notifier().run(seconds_left)

    def operator(self) -> NoticeStores:
        names = NoticeTables("accounts", "people", "notices", "suppressions", "announcements")
        return notice_stores(names, self.client, lambda: self.now)

    def notice(self, tenant: str, notice_id: str) -> dict[str, Any]:
        key = {"tenant_id": {"S": tenant}, "notice": {"S": notice_id}}
        found = self.client.get_item(TableName="notices", Key=key).get("Item", {})
        return {name: next(iter(value.values())) for name, value in found.items()}

    def mails(self) -> Counter[str]:
        """How many mails each address got."""
        return Counter(mail.to for mail in self.mailer.sent)

    def to(self, tenant: str) -> list[str]:
        return [mail.to for mail in self.mailer.sent if mail.to.endswith(f"@{tenant}.example")]


def _person(tenant: str, name: str, opted_in: bool, state: str = "confirmed") -> dict[str, Any]:
    texts = {
        "subject": f"{name}-{tenant}",
        "tenant_id": tenant,
        "email": f"{name}@{tenant}.example",
        "state": state,
    }
    return {**{key: {"S": value} for key, value in texts.items()}, "marketing_opt_in": {"BOOL": opted_in}}


@contextmanager
def world() -> Iterator[World]:
    """One world, to be emptied between tests."""
    transactions.install()
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        for name in TABLES:
            client.create_table(**definition(table(name), name))
        yield World(client)
