"""Send mail through SES."""

from collections.abc import Mapping
from typing import Any

from functions.shared.aws_client import asked, client
from functions.shared.errors import RetryableError


class MailError(RetryableError):
    """SES did not accept a mail, or its response was lost; the mail may have been sent."""


class Mailer:
    """Sends from one address that SES has verified.

    Parameters
    ----------
    sender: the address.
    mail_set: the configuration set that reports bounces and complaints.
    ses: a boto3 client of SES v2; None for one that is made on first use.
    """

    def __init__(self, sender: str, mail_set: str, ses: Any = None) -> None:
        self._sender = sender
        self._mail_set = mail_set
        self._ses = ses

    def send(
        self,
        to: str,
        subject: str,
        text: str,
        headers: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Send plain text to one address; on return SES has accepted it.

        `headers` are added unchanged; `tags` (letters, digits, `_` and `-`) are part of a bounce or complaint
        notification and invisible to readers.

        Raises
        ------
        MailError: it contains SES's error code, not the address.
        """
        self._ses = self._ses or client("sesv2")
        simple: dict[str, Any] = {
            "Subject": {"Data": subject, "Charset": "UTF-8"},
            "Body": {"Text": {"Data": text, "Charset": "UTF-8"}},
        }
        if headers:
            simple["Headers"] = [{"Name": name, "Value": value} for name, value in headers.items()]
        asked(
            lambda: self._ses.send_email(
                FromEmailAddress=self._sender,
                ConfigurationSetName=self._mail_set,
                EmailTags=[{"Name": name, "Value": value} for name, value in (tags or {}).items()],
                Destination={"ToAddresses": [to]},
                Content={"Simple": simple},
            ),
            lambda code: MailError(f"SES: {code}"),
        )
