"""Each recipient is mailed and no other person, and a run that dies repeats one mail at the most."""

import json
from typing import Any

import pytest

from functions.notices import notifier
from functions.notices.notice import DueNotice
from functions.notices.notifier import MAX_TRIES, MOST_FAILURES
from functions.notices.outbox import LEASE_SECONDS, backoff_seconds
from functions.shared.accounts.mail import MailError
from functions.shared.tenancy import TenantId
from tests.unit.notices.world import DiedError, World

ACME_READERS = ["amy@acme.example", "zoe@acme.example"]


@pytest.fixture
def acme(here: World) -> TenantId:
    tenant = here.account("acme", "amy", "zoe")
    here.person("acme", "new", state="unconfirmed")
    return tenant


@pytest.fixture
def globex(here: World) -> TenantId:
    return here.account("globex", "bob")


def failing(here: World, tenant: TenantId, notice_id: str = "payment-1") -> None:
    here.notices.put(tenant, notice_id, "payment_failed", "A payment failed", "Update the card.")


@pytest.mark.usefixtures("globex")
def test_a_notice_reaches_the_accounts_people_and_its_dashboard_once(here: World, acme: TenantId) -> None:
    failing(here, acme)
    run = here.run()
    assert (run.settled, run.mailed) == (1, 2)
    assert sorted(mail.to for mail in here.mailer.sent) == ACME_READERS
    mail = here.mailer.sent[0]
    assert (mail.subject, mail.headers) == ("A payment failed", {})
    assert (
        mail.text
        == "Update the card.\n\n-- \nThis email concerns your AstraLog account acme. It is not advertising.\n"
    )
    assert mail.tags == {"tenant": "acme", "person": "amy-acme"}
    assert [(each["id"], each["kind"]) for each in here.announcements.list(acme)] == [
        ("payment-1", "payment_failed")
    ]
    assert here.announcements.list(TenantId("globex")) == []
    failing(here, acme)
    assert here.run().settled == 0
    assert len(here.mailer.sent) == 2


def test_two_accounts_notices_of_one_id_are_two(here: World, acme: TenantId, globex: TenantId) -> None:
    for tenant in (acme, globex):
        here.notices.put(tenant, "trial-ends", "trial", f"To {tenant}", "Text", announce=False)
    here.run()
    assert {(mail.to.split("@")[1], mail.subject) for mail in here.mailer.sent} == {
        ("acme.example", "To acme"),
        ("globex.example", "To globex"),
    }
    assert here.announcements.list(acme) == here.announcements.list(globex) == []


def test_what_concerns_one_account_goes_before_what_goes_to_many(
    here: World, acme: TenantId, globex: TenantId
) -> None:
    here.notices.put(acme, "c-1", "policy", "Policy", "Text", campaign="c-1")
    here.now += 60
    failing(here, globex)
    here.run()
    assert [mail.subject for mail in here.mailer.sent] == ["A payment failed", "Policy", "Policy"]


def test_an_outage_is_mailed_before_a_campaign_to_many(here: World, acme: TenantId, globex: TenantId) -> None:
    """A campaign to a hundred thousand takes hours; an outage mailed in the midst of it is over by then."""
    for tenant in (acme, globex):
        here.notices.put(tenant, "c-1", "policy", "Policy", "Text", campaign="c-1")
    here.now += 60
    here.notices.put(acme, "c-2", "downtime", "Down", "Text", campaign="c-2")
    failing(here, globex)
    here.run()
    subjects = [mail.subject for mail in here.mailer.sent]
    assert subjects == ["A payment failed", "Down", "Down", "Policy", "Policy", "Policy"]


def test_an_abandoned_outage_notice_that_is_queued_again_is_urgent_again(here: World, acme: TenantId) -> None:
    here.notices.put(acme, "c-2", "downtime", "Down", "Text", campaign="c-2")
    outbox = here.operator().outbox
    (due,) = outbox.due()
    taken = outbox.acquire(due)
    assert taken
    outbox.abandon(taken)
    assert outbox.requeue(DueNotice(acme, "c-2", "given_up", ""))
    assert here.notice(acme, "c-2")["due"] == due.state == "urgent"


def test_an_address_that_bounced_is_not_mailed_and_the_dashboard_has_the_notice(
    here: World, acme: TenantId
) -> None:
    here.suppressions.add("Zoe@acme.example", "bounce")
    failing(here, acme)
    run = here.run()
    assert (run.settled, run.suppressed) == (1, 1)
    assert here.to(acme) == ["amy@acme.example"]
    assert len(here.announcements.list(acme)) == 1


