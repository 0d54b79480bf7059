"""What each of billing's routes does: decode, one call, encode."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from functions.billing import forms
from functions.billing.apply import Desk, Item
from functions.billing.book import Book
from functions.billing.books import Books
from functions.billing.checkout import Sales, refuse_closing
from functions.billing.view import shown
from functions.shared.access import Principal, principal
from functions.shared.account.audit import origin
from functions.shared.errors import RefusalError, RetryableError
from functions.shared.http import Answer, Event, answer, request


@dataclass(frozen=True, slots=True)
class Office:
    """The parts of this function, wired once an execution environment."""

    desk: Desk
    books: Books
    sales: Sales


def answer_to(event: Event, office: Office) -> Answer:
    """The answer."""
    caller = principal(event).require("admin")
    try:
        return ROUTES[event["routeKey"]](office, caller, event)
    except RetryableError:
        raise RefusalError(
            503, "try_again", "This cannot be done right now: look, and try again.", retry_after_seconds=2
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


def _shown(office: Office, book: Book) -> Answer:
    standing = office.books.standing(book.tenant)
    if standing is None:
        raise RefusalError(404, "not_found", "This account does not exist any more.")
    return answer(200, shown(book, standing, office.desk.clock()))


ROUTES: dict[str, Callable[[Office, Principal, Event], Answer]] = {
    "GET /v1/billing": _billing,
    "PATCH /v1/billing": _change_caps,
    "POST /v1/billing/checkout": _checkout,
    "POST /v1/billing/plan": _change_plan,
    "POST /v1/billing/portal": _portal,
}
