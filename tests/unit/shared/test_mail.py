"""Mail goes to SES as it was written, and errors of SES have nothing of the recipient."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses import ses_backends

from functions.shared.accounts.mail import Mailer, MailError
from tests.aws_environment import set_aws_environment


@pytest.fixture
def ses(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    set_aws_environment(monkeypatch)
    with mock_aws():
        yield boto3.client("sesv2", region_name="us-east-1")


def test_a_mail_is_sent_to_one_address(ses: Any) -> None:
    ses.create_email_identity(EmailIdentity="no-reply@astralog.example")
    Mailer("no-reply@astralog.example", "notices", ses).send(
        "zoe@acme.example", "Grüße", "First line\nSecond line"
    )
    (sent,) = ses_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].sent_messages
    assert sent.source == "no-reply@astralog.example"
    assert sent.destinations["ToAddresses"] == ["zoe@acme.example"]
    assert (sent.subject, sent.body) == ("Grüße", "First line\nSecond line")


def test_a_rejection_has_the_code_alone(ses: Any) -> None:
    with pytest.raises(MailError) as fault:
        Mailer("unverified@astralog.example", "notices", ses).send("zoe@acme.example", "s", "t")
    assert "SES: " in str(fault.value)
    assert "zoe" not in str(fault.value)
    assert fault.value.__cause__ is fault.value.__context__ is None


def test_a_mail_goes_through_its_set_with_headers_and_tags(ses: Any) -> None:
    asked: dict[str, Any] = {}
    ses.meta.events.register(
        "before-parameter-build.sesv2.SendEmail", lambda params, **_: asked.update(params)
    )
    ses.create_email_identity(EmailIdentity="no-reply@astralog.example")
    mailer = Mailer("no-reply@astralog.example", "notices", ses)
    mailer.send("zoe@acme.example", "s", "t", {"List-Unsubscribe": "<https://x>"}, {"person": "p-1"})
    assert asked["ConfigurationSetName"] == "notices"
    assert asked["EmailTags"] == [{"Name": "person", "Value": "p-1"}]
    assert asked["Content"]["Simple"]["Headers"] == [{"Name": "List-Unsubscribe", "Value": "<https://x>"}]
