"""The mails that the deployed service sent: the emulator's SES and Cognito keep them."""

import json
import re
import urllib.request
from dataclasses import dataclass
from typing import Any

from rehearsal.api_client import wait_for
from rehearsal.site import ACCOUNT, Site


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it was handed to SES."""

    to: str
    subject: str
    text: str


class Mailbox:
    """All mails, in the order of sending."""

    def __init__(self, site: Site) -> None:
        self._url = f"{site.emulator}/_ministack/ses/messages"

    def mails(self, to: str) -> list[Mail]:
        """The mails to one address."""
        with urllib.request.urlopen(self._url, timeout=30) as answer:  # noqa: S310 - loopback
            sent: list[dict[str, Any]] = json.load(answer)["messages"].get(ACCOUNT, [])
        return [Mail(to, each["Subject"], each["BodyText"] or "") for each in sent if to in each["To"]]

    def code(self, to: str) -> str:
        """The six digits of the newest mail that has any."""

        def newest() -> str:
            found = [re.search(r"\b\d{6}\b", mail.text) for mail in self.mails(to)]
            return next((each[0] for each in reversed(found) if each), "")

        return wait_for(f"a mailed code for {to}", newest)
