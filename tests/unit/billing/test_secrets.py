"""Stripe's key and the secret of its webhooks: used on purpose, shown by no accident."""

import json
from typing import Any

import pytest

from functions.billing.stripe_client import StripeSdkClient
from functions.billing.stripe_contract import StripeRefusedError, StripeUnavailableError
from functions.billing.stripe_secret import stripe_secret
from functions.billing.subscriptions.webhook import WebhookProcessor
from functions.shared.errors import AstralogError, SettingsError
from functions.shared.secret_text import SecretText
from tests.fake_stripe.server import fake_stripe_server
from tests.unit.billing.things import MemoryBooks, MemoryEvents

KEY, WEBHOOK = "sk_test_canary-key", "whsec_canary-hook"


def test_the_secret_is_two_secrets() -> None:
    held = stripe_secret(json.dumps({"api_key": KEY, "webhook_secret": WEBHOOK}))
    assert (held.api_key.reveal(), held.webhook_secret.reveal()) == (KEY, WEBHOOK)
    assert "canary" not in repr(held) + str(held)


@pytest.mark.parametrize(
    "text",
    [
        "",
        KEY,
        f'"{KEY}"',
        f'["{KEY}", "{WEBHOOK}"]',
        f'{{"api_key": "{KEY}"}}',
        f'{{"api_key": "{KEY}", "webhook_secret": ""}}',
        f'{{"api_key": "{KEY}", "webhook_secret": 5}}',
        f'{{"api_key": "{KEY}", "webhook_secret": "{WEBHOOK}"',
    ],
)
def test_one_that_is_not_is_refused_untold(text: str) -> None:
    with pytest.raises(SettingsError) as fault:
        stripe_secret(text)
    assert "canary" not in all_of(fault.value)
    assert fault.value.__context__ is None


def all_of(fault: BaseException | None) -> str:
    """What an error says and holds, and those that it came from."""
    if fault is None:
        return ""
    held = f"{fault} {fault!r} {vars(fault)}"
    return held + all_of(fault.__context__) + all_of(fault.__cause__)


def test_what_holds_them_shows_them_to_nobody() -> None:
    service: Any = None
    intake = WebhookProcessor(service, MemoryBooks(), MemoryEvents(), SecretText(WEBHOOK))
    gate = StripeSdkClient(SecretText(KEY), "http://127.0.0.1:9")
    assert "canary" not in repr(intake) + repr(gate) + repr(vars(gate))


def test_a_key_that_stripe_does_not_know_is_in_no_error_and_on_no_output(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with fake_stripe_server() as here:
        for address, kind in ((here.url, StripeRefusedError), ("http://127.0.0.1:9", StripeUnavailableError)):
            with pytest.raises(AstralogError) as fault:
                StripeSdkClient(SecretText(KEY), address).subscriptions("cus_canary-customer")
            assert isinstance(fault.value, kind)
            assert "canary" not in all_of(fault.value)
    said = capfd.readouterr()
    assert "canary-key" not in said.out + said.err + caplog.text
