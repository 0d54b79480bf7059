"""What bounced for good or was called spam is mailed no more; what may pass changes nothing."""

import json
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes import SQSRecord
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from functions.notices.feedback import Settings, feedback_service, process_batch
from functions.notices.ses_events import NotAnEventError, parse_event
from functions.shared.accounts.audit import AuditTrail
from functions.shared.tenancy import TenantId
from tests.examples import examples
from tests.unit.notices.world import World


def bounce(address: str, kind: str = "Permanent", **mail: Any) -> dict[str, Any]:
    recipient = {"emailAddress": address, "action": "failed", "status": "5.1.1"}
    return {
        "eventType": "Bounce",
        "bounce": {"bounceType": kind, "bounceSubType": "General", "bouncedRecipients": [recipient]},
        "mail": {"destination": [address], "tags": {"ses:from-domain": ["x"]}, **mail},
    }


def complaint(address: str, person: str | None) -> dict[str, Any]:
    tags = {"ses:from-domain": ["x"]} | ({"person": [person], "tenant": ["acme"]} if person else {})
    return {
        "eventType": "Complaint",
        "complaint": {"complainedRecipients": [{"emailAddress": address}], "complaintFeedbackType": "abuse"},
        "mail": {"destination": [address], "tags": tags},
    }


def message(event: Any, number: int = 1) -> dict[str, Any]:
    envelope = {
        "Type": "Notification",
        "MessageId": f"sns-{number}",
        "TopicArn": "arn:aws:sns:r:a:t",
        "Message": json.dumps(event),
    }
    return {"messageId": f"m-{number}", "body": json.dumps(envelope)}


def process(here: World, *messages: dict[str, Any]) -> list[str]:
    """The ids of the messages that are to come again."""
    at = feedback_service(Settings("people", "suppressions", "audit"), here.client, lambda: here.now)
    return [
        each["itemIdentifier"] for each in process_batch({"Records": list(messages)}, at)["batchItemFailures"]
    ]


@pytest.fixture
def acme(here: World) -> TenantId:
    return here.account("acme", "amy", "zoe", opted_in=True)


@pytest.fixture
def globex(here: World) -> TenantId:
    return here.account("globex", "bob", opted_in=True)


def mailed(here: World, *tenants: TenantId, kind: str = "payment_failed") -> dict[str, int]:
    here.mailer.sent.clear()
    here.now += 1
    for tenant in tenants:
        here.notices.put(tenant, f"{kind}-{here.now}", kind, "Title", "Text", announce=False)
    here.run()
    return here.mails()


def opted_in(here: World, subject: str) -> bool:
    recipient = here.recipients.get(subject)
    assert recipient
    return recipient.marketing_opt_in


def test_an_address_that_does_not_exist_is_mailed_nothing_more(
    here: World, acme: TenantId, globex: TenantId
) -> None:
    reported = bounce("Amy@ACME.example", tags={"person": ["amy-acme"]})
    assert process(here, message(reported)) == []
    assert mailed(here, acme, globex) == {"zoe@acme.example": 1, "bob@globex.example": 1}
    assert opted_in(here, "amy-acme"), "only a complaint opts out"
    (item,) = here.scanned("suppressions")
    assert "amy" not in json.dumps(item)


@pytest.mark.parametrize("kind", ["Transient", "Undetermined"])
def test_a_bounce_that_may_pass_changes_nothing(here: World, acme: TenantId, kind: str) -> None:
    assert process(here, message(bounce("amy@acme.example", kind))) == []
    assert mailed(here, acme) == {"amy@acme.example": 1, "zoe@acme.example": 1}


def test_who_complained_is_left_alone_and_opted_out_whatever_their_address_becomes(
    here: World, acme: TenantId, globex: TenantId
) -> None:
    assert process(here, message(complaint("amy@acme.example", "amy-acme"))) == []
    assert mailed(here, acme) == {"zoe@acme.example": 1}
    assert [opted_in(here, who) for who in ("amy-acme", "zoe-acme", "bob-globex")] == [False, True, True]
    (entry,) = AuditTrail("audit", here.client).page(acme, 10).entries
    assert (entry["actor"], entry["action"], entry["subject"]) == (
        "complaint:amy-acme",
        "account.marketing_changed",
        "opted_out",
    )
    here.client.update_item(
        TableName="people",
        Key={"subject": {"S": "amy-acme"}},
        UpdateExpression="SET email = :new",
        ExpressionAttributeValues={":new": {"S": "amy@elsewhere.example"}},
    )
    assert mailed(here, acme, kind="marketing") == {"zoe@acme.example": 1}
    assert mailed(here, acme) == {"amy@elsewhere.example": 1, "zoe@acme.example": 1}
    assert mailed(here, globex, kind="marketing") == {"bob@globex.example": 1}


