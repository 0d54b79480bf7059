"""The operator's command: a preview before anything is sent, no account twice however often it is killed."""

import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from functions.notices.campaigns import DRAFT_DAYS
from functions.notices.notifier import MAX_TRIES
from functions.notices.outbox import LEASE_SECONDS, backoff_seconds
from functions.privacy.erasure.account_marks import AccountMarks
from functions.shared.tenancy import TenantId
from operate import notices as command
from tests.operating import operate
from tests.unit.notices.world import DiedError, World

Output = pytest.CaptureFixture[str]


@pytest.fixture
def text(tmp_path: Path) -> Path:
    file = tmp_path / "text.txt"
    file.write_text("The terms change.\n")
    return file


class Console:
    """Runs the command and reads what it says."""

    def __init__(self, here: World, capsys: Output) -> None:
        self._here = here
        self._capsys = capsys

    def run(self, *arguments: str) -> tuple[int, str, str]:
        code = operate(*arguments, client=self._here.client, clock=lambda: self._here.now)
        output = self._capsys.readouterr()
        return code, output.out, output.err

    def reported(self, *arguments: str) -> dict[str, Any]:
        code, out, err = self.run(*arguments, "--json")
        assert code == 0, err
        found: dict[str, Any] = json.loads(out.splitlines()[-1])
        return found

    def draft(self, text: Path, kind: str = "service", *more: str) -> str:
        drafted = self.reported(
            "send-notice", "--kind", kind, "--title", "New terms", "--text-file", str(text), *more
        )
        return str(drafted["campaign"])

    def send(self, campaign: str) -> None:
        assert self.reported("send-notice", "--yes", "--send", campaign)["campaign"] == campaign

    def status(self, campaign: str) -> dict[str, Any]:
        return self.reported("notice-status", campaign)


@pytest.fixture
def console(here: World, capsys: Output) -> Console:
    return Console(here, capsys)


@pytest.fixture
def tenants(here: World) -> None:
    here.account("acme", "amy", "zoe", opted_in=True)
    here.account("globex", "bob", plan="byoc")
    here.account("machines")
    here.person("globex", "new", state="unconfirmed")


@pytest.mark.usefixtures("tenants")
def test_a_dry_run_shows_whom_it_would_reach_and_sends_nothing(
    here: World, console: Console, text: Path
) -> None:
    here.suppressions.add("zoe@acme.example", "bounce")
    arguments = ["send-notice", "--kind", "marketing", "--title", "Offer", "--text-file", str(text)]
    figures = {"accounts": 3, "people": 3, "mailed": 1, "suppressed": 1, "opted_out": 1}
    reported = console.reported(*arguments)
    assert {name: reported[name] for name in figures} == figures
    assert (reported["sent"], reported["sample"]) == (False, ["a…@acme.example"])
    code, out, _ = console.run(*arguments)
    assert code == 0
    assert "nothing was sent" in out
    assert "Subject: Offer\nList-Unsubscribe: <https://…/v1/unsubscribe/…>" in out
    assert "amy@" not in out
    here.run()
    assert here.mailer.sent == []
    assert {item["tenant_id"]["S"] for item in here.scanned("notices")} == {"*"}


@pytest.mark.usefixtures("tenants")
def test_a_change_of_policy_is_mailed_to_all_and_announced_with_its_day(
    here: World, console: Console, text: Path
) -> None:
    campaign = console.draft(text, "policy", "--effective-on", "2027-03-01")
    console.send(campaign)
    assert not console.status(campaign)["done"]
    here.run()
    assert here.mails() == {"amy@acme.example": 1, "zoe@acme.example": 1, "bob@globex.example": 1}
    assert "The terms change.\n\nEffective on 2027-03-01.\n" in here.mailer.sent[0].text
    for tenant in ("acme", "machines", "signs-up-later"):
        (shown,) = here.announcements.list(TenantId(tenant))
        assert (shown["id"], shown["kind"], shown["effective_on"]) == (campaign, "policy", "2027-03-01")
    status = console.status(campaign)
    assert {name: status[name] for name in ("done", "accounts", "settled", "mailed")} == {
        "done": True, "accounts": 3, "settled": 3, "mailed": 3,
    }  # fmt: skip


@pytest.mark.usefixtures("tenants")
@pytest.mark.parametrize(("audience", "reached"), [("plan=byoc", "globex"), ("tenant=acme", "acme")])
def test_some_accounts_alone_are_notified(
    here: World, console: Console, text: Path, audience: str, reached: str
) -> None:
    console.send(console.draft(text, "downtime", "--to", audience))
    here.run()
    assert {mail.to.split("@")[1] for mail in here.mailer.sent} == {f"{reached}.example"}
    shown = {name: len(here.announcements.list(TenantId(name))) for name in ("acme", "globex", "machines")}
    assert shown == {name: int(name == reached) for name in shown}


