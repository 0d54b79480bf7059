"""docs/billing.md and the Stripe part of docs/deployment.md."""

import json
import re
import urllib.parse
import urllib.request
from datetime import timedelta
from html import unescape
from typing import Any

from rehearsal.api_client import RehearsalError, expect, wait_for
from rehearsal.customer import Customer
from rehearsal.deployed import Deployed
from rehearsal.operators_command import operate
from rehearsal.proxy import TO_HOST
from rehearsal.site import Site

PROVES = (
    "A plan is bought on Stripe's page; Stripe's signed webhook makes it the account's; forged ones do not."
)
CACHED = timedelta(seconds=31)
"""The authorizer caches an account's plan for half a minute."""

CARD = {"number": "4242 4242 4242 4242", "expiry": "12/40", "cvc": "123", "name": "A Tester"}


def run(here: Deployed) -> None:
    prepare(here)
    ada, bob = here.two
    buy(here, ada, "managed_30")
    shown = here.api.done("GET /v1/account", bob.token)["plan"]
    expect(shown == "trial", f"one account bought a plan, another has {shown}")
    _forge(here)


def buy(here: Deployed, customer: Customer, plan: str) -> None:
    """Buy a plan as a person does, and wait until the account has it."""
    url = here.api.done("POST /v1/billing/checkout", customer.token, {"plan": plan})["url"]
    _press(url, "Subscribe", CARD)
    wait_for(
        f"{customer.name} has the plan {plan}",
        lambda: here.api.done("GET /v1/account", customer.token)["plan"] == plan,
    )
    here.schedules.pass_time(CACHED)


def prepare(here: Deployed) -> None:
    """The operator's steps: the catalogue, the webhook endpoint and its signing secret."""
    operate(here.site, "sync-catalogue", "--output", f"StripeUrl={here.site.stripe}")
    connect_webhook(here)


def connect_webhook(here: Deployed) -> None:
    """Create the webhook endpoint at Stripe and store its signing secret."""
    site = here.site
    host = urllib.parse.urlsplit(here.api.url).netloc
    endpoint = _stripe(
        site,
        "/v1/webhook_endpoints",
        {"url": f"{site.aws}{TO_HOST}{host}/v1/stripe/webhook", "enabled_events[0]": "*"},
    )
    value = {"api_key": site.stripe_key, "webhook_secret": endpoint["secret"]}
    here.cloud.client("secretsmanager").put_secret_value(
        SecretId="astralog/stripe", SecretString=json.dumps(value)
    )


def _forge(here: Deployed) -> None:
    """A webhook whose signature is wrong, and one without any."""
    for headers in ({}, {"Stripe-Signature": "t=1,v1=00"}):
        answer = here.api.ask("POST /v1/stripe/webhook", "", {"type": "invoice.paid"}, headers)
        expect(answer.status == 400, f"a forged webhook was answered with {answer.status}")


def _stripe(site: Site, path: str, form: dict[str, str]) -> Any:
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{site.stripe}{path}",
        data=urllib.parse.urlencode(form).encode(),
        headers={"Authorization": f"Bearer {site.stripe_key}"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def _press(page: str, button: str, fields: dict[str, str]) -> None:
    """Fill in the form with that button on a page, and press it."""
    with urllib.request.urlopen(page, timeout=30) as answer:  # noqa: S310 - loopback
        shown = answer.read().decode()
    forms = re.findall(r'<form method="post" action="([^"]+)">(.*?)</form>', shown, re.DOTALL)
    found = [each for each in forms if f">{button}<" in each[1]]
    if not found:
        raise RehearsalError(f"the page has no button {button}")
    action, inside = found[0]
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', inside))
    named = set(re.findall(r'name="([^"]+)"', inside))
    form = {**hidden, **{name: value for name, value in fields.items() if name in named}}
    target = urllib.parse.urljoin(page, unescape(action))
    request = urllib.request.Request(target, data=urllib.parse.urlencode(form).encode())  # noqa: S310 - loopback
    # Stripe's page then leads to the dashboard, which does not exist here.
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        opener.open(request, timeout=30)
    except urllib.error.HTTPError as redirected:
        expect(redirected.code == 303, f"Stripe's page answered {redirected.code}")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any, **_named: Any) -> None:
        """Follow no redirect."""
