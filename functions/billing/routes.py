"""The routes of billing: each decodes the request, makes one call and encodes the response."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from functions.billing import forms
from functions.billing.apply import Desk, Item, NoAccountError
from functions.billing.book import Book
from functions.billing.books import Books
from functions.billing.checkout import Sales, refuse_closing
from functions.billing.usage import Usage
from functions.billing.usage_page import usage_page
from functions.billing.view import shown
from functions.shared.access import Principal, principal
from functions.shared.account.audit import origin
from functions.shared.account.standing import Standing
from functions.shared.errors import RefusalError, RetryableError
from functions.shared.http import Answer, Event, answer, request
from functions.shared.tenancy import TenantId


@dataclass(frozen=True, slots=True)
class Office:
    """The handler's dependencies, created once for each execution environment."""

    desk: Desk
    books: Books
    sales: Sales
    usage: Usage


def answer_to(event: Event, office: Office) -> Answer:
    """The response to one request."""
    route = event["routeKey"]
    caller = principal(event).require(SCOPES.get(route, "admin"))
    try:
        return ROUTES[route](office, caller, event)
    except NoAccountError:
        raise _gone() from None
    except RetryableError:
        raise RefusalError(
            503,
            "try_again",
            "Temporarily unavailable. Check the current state, then retry.",
            retry_after_seconds=2,
        ) from None


def _billing(office: Office, caller: Principal, _event: Event) -> Answer:
    return _shown(office, office.books.of(caller.tenant))


def _change_caps(office: Office, caller: Principal, event: Event) -> Answer:
    caps, who = forms.caps(request(event).body), origin(event, caller)

    def capped(book: Book) -> Book:
        refuse_closing(book)
        return caps.applied_to(book)

    def noted(book: Book) -> Sequence[Item]:
        return [office.desk.audit.entry(book.tenant, who, "billing.caps_changed", str(caps))]

    if not caps.new:
        return _billing(office, caller, event)
    return _shown(office, office.desk.change(caller.tenant, capped, who, also=noted))


def _checkout(office: Office, caller: Principal, event: Event) -> Answer:
    plan = forms.chosen_plan(request(event).body)
    url = office.sales.checkout(caller.tenant, plan, origin(event, caller))
    return answer(201, {"url": url}, cache_control="no-store")


def _change_plan(office: Office, caller: Principal, event: Event) -> Answer:
    plan = forms.chosen_plan(request(event).body)
    return _shown(office, office.sales.change_plan(caller.tenant, plan, origin(event, caller)))


def _portal(office: Office, caller: Principal, _event: Event) -> Answer:
    return answer(201, {"url": office.sales.portal(caller.tenant)}, cache_control="no-store")


def _usage(office: Office, caller: Principal, event: Event) -> Answer:
    standing = _standing(office, caller.tenant)
    book, now = office.books.of(caller.tenant), office.desk.clock()
    return answer(200, usage_page(office.usage, book, standing, request(event).query, now))


def _shown(office: Office, book: Book) -> Answer:
    return answer(200, shown(book, _standing(office, book.tenant), office.desk.clock()))


def _standing(office: Office, tenant: TenantId) -> Standing:
    standing = office.books.standing(tenant)
    if standing is None:
        raise _gone()
    return standing


def _gone() -> RefusalError:
    return RefusalError(404, "not_found", "This account no longer exists.")


ROUTES: dict[str, Callable[[Office, Principal, Event], Answer]] = {
    "GET /v1/billing": _billing,
    "PATCH /v1/billing": _change_caps,
    "POST /v1/billing/checkout": _checkout,
    "POST /v1/billing/plan": _change_plan,
    "POST /v1/billing/portal": _portal,
    "GET /v1/usage": _usage,
}

SCOPES = {"GET /v1/usage": "read"}
"""Scope that a key needs for routes that do not need `admin`."""
