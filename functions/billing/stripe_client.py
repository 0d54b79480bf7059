"""The only module that calls Stripe: the official SDK, imported on first use, at a pinned version.

Stripe's errors quote requests and responses; ours contain only the error code. Timeouts of all calls are
shorter than those of the requests that wait for them. Every POST carries an idempotency key, the SDK's own if
none is given, so a retry by the SDK changes nothing twice.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from functions.billing.stripe_contract import (
    API_VERSION,
    RESOURCE_MISSING,
    BadSignatureError,
    Fields,
    Kind,
    StripeObject,
    StripeRefusedError,
    StripeUnavailableError,
)
from functions.shared.secret_text import SecretText
from functions.shared.tenancy import TenantId

TOLERANCE_SECONDS = 300
CONNECT_SECONDS, ANSWER_SECONDS = 2, 8
RETRIES = 1
PAGE = 100

_HEADER = re.compile(r"t=(?P<at>[0-9]{1,12})(?:,[a-z0-9]{1,8}=[A-Za-z0-9]{1,256}){1,20}")
_LATER_STATUSES = (409, 429)

T = TypeVar("T")


class StripeSdkClient:
    """Implements functions.billing.stripe_contract.StripeApi.

    Parameters
    ----------
    api_key: returns the current key, at each call: it may be rotated while this process lives.
    address: https://api.stripe.com, or the URL of a fake Stripe.
    """

    def __init__(self, api_key: Callable[[], SecretText], address: str) -> None:
        self._api_key = api_key
        self._address = address
        self._opened: tuple[SecretText, Any] | None = None

    def make_customer(self, tenant: TenantId, once: str) -> str:
        # For people who use Stripe's dashboard; our code never reads it.
        fields = {"metadata": {"tenant_id": str(tenant)}}
        made = _asked(lambda: self._api.customers.create(fields, {"idempotency_key": once}))
        return str(made["id"])

    def customer_exists(self, customer: str) -> bool:
        try:
            found = _plain(_asked(lambda: self._api.customers.retrieve(customer)))
        except StripeRefusedError as refused:
            if refused.code != RESOURCE_MISSING:
                raise
            return False
        return not found.get("deleted", False)

    def delete_customer(self, customer: str) -> None:
        if self.customer_exists(customer):
            _asked(lambda: self._api.customers.delete(customer))

    def subscriptions(self, customer: str) -> list[StripeObject]:
        asked = {"customer": customer, "status": "all", "limit": PAGE}
        return self._every(self._api.subscriptions, asked)

    def invoices(self, subscription: str) -> list[StripeObject]:
        asked = {"subscription": subscription, "limit": PAGE}
        return [each.to_dict() for each in _asked(lambda: self._api.invoices.list(asked)).data]

    def change_plan(self, subscription: str, items: Sequence[Fields], *, at_once: bool) -> None:
        fields = {
            "items": [dict(each) for each in items],
            "proration_behavior": "always_invoice" if at_once else "create_prorations",
            "payment_behavior": "error_if_incomplete",
        }
        _asked(lambda: self._api.subscriptions.update(subscription, fields))

    def cancel(self, subscription: str, *, prorate: bool) -> None:
        fields = {"invoice_now": True, "prorate": prorate}
        _asked(lambda: self._api.subscriptions.cancel(subscription, fields))

    def collect(self, invoice: str) -> None:
        now = _asked(lambda: self._api.invoices.retrieve(invoice))
        if now["status"] == "draft":
            now = _asked(lambda: self._api.invoices.finalize_invoice(invoice))
        if now["status"] == "open":
            _asked(lambda: self._api.invoices.pay(invoice))

    def start_checkout(self, customer: str, fields: Fields) -> tuple[str, str]:
        made = _asked(lambda: self._api.checkout.sessions.create({"customer": customer, **fields}))
        return str(made["id"]), str(made["url"])

    def expire_checkout(self, session: str) -> None:
        try:
            _asked(lambda: self._api.checkout.sessions.expire(session))
        except StripeRefusedError:
            if _asked(lambda: self._api.checkout.sessions.retrieve(session))["status"] == "open":
                raise

    def open_portal(self, customer: str, configuration: str, return_url: str) -> str:
        fields = {"customer": customer, "configuration": configuration, "return_url": return_url}
        return str(_asked(lambda: self._api.billing_portal.sessions.create(fields))["url"])

    def charge(self, charge: str) -> StripeObject:
        return _plain(_asked(lambda: self._api.charges.retrieve(charge)))

    def dispute(self, dispute: str) -> StripeObject:
        return _plain(_asked(lambda: self._api.disputes.retrieve(dispute)))

    def listed(self, kind: Kind, **filters: Any) -> list[StripeObject]:
        return self._every(self._service(kind), {"limit": PAGE, **filters})

    def create(self, kind: Kind, fields: Fields) -> StripeObject:
        return _plain(_asked(lambda: self._service(kind).create(dict(fields))))

    def update(self, kind: Kind, which: str, fields: Fields) -> StripeObject:
        return _plain(_asked(lambda: self._service(kind).update(which, dict(fields))))

    def send_meter_event(
        self, event_name: str, customer: str, value: int, identifier: str, timestamp: int
    ) -> None:
        fields = {
            "event_name": event_name,
            "payload": {"stripe_customer_id": customer, "value": str(value)},
            "identifier": identifier,
            "timestamp": timestamp,
        }
        _asked(lambda: self._api.billing.meter_events.create(fields))

    def usage_between(self, meter: str, customer: str, start: int, end: int) -> int:
        asked = {"customer": customer, "start_time": start, "end_time": end}
        found = _asked(lambda: self._api.billing.meters.event_summaries.list(meter, asked))
        return sum(int(each["aggregated_value"]) for each in found.data)

    @property
    def _api(self) -> Any:
        key = self._api_key()
        if self._opened is None or self._opened[0] != key:
            self._opened = key, _client(key, self._address)
        return self._opened[1].v1

    def _service(self, kind: Kind) -> Any:
        match kind:
            case "product":
                return self._api.products
            case "price":
                return self._api.prices
            case "meter":
                return self._api.billing.meters
            case "portal":
                return self._api.billing_portal.configurations

    def _every(self, service: Any, asked: Fields) -> list[StripeObject]:
        return _asked(lambda: [_plain(each) for each in service.list(dict(asked)).auto_paging_iter()])


def verify_signature(body: bytes, header: str, secret: SecretText, now: float) -> None:
    """Check that Stripe signed `body` within TOLERANCE_SECONDS of `now`, Unix seconds, before or after.

    The SDK's own check accepts any future time, and takes the first of several times in a header. So the SDK
    only checks the signature here, of a header with exactly one time.

    Raises
    ------
    BadSignatureError
    """
    named = _HEADER.fullmatch(header)
    if named is None:
        raise BadSignatureError("malformed")
    if not _signed(body, header, secret):
        raise BadSignatureError("wrong_signature")
    if abs(now - int(named["at"])) > TOLERANCE_SECONDS:
        raise BadSignatureError("stale" if int(named["at"]) < now else "future")


def _signed(body: bytes, header: str, secret: SecretText) -> bool:
    from stripe import SignatureVerificationError, WebhookSignature

    try:
        WebhookSignature.verify_header(body, header, secret.reveal())
    except (SignatureVerificationError, UnicodeDecodeError):
        return False
    return True


def _client(api_key: SecretText, address: str) -> Any:
    import stripe

    return stripe.StripeClient(
        api_key.reveal(),
        base_addresses={"api": address},
        stripe_version=API_VERSION,
        max_network_retries=RETRIES,
        http_client=stripe.RequestsClient(timeout=(CONNECT_SECONDS, ANSWER_SECONDS)),
    )


def _asked(call: Callable[[], T]) -> T:
    """The result of `call`, or our error, raised outside of `except` so that Stripe's is not its context."""
    from stripe import StripeError

    try:
        return call()
    except StripeError as fault:
        status, code = fault.http_status, fault.code or type(fault).__name__
    if status is None or status >= 500 or status in _LATER_STATUSES:
        raise StripeUnavailableError(f"Stripe: {code}")
    raise StripeRefusedError(code, status)


def _plain(found: Any) -> StripeObject:
    thing: StripeObject = found.to_dict()
    return thing
