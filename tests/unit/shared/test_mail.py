"""Mail goes to SES as it was written, and what SES says of it tells nothing of whom it was for."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses import ses_backends

from functions.shared.account.mail import Mailer, MailError


@pytest.fixture
def ses(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "tests")
    with mock_aws():
        yield boto3.client("sesv2", region_name="us-east-1")


def test_a_mail_is_sent_to_one_address(ses: Any) -> None:
    ses.create_email_identity(EmailIdentity="no-reply@astralog.example")
    Mailer("no-reply@astralog.example", ses).send("zoe@acme.example", "Grüße", "First line\nSecond line")
    (sent,) = ses_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].sent_messages
    assert sent.source == "no-reply@astralog.example"
    assert sent.destinations["ToAddresses"] == ["zoe@acme.example"]
    assert (sent.subject, sent.body) == ("Grüße", "First line\nSecond line")


def test_a_refusal_tells_the_code_alone(ses: Any) -> None:
    with pytest.raises(MailError) as fault:
        Mailer("unverified@astralog.example", ses).send("zoe@acme.example", "s", "t")
    assert "SES: " in str(fault.value)
    assert "zoe" not in str(fault.value)
    assert fault.value.__cause__ is fault.value.__context__ is None