@pytest.mark.usefixtures("tenants")
def test_an_account_that_is_being_erased_gets_no_notice(here: World, console: Console, text: Path) -> None:
    """What were written for it now would outlive it."""
    AccountMarks("accounts", here.client).close(TenantId("acme"))
    campaign = console.draft(text)
    console.send(campaign)
    here.run()
    assert here.mails() == {"bob@globex.example": 1}
    assert here.notice("acme", campaign) == {}
    assert console.status(campaign)["done"]


@pytest.mark.usefixtures("tenants")
def test_who_opts_out_after_the_dry_run_gets_no_marketing_and_yet_what_is_critical(
    here: World, console: Console, text: Path
) -> None:
    campaign = console.draft(text, "marketing")
    here.opt_out("amy-acme")
    console.send(campaign)
    here.opt_out("zoe-acme")
    here.run()
    assert here.mailer.sent == []
    assert console.status(campaign)["opted_out"] == 3
    console.send(console.draft(text, "downtime", "--to", "tenant=acme"))
    here.run()
    assert sorted(here.to("acme")) == ["amy@acme.example", "zoe@acme.example"]


@pytest.mark.usefixtures("tenants")
def test_what_was_sent_is_not_sent_again(here: World, console: Console, text: Path) -> None:
    campaign = console.draft(text)
    console.send(campaign)
    code, _, err = console.run("send-notice", "--yes", "--send", campaign)
    assert (code, err) == (1, f"{campaign} was sent already: see its status\n")
    here.run()
    assert len(here.mailer.sent) == 3


@pytest.mark.usefixtures("tenants")
def test_a_draft_without_a_preview_within_a_week_is_not_sent(
    here: World, console: Console, text: Path
) -> None:
    campaign = console.draft(text)
    here.now += DRAFT_DAYS * 86_400 + 1
    code, _, err = console.run("send-notice", "--yes", "--send", campaign)
    assert code == 1
    assert "draft it again" in err


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (["--to", "plan=gold"], "plan=<trial|"),
        (["--to", "tenant=Not An Id"], "tenant id"),
        (["--to", "everyone"], "the audience must be all"),
        (["--kind", "policy"], "--effective-on"),
        (["--effective-on", "2020-01-01"], "today or later"),
        (["--title", "two\nlines"], "a line"),
        (["--title", "x" * 151], "150"),
        (["--text-file", "/does/not/exist"], "cannot be read"),
    ],
)
def test_what_is_not_fit_to_be_sent_is_said_and_not_drafted(
    here: World, console: Console, text: Path, changed: list[str], said: str
) -> None:
    code, _, err = console.run(
        "send-notice", "--kind", "service", "--title", "T", "--text-file", str(text), *changed
    )
    assert code == 1
    assert said in err
    assert here.scanned("notices") == []


def test_a_text_is_not_empty(console: Console, tmp_path: Path) -> None:
    file = tmp_path / "empty.txt"
    file.write_text(" \n")
    code, _, err = console.run("send-notice", "--kind", "service", "--title", "T", "--text-file", str(file))
    assert (code, "not be empty" in err) == (1, True)


def test_an_unknown_campaign_is_not_found(console: Console) -> None:
    for arguments in (["notice-status", "c-1"], ["send-notice", "--yes", "--send", "c-1"]):
        assert console.run(*arguments)[::2] == (1, "there is no campaign c-1\n")


def test_a_draft_needs_all_of_its_parts(here: World, console: Console) -> None:
    code, _, err = console.run("send-notice", "--kind", "service")
    assert (code, "--title" in err) == (1, True)
    assert here.scanned("notices") == []


@pytest.mark.usefixtures("tenants")
def test_nothing_is_sent_without_a_confirmation(here: World, console: Console, text: Path) -> None:
    code, _, err = console.run("send-notice", "--send", console.draft(text))
    here.run()
    assert (code, "--yes" in err) == (1, True)
    assert here.mailer.sent == []


