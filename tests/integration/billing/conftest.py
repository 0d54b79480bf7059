"""The fixtures of tests/unit/billing: a shop around a local Stripe that runs."""

from tests.unit.billing.conftest import here, nobodys_credentials

__all__ = ["here", "nobodys_credentials"]
