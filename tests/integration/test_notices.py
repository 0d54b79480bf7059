"""Notices through the whole stack: asked for over HTTP, sent by an operator, read in the mail page."""

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from functions.shared.accounts.notice_outbox import NoticeOutbox
from functions.shared.tenancy import TenantId
from local.naming import PROJECT_ROOT, physical, python_module
from local.variables import operators_variables
from tests.integration.stack import RunningStack, wait_until

PASSWORD = "correct-horse-battery"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@dataclass(frozen=True)
class Person:
    """A person who signed up, confirmed and logged in."""

    stack: RunningStack
    email: str
    tenant: TenantId
    token: str

    def get(self, path: str) -> Any:
        answer = httpx.get(
            f"{self.stack.api}{path}", headers={"Authorization": f"Bearer {self.token}"}, timeout=30
        )
        answer.raise_for_status()
        return answer.json()

    def mails(self, subject: str) -> list[dict[str, Any]]:
        mails = httpx.get(self.stack.mail, params={"to": self.email}, timeout=30).json()
        return [mail for mail in mails if mail["subject"] == subject]

    def meets(self, event: str) -> None:
        """Have the last mail meet `event`."""
        answer = httpx.post(self.stack.mail, json={"to": self.email, "event": event}, timeout=30)
        assert answer.status_code == 202, answer.text


def signed_up(stack: RunningStack, *, marketing: bool) -> Person:
    email = f"{uuid4().hex[:12]}@example.com"
    with stack.client() as client:
        form = {"name": "Jo", "email": email, "password": PASSWORD, "accept_terms": True}
        client.post("/v1/signup", json={**form, "marketing_opt_in": marketing}).raise_for_status()
        (mail,) = httpx.get(stack.mail, params={"to": email}, timeout=30).json()
        code = re.search(r"\d{6}", mail["text"])
        assert code
        sent = {"email": email, "code": code[0], "password": PASSWORD}
        confirmed = client.post("/v1/signup/confirm", json=sent).raise_for_status().json()
        logged_in = client.post("/v1/login", json={"email": email, "password": PASSWORD})
    return Person(stack, email, TenantId(confirmed["tenant_id"]), logged_in.json()["access_token"])


def local(stack: RunningStack, *arguments: str) -> Any:
    """What `python -m local …` answers, as JSON."""
    return ran("local", "--state", str(stack.logs.parent), *arguments)


def ran(module: str, *arguments: str, variables: Mapping[str, str] | None = None) -> Any:
    done = subprocess.run(
        python_module(module, *arguments),
        cwd=PROJECT_ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Operator:
    """The command, as an operator with the stack's credentials runs it: `python -m operate …`."""

    def __init__(self, stack: RunningStack, text: Path) -> None:
        self._stack = stack
        self._text = text
        text.write_text("Some words.")

    def run(self, *arguments: str) -> Any:
        variables = operators_variables(self._stack.aws_endpoint)
        return ran("operate", *arguments, "--json", "--yes", variables=variables)

    def campaign(self, kind: str, title: str) -> dict[str, Any]:
        """Draft, send, and have the notifier come round."""
        drafted = self.run("send-notice", "--kind", kind, "--title", title, "--text-file", str(self._text))
        assert drafted["sent"] is False
        self.run("send-notice", "--send", drafted["campaign"])
        local(self._stack, "invoke", "notifier")
        status: dict[str, Any] = {}

        def is_done() -> bool:
            status.update(self.run("notice-status", drafted["campaign"]))
            return bool(status["done"])

        # The scheduled one may have been at it already.
        wait_until(is_done, 60, "all are notified")
        return status


@pytest.fixture
def operator(stack: RunningStack, tmp_path: Path) -> Operator:
    return Operator(stack, tmp_path / "text.txt")


def test_the_command_runs_against_a_stack(stack: RunningStack, operator: Operator, tmp_path: Path) -> None:
    drafted = operator.run(
        "send-notice", "--kind", "service", "--title", "T", "--text-file", str(tmp_path / "text.txt")
    )
    reported = local(stack, "operate", "notice-status", drafted["campaign"], "--json")
    assert (reported["campaign_id"], reported["state"]) == (drafted["campaign"], "drafted")


def test_after_an_opt_out_no_marketing_comes_and_what_is_critical_does(
    stack: RunningStack, operator: Operator
) -> None:
    erased, there = signed_up(stack, marketing=True), signed_up(stack, marketing=True)
    never = signed_up(stack, marketing=False)
    first, second, critical = (f"{title} {uuid4()}" for title in ("First", "Second", "Downtime"))

    operator.campaign("marketing", first)
    assert [len(person.mails(first)) for person in (erased, there, never)] == [1, 1, 0]
    headers = erased.mails(first)[0]["headers"]
    link = headers["List-Unsubscribe"][1:-1]
    assert headers == {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    assert link.startswith(f"{stack.api}/v1/unsubscribe/")

    page = httpx.get(link, timeout=30)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert erased.get("/v1/account")["marketing_opt_in"] is True
    for _ in range(2):
        assert httpx.post(link, data=ONE_CLICK, timeout=30).json() == {"status": "unsubscribed"}
    assert erased.get("/v1/account")["marketing_opt_in"] is False
    assert there.get("/v1/account")["marketing_opt_in"] is True
    changes = [
        each["actor"].split(":")[0]
        for each in erased.get("/v1/audit")["entries"]
        if each["action"] == "account.marketing_changed"
    ]
    assert changes == ["unsubscribe_link"]

    status = operator.campaign("marketing", second)
    assert [len(person.mails(second)) for person in (erased, there, never)] == [0, 1, 0]
    assert status["opted_out"] >= 2
    operator.campaign("downtime", critical)
    assert [len(person.mails(critical)) for person in (erased, there, never)] == [1, 1, 1]
    assert erased.mails(critical)[0]["headers"] == {}
    assert critical in [each["title"] for each in erased.get("/v1/announcements")["announcements"]]


def test_a_bounce_ends_mail_and_a_complaint_marketing_as_well(stack: RunningStack) -> None:
    bounced, complained, other = (signed_up(stack, marketing=True) for _ in range(3))
    people = (bounced, complained, other)

    def reported(title: str) -> list[int]:
        notices = NoticeOutbox(physical("notices"), stack.aws("dynamodb"))
        for person in people:
            notices.put(person.tenant, title, "payment_failed", title, "Update the card.")
        local(stack, "invoke", "notifier")
        wait_until(lambda: all(_settled(stack, person, title) for person in people), 60, "all are notified")
        return [len(person.mails(title)) for person in people]

    assert reported("one") == [1, 1, 1]
    other.meets("transient_bounce")
    bounced.meets("bounce")
    complained.meets("complaint")
    wait_until(lambda: not complained.get("/v1/account")["marketing_opt_in"], 30, "a complaint is handled")
    stack.wait_until_settled()
    assert [person.get("/v1/account")["marketing_opt_in"] for person in people] == [True, False, True]
    assert reported("two") == [0, 0, 1]
    for person in people:
        assert "two" in [each["title"] for each in person.get("/v1/announcements")["announcements"]]


def _settled(stack: RunningStack, person: Person, notice_id: str) -> bool:
    key = {"tenant_id": {"S": str(person.tenant)}, "notice": {"S": notice_id}}
    found = stack.aws("dynamodb").get_item(TableName=physical("notices"), Key=key)
    return bool(found["Item"]["due"]["S"] == "settled")
