"""An outage is told once, and its end; whoever dies half-way is made up for, by one mail too many at most."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.destinations.watch import TELLING_SECONDS, WELL_SECONDS, Watch
from functions.shared.account.addressees import Addressees
from functions.shared.account.announcements import Announcements
from functions.shared.account.mail import MailError
from functions.shared.custody.destination import Summary
from functions.shared.custody.health import OUTAGE_SECONDS, Health, Slot
from functions.shared.tenancy import TenantId, own_destination

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
HOSTS = {ACME: "ch.acme.example", GLOBEX: "ch.globex.example"}


class Destinations:
    def tenants(self) -> Iterator[TenantId]:
        return iter(HOSTS)

    def summary(self, tenant: TenantId) -> Summary | None:
        return Summary(
            tenant, 1, f"{tenant}-logs", "us-east-1", None, "", HOSTS[tenant], 8443, True, "logs",
            "exactly_once", 30, 0,
        )  # fmt: skip


@dataclass
class Mailer:
    """Remembers; fails for addresses in `refused`; does `then` after each mail."""

    sent: list[tuple[str, str, str]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    then: Any = None

    def send(self, to: str, subject: str, text: str) -> None:
        if to in self.refused:
            raise MailError("SES: Throttling")
        self.sent.append((to, subject, text))
        if self.then:
            self.then()


@dataclass
class World:
    now: float = 1_800_000_000.0
    mailer: Mailer = field(default_factory=Mailer)

    def __post_init__(self) -> None:
        self.dynamodb: Any = boto3.client("dynamodb", region_name="us-east-1")
        for name, keys in {
            "health": ["destination"],
            "people": ["subject"],
            "announcements": ["tenant_id", "announcement"],
        }.items():
            self.dynamodb.create_table(
                TableName=name,
                KeySchema=[
                    {"AttributeName": key, "KeyType": kind}
                    for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
                ],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
                BillingMode="PAY_PER_REQUEST",
            )
        people = [
            ("s1", ACME, "zoe@acme.example", "confirmed"),
            ("s2", ACME, "amy@acme.example", "confirmed"),
            ("s3", ACME, "new@acme.example", "unconfirmed"),
            ("s4", GLOBEX, "bob@globex.example", "confirmed"),
        ]
        for subject, tenant, email, state in people:
            item = {"subject": subject, "tenant_id": str(tenant), "email": email, "state": state}
            self.dynamodb.put_item(
                TableName="people", Item={name: {"S": value} for name, value in item.items()}
            )
        self.health = Health("health", lambda: self.now, self.dynamodb)
        self.announcements = Announcements("announcements", self.dynamodb, lambda: self.now)

    def watch(self, mailer: Any = None) -> Watch:
        return Watch(
            Destinations(),  # type: ignore[arg-type]
            self.health,
            self.announcements,
            Addressees("people", self.dynamodb),
            mailer or self.mailer,
        )

    def run(self) -> dict[str, int]:
        return self.watch().run(self.now)

    def attempt(self, tenant: TenantId, reason: str | None) -> None:
        """Somebody works on the destination, and fails for `reason`."""
        self.now = max(self.now, self.health.of(own_destination(tenant)).resume_at)
        slot = self.health.take(own_destination(tenant), "somebody", 10)
        assert isinstance(slot, Slot)
        if reason:
            self.health.failed(slot, reason)
        else:
            self.health.well(slot)

    def to(self, tenant: TenantId) -> list[str]:
        return [to for to, _, _ in self.mailer.sent if to.endswith(f"{tenant}.example")]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "tests")
    with mock_aws():
        yield World()


def outage(here: World) -> None:
    here.attempt(ACME, "unreachable")
    here.now += OUTAGE_SECONDS


def test_an_outage_is_told_once_to_the_accounts_people_and_so_is_its_end(here: World) -> None:
    here.attempt(ACME, "unreachable")
    here.now += OUTAGE_SECONDS - 1
    assert here.run()["outage"] == 0, "five minutes are not over"
    here.now += 1
    assert here.run()["outage"] == 1
    assert here.run()["outage"] == 0
    assert here.to(ACME) == ["amy@acme.example", "zoe@acme.example"]
    _, title, text = here.mailer.sent[0]
    assert title == "Your own cloud does not take logs"
    assert "ch.acme.example has not taken logs since 2027-01-15 08:00 UTC: nothing answers there" in text
    assert "wait in your bucket acme-logs" in text

    here.attempt(ACME, None)
    assert here.run()["mended"] == 0, "it may come and go"
    here.now += WELL_SECONDS
    assert here.run()["mended"] == 1
    assert here.run()["mended"] == 0
    assert len(here.to(ACME)) == 4
    assert here.to(GLOBEX) == []
    kinds = [each["kind"] for each in here.announcements.list(ACME)]
    assert sorted(kinds) == ["destination_mended", "destination_outage"]
    assert here.announcements.list(GLOBEX) == []


def test_the_next_outage_is_told_of_again(here: World) -> None:
    outage(here)
    here.run()
    here.attempt(ACME, None)
    here.now += WELL_SECONDS
    here.run()
    outage(here)
    assert here.run()["outage"] == 1
    assert len(here.announcements.list(ACME)) == 3


def test_one_that_comes_and_goes_is_one_outage(here: World) -> None:
    outage(here)
    here.run()
    for _ in range(5):
        here.attempt(ACME, None)
        here.now += WELL_SECONDS - 10
        here.run()
        outage(here)
        here.run()
    assert len(here.to(ACME)) == 2


def test_two_runs_at_once_tell_once(here: World) -> None:
    outage(here)
    other = Mailer()
    here.mailer.then = lambda: here.watch(other).run(here.now)
    here.run()
    assert len(here.mailer.sent) == 2
    assert other.sent == []


class Died(BaseException):
    pass


def test_a_run_that_dies_between_a_mail_and_its_note_is_made_up_for(here: World) -> None:
    """The window: the first address is mailed again; the other, and the announcement, come once."""
    outage(here)

    def die() -> None:
        raise Died

    here.mailer.then = die
    with pytest.raises(Died):
        here.run()
    here.mailer.then = None
    assert here.run()["outage"] == 0, "the first may be at it still"
    here.now += TELLING_SECONDS + 1
    assert here.run()["outage"] == 1
    assert here.to(ACME) == ["amy@acme.example", "amy@acme.example", "zoe@acme.example"]
    assert len(here.announcements.list(ACME)) == 1


def test_what_ses_does_not_take_is_told_by_a_later_run_and_keeps_nobody_else_untold(here: World) -> None:
    here.mailer.refused = {"amy@acme.example"}
    here.attempt(GLOBEX, "refused_credentials")
    outage(here)
    assert here.run() == {"outage": 1, "mended": 0, "failing": 2, "untold": 1}
    assert here.to(GLOBEX) == ["bob@globex.example"]
    here.mailer.refused = set()
    here.now += TELLING_SECONDS + 1
    here.run()
    assert here.to(ACME) == ["amy@acme.example", "zoe@acme.example"]
