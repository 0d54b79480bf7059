"""docs/notices.md."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rehearsal.api_client import expect, wait_for
from rehearsal.customer import Customer
from rehearsal.deployed import Deployed
from rehearsal.operators_command import operate

PROVES = "Notices are mailed by schedule; a link unsubscribes, a bounce suppresses the address."
A_MINUTE = timedelta(minutes=1)


def run(here: Deployed) -> None:
    ada, bob = here.two
    for customer in (ada, bob):
        here.api.done("PATCH /v1/account", customer.token, {"marketing_opt_in": True})
    _campaign(here, "marketing", "Offer one")
    first = [_mails(here, each, "Offer one") for each in (ada, bob)]
    expect([len(mails) for mails in first] == [1, 1], "not both were mailed the first offer")
    _unsubscribe(here, first[0][0])
    _campaign(here, "marketing", "Offer two")
    expect(not _mails(here, ada, "Offer two"), "an offer was mailed to a person who unsubscribed")
    expect(len(_mails(here, bob, "Offer two")) == 1, "an offer was not mailed to a person who did not")
    _bounce(here, bob)
    _campaign(here, "downtime", "Maintenance")
    expect(len(_mails(here, ada, "Maintenance")) == 1, "a downtime was not mailed")
    expect(not _mails(here, bob, "Maintenance"), "a mail was sent to an address that bounced")
    shown = json.dumps(here.api.done("GET /v1/announcements", bob.token))
    expect("Maintenance" in shown, "the downtime is not among the announcements")


def _campaign(here: Deployed, kind: str, title: str) -> None:
    """The operator drafts and sends; the notifier's schedule fires."""
    text = Path(here.site.root / "notice.txt")
    text.write_text("Some words.")
    drafted = operate(here.site, "send-notice", "--kind", kind, "--title", title, "--text-file", str(text))
    operate(here.site, "send-notice", "--send", drafted["campaign"], "--yes")

    def all_notified() -> bool:
        here.schedules.forward(A_MINUTE)
        return bool(operate(here.site, "notice-status", drafted["campaign"])["done"])

    wait_for(f"all are notified of {title}", all_notified, 90)


def _mails(here: Deployed, customer: Customer, subject: str) -> list[str]:
    """The texts of the mails with that subject."""
    return [mail.text for mail in here.mailbox.mails(customer.email) if subject in mail.subject]


def _unsubscribe(here: Deployed, text: str) -> None:
    found = re.search(r"(http\S+)(/v1/unsubscribe/[\w-]+)", text)
    expect(found, "a marketing mail has no link to unsubscribe")
    assert found  # noqa: S101 - expected above
    expect(found[1] == here.api.url, f"the link leads to {found[1]}, not to the API")
    page = here.api.ask(f"GET {found[2]}")
    expect(page.status == 200, f"the page to unsubscribe answered {page.status}")
    here.api.done(f"POST {found[2]}")


def _bounce(here: Deployed, customer: Customer) -> None:
    """Publish what SES publishes; the emulator does so for identities, not for configuration sets."""
    name = here.cloud.outputs["NoticesMailSet"]
    set_of = here.cloud.client("sesv2").get_configuration_set_event_destinations(ConfigurationSetName=name)
    topics = [
        each["SnsDestination"]["TopicArn"]
        for each in set_of["EventDestinations"]
        if each["Enabled"] and {"BOUNCE", "COMPLAINT"} <= set(each["MatchingEventTypes"])
    ]
    expect(len(topics) == 1, f"the configuration set publishes bounces to {len(topics)} topics")
    event = {
        "eventType": "Bounce",
        "bounce": {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [{"emailAddress": customer.email, "action": "failed", "status": "5.1.1"}],
        },
        "mail": {
            "timestamp": datetime.now(UTC).isoformat(),
            "destination": [customer.email],
            "tags": {},
        },
    }
    before = here.cloud.invocations()["mail-feedback"]
    here.cloud.client("sns").publish(TopicArn=topics[0], Message=json.dumps(event))
    wait_for("mail-feedback ran", lambda: here.cloud.invocations()["mail-feedback"] > before)