def test_a_report_with_another_address_suppresses_only_the_address_that_was_mailed(
    here: World, acme: TenantId, globex: TenantId
) -> None:
    """The address is what the other side's report says: any server may write another's into it."""
    forged = bounce("amy@acme.example", tags={"person": ["amy-acme"]})
    forged["bounce"]["bouncedRecipients"][0]["emailAddress"] = "bob@globex.example"
    called_spam = complaint("zoe@acme.example", "zoe-acme")
    called_spam["complaint"]["complainedRecipients"] = [{"emailAddress": "where.zoe.forwards.to@example.org"}]
    assert process(here, message(forged), message(called_spam, 2)) == []
    assert mailed(here, acme, globex) == {"bob@globex.example": 1}


def test_what_a_reader_took_out_of_the_spam_is_no_complaint(here: World, acme: TenantId) -> None:
    reported = complaint("amy@acme.example", "amy-acme")
    reported["complaint"]["complaintFeedbackType"] = "not-spam"
    assert process(here, message(reported)) == []
    assert mailed(here, acme) == {"amy@acme.example": 1, "zoe@acme.example": 1}
    assert opted_in(here, "amy-acme")


def test_a_complaint_of_no_known_kind_is_one(here: World, acme: TenantId) -> None:
    """Most providers say no more than that there is one."""
    reported = complaint("amy@acme.example", "amy-acme")
    del reported["complaint"]["complaintFeedbackType"]
    assert process(here, message(reported)) == []
    assert mailed(here, acme) == {"zoe@acme.example": 1}


def test_a_complaint_about_a_mail_of_nobodys_suppresses_the_address(here: World, acme: TenantId) -> None:
    assert process(here, message(complaint("amy@acme.example", None))) == []
    assert mailed(here, acme) == {"zoe@acme.example": 1}


@pytest.mark.parametrize("kind", [bounce, complaint])
def test_nothing_is_kept_of_a_person_whose_account_was_erased_since(
    here: World, acme: TenantId, kind: Any
) -> None:
    """A mail server tries for days, and a complaint comes when it comes."""
    reported = complaint("gone@acme.example", "gone-acme")
    if kind is bounce:
        reported = bounce("gone@acme.example", tags={"person": ["gone-acme"]})
    assert process(here, message(reported)) == []

    assert here.scanned("suppressions") == []
    assert mailed(here, acme) == {"amy@acme.example": 1, "zoe@acme.example": 1}


def test_the_same_event_again_changes_nothing(here: World, acme: TenantId) -> None:
    reported = [message(complaint("amy@acme.example", "amy-acme")), message(bounce("zoe@acme.example"), 2)]
    for _ in range(3):
        assert process(here, *reported) == []
    assert len(here.scanned("suppressions")) == 2
    assert len(AuditTrail("audit", here.client).page(acme, 10).entries) == 1


def test_what_is_no_event_comes_again_and_harms_no_neighbour(here: World, acme: TenantId) -> None:
    forged = {"messageId": "m-2", "body": json.dumps(bounce("zoe@acme.example"))}
    failed = process(here, message(bounce("amy@acme.example")), forged, {"messageId": "m-3", "body": "x"})
    assert failed == ["m-2", "m-3"]
    assert mailed(here, acme) == {"zoe@acme.example": 1}


def test_a_mail_that_arrived_asks_for_nothing(here: World, acme: TenantId) -> None:
    delivered = {"eventType": "Delivery", "delivery": {}, "mail": {"destination": ["amy@acme.example"]}}
    assert process(here, message(delivered)) == []
    assert mailed(here, acme) == {"amy@acme.example": 1, "zoe@acme.example": 1}


def test_what_could_not_be_written_comes_again(here: World, acme: TenantId) -> None:
    at = feedback_service(Settings("people", "no-such-table", "audit"), here.client)
    answer = process_batch({"Records": [message(bounce("amy@acme.example"))]}, at)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    assert len(here.to(acme)) == 0


anything = st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.just([]) | st.just({})


def inside(value: Any) -> list[tuple[Any, Any]]:
    """Every container and key within `value`."""
    pairs = (
        list(value.items())
        if isinstance(value, dict)
        else list(enumerate(value))
        if isinstance(value, list)
        else []
    )
    return [(value, key) for key, _ in pairs] + [place for _, each in pairs for place in inside(each)]


@examples(300, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_is_missing_or_other_than_it_was_it_is_an_event_or_none(data: st.DataObject) -> None:
    event = data.draw(st.sampled_from([bounce("amy@acme.example"), complaint("amy@acme.example", "amy")]))
    event = json.loads(json.dumps(event))
    container, key = data.draw(st.sampled_from(inside(event)))
    if data.draw(st.booleans()):
        container.pop(key)
    else:
        container[key] = data.draw(anything)
    try:
        reported = parse_event(SQSRecord(message(event)))
    except NotAnEventError:
        return
    assert all(isinstance(each, str) for each in (*reported.addresses, reported.person))


@given(st.text() | anything.map(json.dumps) | anything.map(lambda value: json.dumps({"Message": value})))
def test_what_has_no_envelope_is_no_event(body: str) -> None:
    with pytest.raises(NotAnEventError):
        parse_event(SQSRecord({"body": body}))
