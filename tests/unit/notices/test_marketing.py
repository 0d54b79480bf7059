"""Marketing reaches those who want it at the moment it is sent, and lets them go with one click."""

import base64
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.notices import unsubscribe
from functions.notices.unsubscribe import Settings, UnsubscribeService, unsubscribe_service
from functions.notices.unsubscribe_link import is_well_formed, new_token
from functions.shared.accounts.audit import AuditTrail
from functions.shared.http import Answer, answering
from functions.shared.tenancy import TenantId
from tests.unit.notices.world import API, World

PATH = "/v1/unsubscribe/{token}"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def acme(here: World) -> TenantId:
    here.account("acme", "amy", opted_in=True)
    here.person("acme", "zoe", opted_in=False)
    return TenantId("acme")


@pytest.fixture
def globex(here: World) -> TenantId:
    return here.account("globex", "bob", opted_in=True)


def put_campaign(here: World, *tenants: TenantId, notice_id: str = "news-1") -> None:
    for tenant in tenants:
        here.notices.put(
            tenant, notice_id, "marketing", "New: dashboards", "Look.", announce=False, campaign=notice_id
        )
    here.run()


def token_of(here: World, address: str) -> str:
    """The token in the last mail to `address`, from its header."""
    header = next(mail for mail in reversed(here.mailer.sent) if mail.to == address).headers
    match = re.fullmatch(rf"<{re.escape(API)}/v1/unsubscribe/([\w-]+)>", header["List-Unsubscribe"])
    assert match
    return match[1]


def ask(
    here: World, method: str, token: str, body: str = "List-Unsubscribe=One-Click", accept: str = "*/*"
) -> Answer:
    event = {
        "routeKey": f"{method} {PATH}",
        "rawPath": f"/v1/unsubscribe/{token}",
        "pathParameters": {"token": token},
        "headers": {"content-type": FORM, "accept": accept},
        "requestContext": {
            "requestId": "r-1",
            "http": {"method": method, "path": PATH, "sourceIp": "192.0.2.9", "userAgent": "Mail/1"},
        },
        # What is neither JSON nor text/* comes as base64.
        "body": base64.b64encode(body.encode()).decode(),
        "isBase64Encoded": True,
    }
    at = unsubscribing(here)
    return answering(lambda each: unsubscribe.answer_to(each, at))(event, None)


def unsubscribing(here: World) -> UnsubscribeService:
    return unsubscribe_service(Settings("people", "audit"), here.client)


def opted_in(here: World, subject: str) -> bool:
    recipient = here.recipients.get(subject)
    assert recipient
    return recipient.marketing_opt_in


def trail(here: World, tenant: TenantId) -> list[tuple[str, str, str]]:
    entries = AuditTrail("audit", here.client).page(tenant, 100).entries
    return [(each["actor"], each["action"], each["subject"]) for each in entries]


def test_only_those_who_opted_in_are_mailed_and_no_dashboard_shows_it(
    here: World, acme: TenantId, globex: TenantId
) -> None:
    put_campaign(here, acme, globex)
    assert here.mails() == {"amy@acme.example": 1, "bob@globex.example": 1}
    assert here.announcements.list(acme) == []


def test_the_headers_are_those_of_rfc_8058(here: World, acme: TenantId) -> None:
    put_campaign(here, acme)
    (mail,) = here.mailer.sent
    token = token_of(here, "amy@acme.example")
    assert mail.headers == {
        "List-Unsubscribe": f"<https://logs.example.org/v1/unsubscribe/{token}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert f"{API}/v1/unsubscribe/{token}\n" in mail.text
    assert all(re.fullmatch(r"[ -~]{1,995}", value) for value in mail.headers.values()), "as SES asks"


def test_what_is_no_marketing_has_no_way_out(here: World, acme: TenantId) -> None:
    put_campaign(here, acme)
    here.notices.put(acme, "down", "downtime", "Downtime", "At noon.")
    here.run()
    assert [mail.headers for mail in here.mailer.sent[1:]] == [{}, {}]
    assert all("/unsubscribe/" not in mail.text for mail in here.mailer.sent[1:])


def test_a_token_is_a_persons_own_lasts_and_says_nothing(
    here: World, acme: TenantId, globex: TenantId
) -> None:
    put_campaign(here, acme, globex)
    first = token_of(here, "amy@acme.example")
    put_campaign(here, acme, globex, notice_id="news-2")
    assert token_of(here, "amy@acme.example") == first
    assert token_of(here, "bob@globex.example") != first
    assert is_well_formed(first)
    decoded = base64.urlsafe_b64decode(first[:27] + "=")
    assert len(decoded) == 20
    assert all(part not in first.lower() for part in ("amy", "acme"))


@pytest.mark.usefixtures("acme")
def test_two_who_make_a_token_at_once_make_one(here: World) -> None:
    stale = here.recipients.get("amy-acme")
    assert stale
    first, second = here.recipients.with_token(stale), here.recipients.with_token(stale)
    assert first == second
    here.client.delete_item(TableName="people", Key={"subject": {"S": "amy-acme"}})
    assert here.recipients.with_token(stale) is None, "who is gone is not brought back"
    assert here.recipients.get("amy-acme") is None


def test_one_click_from_a_plain_post_opts_out_once_and_is_in_the_trail(
    here: World, acme: TenantId, globex: TenantId
) -> None:
    put_campaign(here, acme, globex)
    token = token_of(here, "amy@acme.example")
    for _ in range(2):
        answer = ask(here, "POST", token)
        assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"status": "unsubscribed"})
    assert not opted_in(here, "amy-acme")
    assert opted_in(here, "bob-globex")
    assert trail(here, acme) == [("unsubscribe_link:amy-acme", "account.marketing_changed", "opted_out")]
    assert trail(here, globex) == []
    put_campaign(here, acme, globex, notice_id="news-2")
    assert here.mails() == {"amy@acme.example": 1, "bob@globex.example": 2}
    here.notices.put(acme, "payment-1", "payment_failed", "A payment failed", "Update the card.")
    here.run()
    assert sorted(here.to(acme)) == ["amy@acme.example", "amy@acme.example", "zoe@acme.example"]


