"""Against the fake Stripe: the client of Stripe has its version, meter events and errors."""

import pytest

from functions.billing import catalogue
from functions.billing.stripe_client import StripeSdkClient
from functions.billing.stripe_contract import (
    API_VERSION,
    DUPLICATE_METER_EVENT,
    StripeRefusedError,
    StripeUnavailableError,
)
from functions.shared.secret_text import SecretText
from tests.unit.billing.shop import Shop


def test_the_version_is_the_sdk_s_own() -> None:
    import stripe

    assert stripe.api_version == API_VERSION


def test_meter_events_land_once_and_are_found_in_their_minute(here: Shop) -> None:
    acme, globex = here.subscribed("acme"), here.subscribed("globex")
    mine, theirs = (here.record(each).customer_id for each in (acme, globex))
    meter, minute = catalogue.meter_of(here.gate), int(here.now()) // 60 * 60
    event = catalogue.METER_EVENT
    here.gate.send_meter_event(event, mine, 5, "one", minute)
    with pytest.raises(StripeRefusedError) as refused:
        here.gate.send_meter_event(event, mine, 5, "one", minute)
    assert refused.value.code == DUPLICATE_METER_EVENT
    here.gate.send_meter_event(event, theirs, 7, "two", minute)
    spans = [(mine, minute), (theirs, minute), (mine, minute - 60), (mine, minute + 60)]
    assert [here.gate.usage_between(meter, who, at, at + 60) for who, at in spans] == [5, 7, 0, 0]


def test_an_error_has_a_code_and_nothing_of_the_request(here: Shop) -> None:
    for gate, kind in (
        (here.gate, StripeRefusedError),
        (StripeSdkClient(lambda: SecretText("sk_test_canary"), here.here.url), StripeRefusedError),
        (StripeSdkClient(lambda: SecretText("sk_test_canary"), "http://127.0.0.1:9"), StripeUnavailableError),
    ):
        with pytest.raises(kind) as fault:
            gate.charge("ch_canary")
        shown = repr(fault.value) + repr(fault.value.__context__) + repr(fault.value.__cause__)
        assert "canary" not in shown
        assert fault.value.__context__ is None
