"""Secrets shared with Stripe: our API key, and the key with which Stripe signs webhooks."""

import json
from dataclasses import dataclass

from functions.shared.errors import SettingsError
from functions.shared.secret_text import SecretText


@dataclass(frozen=True, slots=True)
class StripeSecret:
    """The secret `stripe`: `{"api_key": "sk_…", "webhook_secret": "whsec_…"}`."""

    api_key: SecretText
    webhook_secret: SecretText


def stripe_secret(text: str) -> StripeSecret:
    """Parse the secret's JSON.

    Raises
    ------
    SettingsError: the JSON is not valid; the message does not contain it.
    """
    names = ("api_key", "webhook_secret")
    try:
        held = json.loads(text)
        texts = [held[name] for name in names]
    except (ValueError, KeyError, TypeError):
        texts = []
    if not texts or not all(isinstance(each, str) and each.strip() for each in texts):
        raise SettingsError('the secret of Stripe must be JSON: {"api_key": …, "webhook_secret": …}')
    return StripeSecret(*map(SecretText, texts))
