"""The routes of billing: each decodes the request, makes one call and encodes the response."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from functions.billing import forms
from functions.billing.subscriptions.billing_page import billing_page
from functions.billing.subscriptions.billing_record import BillingRecord
from functions.billing.subscriptions.billing_service import BillingService, Item, NoAccountError
from functions.billing.subscriptions.billing_store import BillingStore
from functions.billing.subscriptions.checkout import PaymentService, reject_if_closing
from functions.billing.usage.usage_page import usage_page
from functions.billing.usage.usage_store import UsageStore
from functions.shared.access import Principal, principal
from functions.shared.accounts.account_status import ACCOUNT_CLOSING, AccountStatus
from functions.shared.accounts.audit import origin
from functions.shared.errors import HttpError
from functions.shared.http import Answer, Event, answer, request
from functions.shared.tenancy import TenantId


@dataclass(frozen=True, slots=True)
class BillingApi:
    """The handler's dependencies, created once for each execution environment."""

    service: BillingService
    records: BillingStore
    sales: PaymentService
    usage: UsageStore


def answer_to(event: Event, api: BillingApi) -> Answer:
    """The response to one request."""
    route = event["routeKey"]
    caller = principal(event).require(SCOPES.get(route, "admin"))
    try:
        return ROUTES[route](api, caller, event)
    except NoAccountError:
        raise _gone() from None


def _billing(api: BillingApi, caller: Principal, _event: Event) -> Answer:
    return _billing_response(api, api.records.of(caller.tenant))


def _change_caps(api: BillingApi, caller: Principal, event: Event) -> Answer:
    caps, who = forms.caps(request(event).body), origin(event, caller)

    def capped(record: BillingRecord) -> BillingRecord:
        reject_if_closing(record)
        return caps.applied_to(record)

    def audit_entries(record: BillingRecord) -> Sequence[Item]:
        return [api.service.audit.entry(record.tenant, who, "billing.caps_changed", str(caps))]

    if not caps.new:
        return _billing(api, caller, event)
    return _billing_response(api, api.service.change(caller.tenant, capped, who, also=audit_entries))


def _checkout(api: BillingApi, caller: Principal, event: Event) -> Answer:
    plan = forms.chosen_plan(request(event).body)
    url = api.sales.checkout(caller.tenant, plan, origin(event, caller))
    return answer(201, {"url": url}, cache_control="no-store")


def _change_plan(api: BillingApi, caller: Principal, event: Event) -> Answer:
    plan = forms.chosen_plan(request(event).body)
    return _billing_response(api, api.sales.change_plan(caller.tenant, plan, origin(event, caller)))


def _portal(api: BillingApi, caller: Principal, _event: Event) -> Answer:
    return answer(201, {"url": api.sales.portal(caller.tenant)}, cache_control="no-store")


def _usage(api: BillingApi, caller: Principal, event: Event) -> Answer:
    account_status = _account_status(api, caller.tenant)
    record, now = api.records.of(caller.tenant), api.service.clock()
    return answer(200, usage_page(api.usage, record, account_status, request(event).query, now))


def _billing_response(api: BillingApi, record: BillingRecord) -> Answer:
    account_status, now = _account_status(api, record.tenant), api.service.clock()
    closing = ACCOUNT_CLOSING if api.records.waits_for_erasure(record.tenant) else ""
    return answer(200, billing_page(record, account_status, closing or account_status.refusal(now), now))


def _account_status(api: BillingApi, tenant: TenantId) -> AccountStatus:
    account_status = api.records.account_status(tenant)
    if account_status is None:
        raise _gone()
    return account_status


def _gone() -> HttpError:
    return HttpError(404, "not_found", "This account no longer exists.")


ROUTES: dict[str, Callable[[BillingApi, Principal, Event], Answer]] = {
    "GET /v1/billing": _billing,
    "PATCH /v1/billing": _change_caps,
    "POST /v1/billing/checkout": _checkout,
    "POST /v1/billing/plan": _change_plan,
    "POST /v1/billing/portal": _portal,
    "GET /v1/usage": _usage,
}

SCOPES = {"GET /v1/usage": "read"}
"""Scope that a key needs for routes that do not need `admin`."""