@pytest.mark.parametrize("body", ["", "List-Unsubscribe=One-Click", "anything"])
def test_whatever_a_post_holds_it_is_a_wish_to_be_let_go(here: World, acme: TenantId, body: str) -> None:
    put_campaign(here, acme)
    assert ask(here, "POST", token_of(here, "amy@acme.example"), body)["statusCode"] == 200
    assert not opted_in(here, "amy-acme")


def test_a_get_asks_and_changes_nothing(here: World, acme: TenantId) -> None:
    put_campaign(here, acme)
    answer = ask(here, "GET", token_of(here, "amy@acme.example"))
    assert answer["statusCode"] == 200
    assert '<form method="post">' in answer["body"]
    assert 'name="List-Unsubscribe" value="One-Click"' in answer["body"]
    assert answer["headers"]["content-type"] == "text/html; charset=utf-8"
    assert answer["headers"]["referrer-policy"] == "no-referrer"
    assert "acme" not in answer["body"]
    assert opted_in(here, "amy-acme")
    assert trail(here, acme) == []


def test_a_person_who_posts_the_page_sees_a_page(here: World, acme: TenantId) -> None:
    put_campaign(here, acme)
    answer = ask(here, "POST", token_of(here, "amy@acme.example"), accept="text/html,*/*")
    assert answer["headers"]["content-type"].startswith("text/html")
    assert "You are unsubscribed" in answer["body"]
    assert not opted_in(here, "amy-acme")


def test_a_link_outlives_a_change_of_address(here: World, acme: TenantId) -> None:
    put_campaign(here, acme)
    token = token_of(here, "amy@acme.example")
    here.client.update_item(
        TableName="people",
        Key={"subject": {"S": "amy-acme"}},
        UpdateExpression="SET email = :new",
        ExpressionAttributeValues={":new": {"S": "amy@elsewhere.example"}},
    )
    ask(here, "POST", token)
    assert not opted_in(here, "amy-acme")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_answer_does_not_reveal_whether_a_token_exists(here: World, acme: TenantId, method: str) -> None:
    put_campaign(here, acme)
    assert ask(here, method, new_token()) == ask(here, method, token_of(here, "amy@acme.example"))


@given(st.integers(0, 32), st.characters(codec="ascii"))
def test_a_link_that_was_cut_or_mistyped_is_known_as_such(place: int, character: str) -> None:
    token = new_token()
    assert is_well_formed(token)
    assert not is_well_formed(token[:place])
    mistyped = token[:place] + character + token[place + 1 :]
    assert mistyped == token or not is_well_formed(mistyped)


def test_a_broken_link_is_404(here: World) -> None:
    for token in ("x", new_token()[:-1], new_token() + "x"):
        answer = ask(here, "POST", token)
        assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (404, "not_found")


def test_when_dynamodb_is_silent_it_is_asked_to_come_again(
    here: World, acme: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_campaign(here, acme)
    token = token_of(here, "amy@acme.example")
    settings: Any = Settings("people", "no-such-table")
    monkeypatch.setattr(f"{__name__}.unsubscribing", lambda _here: unsubscribe_service(settings, here.client))
    answer = ask(here, "POST", token)
    assert answer["statusCode"] == 503
    assert opted_in(here, "amy-acme"), "the change and its entry are one"


def test_who_opts_out_while_a_run_is_under_way_is_not_mailed_any_more(here: World, acme: TenantId) -> None:
    here.person("acme", "zoe", opted_in=True)
    here.mailer.then = lambda: here.opt_out("zoe-acme")
    put_campaign(here, acme)
    assert here.to(acme) == ["amy@acme.example"]


def test_who_opts_out_between_two_tries_is_not_mailed_any_more(here: World, acme: TenantId) -> None:
    here.mailer.down = True
    put_campaign(here, acme)
    here.opt_out("amy-acme")
    here.mailer.down = False
    here.now += 60
    assert here.run().settled == 1
    assert here.mailer.sent == []
