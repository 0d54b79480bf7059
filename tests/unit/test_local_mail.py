"""A mail keeps its headers, and what becomes of it goes the way it goes in the cloud: SES, SNS, SQS."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from aws_lambda_powertools.utilities.data_classes import SQSRecord

from bench.children import child
from functions.notices.ses_events import parse_event
from functions.shared.accounts.mail import Mailer
from infra.topology import MAIL_SETS
from local.mail import provision_mail
from local.mail_feedback import provision_feedback
from local.naming import physical
from tests.unit.accounts.public_routes import MAIL_FROM, client

ADA = "ada@example.com"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with child("local.aws") as aws:
        made = f"http://127.0.0.1:{aws.port}"
        client("sqs", made).create_queue(QueueName=physical(MAIL_SETS[0].feedback_queue))
        provision_mail(client("sesv2", made), MAIL_FROM)
        for _ in range(2):
            provision_feedback(client("sesv2", made), client("sns", made))
        yield made


@pytest.fixture(autouse=True)
def mailed(endpoint: str) -> None:
    mailer = Mailer(MAIL_FROM, physical("notices"), client("sesv2", endpoint))
    mailer.send(ADA, "News", "Text", {"List-Unsubscribe": "<http://x/1>"}, {"person": "p-1"})


def order_event(endpoint: str, to: str, event: str) -> int:
    body = json.dumps({"to": to, "event": event}).encode()
    try:
        with urlopen(Request(f"{endpoint}/_mail", body, method="POST"), timeout=10) as answer:  # noqa: S310
            return int(answer.status)
    except HTTPError as fault:
        return fault.code


def receive_feedback(endpoint: str) -> list[str]:
    sqs = client("sqs", endpoint)
    url = sqs.get_queue_url(QueueName=physical(MAIL_SETS[0].feedback_queue))["QueueUrl"]
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for each in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
    return [each["Body"] for each in messages]


def test_the_page_shows_the_headers_that_were_added(endpoint: str) -> None:
    with urlopen(f"{endpoint}/_mail?to={ADA}", timeout=10) as answer:  # noqa: S310
        mail: dict[str, Any] = json.load(answer)[-1]
    assert mail["headers"] == {"List-Unsubscribe": "<http://x/1>"}
    assert (mail["subject"], mail["text"]) == ("News", "Text")


@pytest.mark.parametrize(
    ("event", "what"), [("bounce", "bounce"), ("transient_bounce", "other"), ("complaint", "complaint")]
)
def test_an_ordered_event_comes_once_in_the_envelope_of_sns(endpoint: str, event: str, what: str) -> None:
    assert order_event(endpoint, ADA, event) == 202
    (body,) = receive_feedback(endpoint)
    assert {"Type", "MessageId", "TopicArn", "Message", "Timestamp"} <= json.loads(body).keys()
    met = parse_event(SQSRecord({"body": body}))
    assert (met.what, met.addresses, met.person) == (what, (ADA,), "p-1")


@pytest.mark.parametrize(("to", "event"), [("stranger@example.com", "bounce"), (ADA, "lost")])
def test_an_order_that_fits_nothing_is_refused(endpoint: str, to: str, event: str) -> None:
    assert order_event(endpoint, to, event) == 400
    assert receive_feedback(endpoint) == []