def test_a_suppressed_address_is_mailed_again_when_it_is_lifted_or_forgotten(
    here: World, acme: TenantId, globex: TenantId
) -> None:
    for address in ("amy@acme.example", "zoe@acme.example", "bob@globex.example"):
        here.suppressions.add(address, "complaint")
    here.suppressions.lift("amy@acme.example")
    failing(here, acme)
    here.run()
    assert here.to(acme) == ["amy@acme.example"]
    here.now += 365 * 86_400
    failing(here, globex)
    here.run()
    assert here.to(globex) == ["bob@globex.example"]


def test_an_account_without_people_has_a_dashboard_only(here: World) -> None:
    machines = here.account("machines")
    failing(here, machines)
    assert here.run().settled == 1
    assert here.mailer.sent == []
    assert len(here.announcements.list(machines)) == 1


def test_what_ses_does_not_take_is_tried_again_for_those_it_did_not_take(
    here: World, acme: TenantId, globex: TenantId
) -> None:
    here.mailer.refused = {"amy@acme.example"}
    failing(here, acme)
    failing(here, globex)
    run = here.run()
    assert (run.settled, run.postponed) == (1, 1)
    assert here.to(globex) == ["bob@globex.example"]
    assert here.to(acme) == ["zoe@acme.example"]
    here.mailer.refused = set()
    here.now += 59
    assert here.run().settled == 0, "a minute is not over"
    here.now += 1
    assert here.run().settled == 1
    assert sorted(here.to(acme)) == ACME_READERS


def test_pauses_grow_to_an_hour() -> None:
    assert [backoff_seconds(tries) for tries in (1, 2, 3, 6, 7, 8, MAX_TRIES)] == [
        60, 120, 240, 1920, 3600, 3600, 3600,
    ]  # fmt: skip
    assert sum(map(backoff_seconds, range(1, MAX_TRIES))) > 86_400


def test_a_notice_is_abandoned_after_a_day_reported_and_can_be_queued_again(
    here: World, acme: TenantId, capsys: pytest.CaptureFixture[str]
) -> None:
    here.mailer.refused = {"amy@acme.example"}
    failing(here, acme)
    for tries in range(1, MAX_TRIES):
        assert here.run().most_tries == tries
        here.now += backoff_seconds(tries)
    run = here.run()
    assert (run.abandoned, run.postponed) == (1, 0)
    (line,) = capsys.readouterr().out.splitlines()
    reported = json.loads(line)
    assert (reported["event"], reported["tenant_id"], reported["notice"]) == (
        "notice_abandoned",
        "acme",
        "payment-1",
    )
    assert "@" not in line
    here.now += 86_400
    assert here.run() == type(run)(), "it is not tried again"
    assert here.to(acme) == ["zoe@acme.example"]

    outbox = here.operator().outbox
    (abandoned,) = outbox.abandoned()
    here.mailer.refused = set()
    assert outbox.requeue(abandoned)
    assert not outbox.requeue(abandoned)
    assert here.run().settled == 1
    assert sorted(here.to(acme)) == ACME_READERS


def test_when_ses_takes_nothing_the_run_ends_and_nobodys_tries_are_used_up(here: World) -> None:
    tenants = [here.account(f"tenant-{number}", "ann") for number in range(10)]
    for tenant in tenants:
        failing(here, tenant)
    here.mailer.down = True
    assert here.run().postponed == MOST_FAILURES
    untried = [tenant for tenant in tenants if "tries" not in here.notice(tenant, "payment-1")]
    assert len(untried) == 10 - MOST_FAILURES
    here.mailer.down = False
    here.now += 60
    assert here.run().settled == 10


def test_however_many_of_one_accounts_mails_fail_another_is_mailed_in_the_same_run(
    here: World, acme: TenantId, globex: TenantId
) -> None:
    for number in range(MOST_FAILURES * 3):
        failing(here, acme, f"payment-{number}")
    here.now += 1
    failing(here, globex)
    here.mailer.refused = set(ACME_READERS)
    run = here.run()
    assert (run.settled, run.postponed) == (1, MOST_FAILURES * 3)
    assert here.to(globex) == ["bob@globex.example"]


def test_no_notice_is_begun_when_time_runs_out(here: World, acme: TenantId, globex: TenantId) -> None:
    failing(here, acme)
    failing(here, globex)
    left = iter([40.0, 20.0])
    assert here.run(lambda: next(left)).settled == 1
    assert here.run().settled == 1