@pytest.mark.usefixtures("tenants")
def test_abandoned_notices_are_listed_and_queued_again(here: World, console: Console, text: Path) -> None:
    campaign = console.draft(text, "service", "--to", "tenant=globex")
    console.send(campaign)
    here.mailer.down = True
    for tries in range(1, MAX_TRIES + 1):
        here.run()
        here.now += backoff_seconds(tries)
    assert console.status(campaign)["abandoned"] == 1
    listed = console.reported("abandoned-notices")
    assert (listed["tenant"], listed["notice"]) == ("globex", campaign)
    here.mailer.down = False
    console.run("abandoned-notices", "--retry")
    here.run()
    status = console.status(campaign)
    assert (status["abandoned"], status["settled"], status["mailed"]) == (0, 1, 1)
    assert console.run("abandoned-notices")[1] == ""


@pytest.mark.usefixtures("tenants")
def test_a_suppressed_address_is_lifted(here: World, console: Console) -> None:
    here.suppressions.add("bob@globex.example", "bounce")
    assert console.run("lift-suppression", "Bob@globex.example")[0] == 0
    assert not here.suppressions.holds("bob@globex.example")


@pytest.mark.usefixtures("tenants")
def test_all_campaigns_are_listed_newest_first(here: World, console: Console, text: Path) -> None:
    first = console.draft(text)
    here.now += 86_400
    second = console.draft(text)
    lines = console.run("notice-status")[1].splitlines()
    assert [line.split()[0] for line in lines] == [second, first]
    assert "drafted" in lines[0]


@pytest.mark.usefixtures("tenants")
def test_progress_is_shown_while_it_is_queued_and_while_it_is_sent(
    here: World, console: Console, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = console.draft(text)
    monkeypatch.setattr(command, "PROGRESS_EVERY", 2)
    # Not `time.sleep` itself: threads of other tests sleep, too, and would run the notifier beside this one.
    monkeypatch.setattr(command, "time", SimpleNamespace(time=time.time, sleep=lambda _seconds: here.run()))
    _, out, err = console.run("send-notice", "--yes", "--send", campaign)
    assert err.splitlines() == ["2 accounts so far"]
    assert out.splitlines()[0] == "3 accounts: mails go out within minutes."
    lines = console.run("notice-status", campaign, "--follow")[1].splitlines()
    assert [line.split(":")[0].split()[-1] for line in lines] == ["queued", "done"]
    assert "3 of 3 accounts notified; 3 people mailed" in lines[-1]


def test_killed_after_every_step_and_resumed_it_notifies_each_account_once(
    here: World, console: Console, text: Path
) -> None:
    """The command's steps; the notifier's are in test_notifier."""
    died = 0
    for steps in range(20):
        here.empty()
        for name in ("acme", "globex"):
            here.account(name, "amy", "zoe")
        campaign = console.draft(text, "downtime")
        here.steps_left = steps
        try:
            console.send(campaign)
        except DiedError:
            died += 1
            if steps % 2:
                here.run()
            if here.operator().campaigns.get(campaign).state != "queued":
                console.send(campaign)
            here.run()
        else:
            break
        assert set(here.mails().values()) == {1}
        assert len(here.mailer.sent) == 4
        status = console.status(campaign)
        assert (status["done"], status["settled"], status["mailed"]) == (True, 2, 4)
    assert died == 5, "begun, announced, a notice for each account, queued"


@pytest.mark.parametrize(("people", "kills"), [(100, 20), pytest.param(1000, 80, marks=pytest.mark.soak)])
def test_killed_again_and_again_it_notifies_each_account_once_and_repeats_one_mail_a_kill_at_most(
    here: World, console: Console, text: Path, people: int, kills: int
) -> None:
    accounts = people // 10
    for number in range(accounts):
        here.account(f"tenant-{number}", *"abcdefghij")
    campaign = console.draft(text, "downtime")
    chance = random.Random(people)

    def killed_within(steps: int, act: Callable[[], Any]) -> bool:
        here.steps_left = chance.randrange(steps)
        try:
            act()
        except DiedError:
            here.now += LEASE_SECONDS + 1
            return True
        finally:
            here.steps_left = None
        return False

    at = here.operator()
    handed_over = [
        killed_within(accounts, lambda: at.sender.send(campaign, lambda _: None)) for _ in range(kills // 10)
    ]
    console.send(campaign)
    steps = (2 * accounts + 2 * people) // kills
    sent = [killed_within(steps, here.run) for _ in range(kills)]
    assert sum(handed_over) == kills // 10
    assert sum(sent) == kills
    here.run()

    mails = here.mails()
    repeats = sum(mails.values()) - people
    assert len(mails) == people
    assert 0 < repeats <= kills
    noted = [item["mailed"]["SS"] for item in here.scanned("notices") if "due" in item]
    assert sum(map(len, noted)) == people
    status = console.status(campaign)
    assert (status["done"], status["settled"], status["mailed"]) == (True, accounts, people)
