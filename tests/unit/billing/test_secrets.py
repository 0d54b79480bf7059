"""Stripe's key and the secret of its webhooks: used on purpose, shown by no accident, rotated at any time."""

import hmac
import json
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.parameters import base as powertools_cache
from moto import mock_aws

from functions.billing.stripe_client import StripeSdkClient
from functions.billing.stripe_contract import BadSignatureError, StripeRefusedError, StripeUnavailableError
from functions.billing.stripe_secret import stripe_secret
from functions.billing.subscriptions.webhook import WebhookProcessor
from functions.billing.wiring import secret_of, stripe_client_of
from functions.shared import secret_store
from functions.shared.errors import AstralogError, SettingsError
from functions.shared.secret_text import SecretText
from tests.fake_stripe.server import API_KEY, fake_stripe_server
from tests.unit.billing.things import MemoryBillingStore, MemoryEvents

NOON = 1_795_950_000
KEY, WEBHOOK = "sk_test_canary-key", "whsec_canary-hook"


def test_the_secret_is_two_secrets() -> None:
    secrets = stripe_secret(json.dumps({"api_key": KEY, "webhook_secret": WEBHOOK}))
    assert (secrets.api_key.reveal(), secrets.webhook_secret.reveal()) == (KEY, WEBHOOK)
    assert "canary" not in repr(secrets) + str(secrets)


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
    shown = f"{fault} {fault!r} {vars(fault)}"
    return shown + all_of(fault.__context__) + all_of(fault.__cause__)


def test_an_object_with_secrets_does_not_show_them() -> None:
    service: Any = None
    intake = WebhookProcessor(service, MemoryBillingStore(), MemoryEvents(), lambda: SecretText(WEBHOOK))
    gate = StripeSdkClient(lambda: SecretText(KEY), "http://127.0.0.1:9")
    assert "canary" not in repr(intake) + repr(gate) + repr(vars(gate))


def test_a_key_that_stripe_does_not_know_is_in_no_error_and_on_no_output(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with fake_stripe_server() as here:
        for address, kind in ((here.url, StripeRefusedError), ("http://127.0.0.1:9", StripeUnavailableError)):
            with pytest.raises(AstralogError) as fault:
                StripeSdkClient(lambda: SecretText(KEY), address).subscriptions("cus_canary-customer")
            assert isinstance(fault.value, kind)
            assert "canary" not in all_of(fault.value)
    output = capfd.readouterr()
    assert "canary-key" not in output.out + output.err + caplog.text


class InFiveMinutes(datetime):
    """The clock of Powertools' cache, turned."""

    @classmethod
    def now(cls, tz: Any = None) -> "InFiveMinutes":
        return super().now(tz) + timedelta(minutes=5)


@mock_aws
def test_a_rotated_secret_of_stripe_is_used_within_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    secret_store._store.cache_clear()
    secrets = boto3.client("secretsmanager")
    old, new = ({"api_key": key, "webhook_secret": f"whsec_{key}"} for key in ("sk_test_old", API_KEY))
    secrets.create_secret(Name="stripe", SecretString=json.dumps(old))
    with fake_stripe_server() as here:
        gate = stripe_client_of("stripe", here.url)
        acme, globex = "cus_of_acme", "cus_of_globex"
        with pytest.raises(StripeRefusedError):
            gate.customer_exists(acme)
        secrets.put_secret_value(SecretId="stripe", SecretString=json.dumps(new))
        assert secret_of("stripe").webhook_secret == SecretText("whsec_sk_test_old")

        monkeypatch.setattr(powertools_cache, "datetime", InFiveMinutes)

        assert [gate.customer_exists(customer) for customer in (acme, globex)] == [False, False]
        assert secret_of("stripe").webhook_secret == SecretText(f"whsec_{API_KEY}")
    secret_store._store.cache_clear()


def test_a_webhook_is_checked_with_the_secret_of_the_moment() -> None:
    body = b'{"id": "evt_1", "type": "irrelevant", "data": {"object": {}}}'
    secrets = [SecretText("whsec_old")]
    service: Any = None
    intake = WebhookProcessor(
        service, MemoryBillingStore(), MemoryEvents(), lambda: secrets[-1], lambda: NOON
    )
    header = signature(body, "whsec_new")
    with pytest.raises(BadSignatureError):
        intake.take(body, header)
    secrets.append(SecretText("whsec_new"))

    assert intake.take(body, header) == "irrelevant"
    with pytest.raises(BadSignatureError):
        intake.take(body, signature(body, "whsec_old"))


def signature(body: bytes, secret: str) -> str:
    signed = hmac.new(secret.encode(), f"{NOON}.".encode() + body, "sha256").hexdigest()
    return f"t={NOON},v1={signed}"