def test_two_runs_at_once_mail_each_recipient_once(here: World, acme: TenantId, globex: TenantId) -> None:
    failing(here, acme)
    failing(here, globex)
    here.mailer.then = lambda: [here.run(), None][1]
    here.run()
    assert sorted(here.mails().values()) == [1, 1, 1]


def test_of_two_who_saw_it_due_one_takes_it(here: World, acme: TenantId) -> None:
    """The index lags: the second may still get it."""
    failing(here, acme)
    outbox = here.operator().outbox
    (due,) = outbox.due()
    assert outbox.acquire(due)
    assert outbox.acquire(due) is None
    assert outbox.due() == []


def test_a_person_of_another_account_is_not_mailed_whatever_the_index_says(
    here: World, acme: TenantId, globex: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(here, acme)
    monkeypatch.setattr(here.recipients, "subjects", lambda _tenant: ["amy-acme", "bob-globex", "nobody"])
    run = here.run()
    assert (run.settled, run.mailed) == (1, 1)
    assert here.to(globex) == []


def test_who_outlives_their_turn_sends_nothing_more(here: World, acme: TenantId) -> None:
    """A process that was frozen in the middle wakes up when another has done its work."""
    failing(here, acme)

    def freeze() -> None:
        here.now += LEASE_SECONDS + 1
        here.run()

    here.mailer.then = freeze
    here.run()
    assert here.mails() == {"amy@acme.example": 2, "zoe@acme.example": 1}
    assert here.notice(acme, "payment-1")["due"] == "settled"


def test_whatever_step_a_run_dies_at_each_recipient_is_recorded_once_and_one_mail_repeated_at_most(
    here: World,
) -> None:
    people = {"acme": ("amy", "zoe"), "globex": ("bob",)}
    repeats: list[int] = []
    for steps in range(40):
        here.empty()
        for name, persons in people.items():
            failing(here, here.account(name, *persons))
        here.steps_left = steps
        try:
            here.run()
        except DiedError:
            here.now += LEASE_SECONDS + 1
            here.run()
        else:
            break
        assert {*here.mails().values()} <= {1, 2}
        repeats.append(sum(here.mails().values()) - 3)
        for name, persons in people.items():
            reported = here.notice(name, "payment-1")
            assert (reported["due"], sorted(reported["mailed"])) == (
                "settled",
                [f"{each}-{name}" for each in persons],
            )
            assert len(here.announcements.list(TenantId(name))) == 1
    assert len(repeats) == 2 * 3 + 3 * 2, "take, announce and settle each notice; mail and note each person"
    assert set(repeats) == {0, 1}


def test_an_account_that_is_erased_meanwhile_is_not_brought_back(here: World, acme: TenantId) -> None:
    failing(here, acme)

    def erase() -> None:
        key = {"tenant_id": {"S": acme}, "notice": {"S": "payment-1"}}
        here.client.delete_item(TableName="notices", Key=key)

    here.mailer.then = erase
    here.run()
    assert here.scanned("notices") == []
    assert len(here.mailer.sent) == 1


def test_an_account_that_is_erased_during_the_last_try_keeps_no_other_waiting(
    here: World, acme: TenantId, globex: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier, "MAX_TRIES", 1)
    failing(here, acme)
    here.now += 1
    failing(here, globex)
    send = here.mailer.send

    def erase(to: str, *more: Any) -> None:
        if to.endswith("@acme.example"):
            key = {"tenant_id": {"S": acme}, "notice": {"S": "payment-1"}}
            here.client.delete_item(TableName="notices", Key=key)
            raise MailError("SES: Throttling")
        send(to, *more)

    monkeypatch.setattr(here.mailer, "send", erase)
    run = here.run()
    assert (run.settled, run.abandoned) == (1, 0)
    assert here.to(globex) == ["bob@globex.example"]


def test_the_handler_measures_what_its_alarms_look_at(
    here: World, acme: TenantId, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 120_000

    monkeypatch.setattr(notifier, "_notifier", here.notifier)
    here.mailer.refused = {"amy@acme.example"}
    failing(here, acme)
    answer = notifier.handler({}, Context())
    assert answer == {"settled": 0, "mailed": 0, "postponed": 1, "abandoned": 0}
    measured: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (measured["Function"], measured["NoticesAbandoned"], measured["MostTries"]) == ("notifier", 0, 1)
