"""An outage is notified once, and its end; a run that dies half-way is repeated with the same notice."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.destinations.watch import _CAUSES, WELL_SECONDS, OutageWatch
from functions.shared.accounts.notice_outbox import NoticeOutbox
from functions.shared.byoc.destination import DestinationSummary
from functions.shared.byoc.health import OUTAGE_SECONDS, HealthStore, Slot
from functions.shared.tenancy import TenantId, own_destination
from functions.sync import faults
from infra import topology
from local.tables import definition
from tests.aws_environment import set_aws_environment

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
HOSTS = {ACME: "ch.acme.example", GLOBEX: "ch.globex.example"}


class Destinations:
    def tenants(self) -> Iterator[TenantId]:
        return iter(HOSTS)

    def summary(self, tenant: TenantId) -> DestinationSummary | None:
        return DestinationSummary(
            tenant, 1, f"{tenant}-logs", "us-east-1", None, "", HOSTS[tenant], 8443, True, "logs",
            "exactly_once", 30, 0,
        )  # fmt: skip


@dataclass
class World:
    now: float = 1_800_000_000.0

    def __post_init__(self) -> None:
        self.dynamodb: Any = boto3.client("dynamodb", region_name="us-east-1")
        for name in ("health", "notices"):
            self.dynamodb.create_table(**definition(topology.table(name), name))
        self.health = HealthStore("health", lambda: self.now, self.dynamodb)

    def run(self, notices: str = "notices") -> dict[str, int]:
        outbox = NoticeOutbox(notices, self.dynamodb, lambda: self.now)
        return OutageWatch(Destinations(), self.health, outbox).run(self.now)  # type: ignore[arg-type]

    def attempt(self, tenant: TenantId, reason: str | None) -> None:
        """A process works on the destination, and fails for `reason`."""
        self.now = max(self.now, self.health.of(own_destination(tenant)).resume_at)
        slot = self.health.take(own_destination(tenant), "somebody", 10)
        assert isinstance(slot, Slot)
        if reason:
            self.health.record_failure(slot, reason)
        else:
            self.health.record_success(slot)

    def notices_of(self, tenant: TenantId) -> list[dict[str, str]]:
        """The notices of `tenant`, in the order they became due in."""
        items = self.dynamodb.scan(TableName="notices")["Items"]
        notices = [{name: next(iter(value.values())) for name, value in item.items()} for item in items]
        return sorted(
            (each for each in notices if each["tenant_id"] == tenant), key=lambda each: each["due_at"]
        )


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    set_aws_environment(monkeypatch)
    with mock_aws():
        yield World()


def outage(here: World) -> None:
    here.attempt(ACME, "unreachable")
    here.now += OUTAGE_SECONDS


def test_an_outage_and_its_end_are_notified_once_to_their_account(here: World) -> None:
    here.attempt(ACME, "unreachable")
    here.now += OUTAGE_SECONDS - 1
    assert here.run()["outage"] == 0, "five minutes are not over"
    here.now += 1
    assert here.run()["outage"] == 1
    assert here.run()["outage"] == 0
    (notice,) = here.notices_of(ACME)
    assert (notice["kind"], notice["due"], notice["announce"]) == ("destination_outage", "critical", True)
    assert notice["title"] == "Your destination does not accept logs"
    since = "ch.acme.example has not accepted logs since 2027-01-15 08:00 UTC: the server is unreachable"
    assert since in notice["text"]
    assert "wait in your bucket acme-logs" in notice["text"]

    here.attempt(ACME, None)
    assert here.run()["recovered"] == 0, "it may come and go"
    here.now += WELL_SECONDS
    assert here.run()["recovered"] == 1
    assert here.run()["recovered"] == 0
    assert [each["kind"] for each in here.notices_of(ACME)] == ["destination_outage", "destination_recovered"]
    assert here.notices_of(GLOBEX) == []


def test_the_next_outage_is_notified_again(here: World) -> None:
    outage(here)
    here.run()
    here.attempt(ACME, None)
    here.now += WELL_SECONDS
    here.run()
    outage(here)
    assert here.run()["outage"] == 1
    assert len(here.notices_of(ACME)) == 3


def test_one_that_comes_and_goes_is_one_outage(here: World) -> None:
    outage(here)
    here.run()
    for _ in range(5):
        here.attempt(ACME, None)
        here.now += WELL_SECONDS - 10
        here.run()
        outage(here)
        here.run()
    assert len(here.notices_of(ACME)) == 1


class DiedError(BaseException):
    pass


def test_runs_at_once_and_after_one_that_died_write_the_same_notice(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any) -> None:
        raise DiedError

    outage(here)
    with monkeypatch.context() as patch:
        patch.setattr(HealthStore, "record_notified", die)
        with pytest.raises(DiedError):
            here.run()
    assert len(here.notices_of(ACME)) == 1
    here.now += 60
    assert here.run()["outage"] == 1
    assert len(here.notices_of(ACME)) == 1
    assert here.run()["outage"] == 0


def test_a_notice_of_another_run_is_not_undone(here: World) -> None:
    """One that looked before, and is late, must not mark a recovered destination as not notified."""
    outage(here)
    before = here.health.of(own_destination(ACME))
    here.run()
    here.attempt(ACME, None)
    here.now += WELL_SECONDS
    stale = here.health.of(own_destination(ACME))
    here.run()
    here.health.record_notified(stale)
    here.health.record_notified(before)
    assert here.run() == {"outage": 0, "recovered": 1, "failing": 0, "not_notified": 0}, (
        "notified once more, the same"
    )
    assert len(here.notices_of(ACME)) == 2


def test_a_failed_notice_is_sent_by_a_later_run_and_delays_no_other(here: World) -> None:
    here.attempt(GLOBEX, "refused_credentials")
    outage(here)
    assert here.run("no-such-table") == {"outage": 0, "recovered": 0, "failing": 2, "not_notified": 2}
    assert here.run() == {"outage": 2, "recovered": 0, "failing": 2, "not_notified": 0}
    assert [len(here.notices_of(tenant)) for tenant in (ACME, GLOBEX)] == [1, 1]


def test_in_the_time_there_is_it_is_not_always_the_same_ones_that_are_looked_at(here: World) -> None:
    looked_at: set[TenantId] = set()
    outage(here)
    here.attempt(GLOBEX, "unreachable")
    here.now += OUTAGE_SECONDS
    for _ in range(40):
        times = iter([True, False])
        outbox = NoticeOutbox("notices", here.dynamodb, lambda: here.now)
        watch = OutageWatch(Destinations(), here.health, outbox)  # type: ignore[arg-type]
        watch.run(here.now, lambda times=times: next(times))
        looked_at = {tenant for tenant in (ACME, GLOBEX) if here.notices_of(tenant)}
        if len(looked_at) == 2:
            break
    assert looked_at == {ACME, GLOBEX}


def test_every_reason_of_a_failing_destination_has_its_own_sentence() -> None:
    reasons = {
        text for name, text in vars(faults).items() if name.isupper() and name[0] != "_" and type(text) is str
    }
    assert reasons - set(_CAUSES) == {faults.REFUSED, faults.NO_DESTINATION}
