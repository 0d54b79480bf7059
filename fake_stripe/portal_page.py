"""The billing portal's page: plan, card and invoices, as far as the configuration enables them."""

from collections.abc import Callable

from aiohttp import web

from fake_stripe import html
from fake_stripe import portal_actions as portal
from fake_stripe.errors import ApiError
from fake_stripe.forms import Form, answer, card_of, form_of, redirect
from fake_stripe.world import StripeObject, World

_FEATURES = {
    "cancel": "subscription_cancel",
    "resume": "subscription_cancel",
    "switch": "subscription_update",
    "card": "payment_method_update",
    "pay": "invoice_history",
}
"""Button -> the feature of the configuration that enables it."""


class PortalPage:
    """Handlers for one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add_to(self, application: web.Application) -> None:
        application.router.add_get("/portal/{secret}", self._show)
        application.router.add_post("/portal/{secret}/{action}", self._do)

    async def _show(self, request: web.Request) -> web.Response:
        return self._page(request, None)

    def _page(self, request: web.Request, problem: str | None) -> web.Response:
        secret = request.match_info["secret"]
        try:
            session = portal.session_of(self._world, secret)
        except ApiError as refused:
            return answer(html.page("Billing", [], str(refused)), refused.status)
        base = f"/portal/{secret}"
        running = portal.subscriptions_of(self._world, session)
        parts = [self._subscription(base, session, each) for each in running]
        if self._shows(session, "card"):
            cards = [html.text(_face(each)) for each in portal.cards_of(self._world, session)]
            form = html.form(f"{base}/card", "Save card", html.card_fields())
            parts.append(html.section("Payment method", [*cards, form]))
        if self._shows(session, "pay"):
            parts += [_invoice(base, each) for each in portal.invoices_of(self._world, session)]
        if session["return_url"]:
            parts.append(html.link(session["return_url"], "Return"))
        return answer(html.page("Billing", parts, problem), 402 if problem else 200)

    def _subscription(self, base: str, session: StripeObject, thing: StripeObject) -> str:
        which = {"subscription": thing["id"]}
        products = [self._world.get("product", item["price"]["product"]) for item in thing["items"]["data"]]
        names = ", ".join(dict.fromkeys(product["name"] for product in products))
        parts = [html.text(f"Status: {thing['status']}")]
        if thing["cancel_at"]:
            parts.append(html.text(f"Ends on {html.date(thing['cancel_at'])}"))
        if self._shows(session, "cancel"):
            action, words = (
                ("resume", "Don't cancel plan") if thing["cancel_at"] else ("cancel", "Cancel plan")
            )
            parts.append(html.form(f"{base}/{action}", words, hidden=which))
        for product in portal.choices(self._world, session, thing):
            hidden = {**which, "product": product["id"]}
            parts.append(html.form(f"{base}/switch", f"Switch to {product['name']}", hidden=hidden))
        return html.section(names, parts)

    async def _do(self, request: web.Request) -> web.Response:
        """Run a button's action, then show the page again."""
        form = await form_of(request)
        try:
            session = portal.session_of(self._world, request.match_info["secret"])
            self._action(session, request.match_info["action"])(session, form)
        except ApiError as refused:
            return self._page(request, str(refused))
        return redirect(f"/portal/{request.match_info['secret']}")

    def _action(self, session: StripeObject, name: str) -> Callable[[StripeObject, Form], None]:
        actions = {
            "cancel": portal.cancel,
            "resume": portal.resume,
            "switch": portal.switch,
            "pay": portal.pay,
        }
        if name not in _FEATURES or not self._shows(session, name):
            raise ApiError(404, "There is no such button.")
        if name == "card":
            return lambda session, form: portal.update_payment_method(
                self._world, session, *card_of(self._world, form)
            )
        return lambda session, form: actions[name](self._world, session, form)

    def _shows(self, session: StripeObject, action: str) -> bool:
        return bool(portal.features_of(self._world, session)[_FEATURES[action]]["enabled"])


def _face(method: StripeObject) -> str:
    card = method["card"]
    expires = f"{card['exp_month']:02}/{card['exp_year']}"
    return f"{card['brand'].title()} ending in {card['last4']}, expires {expires}"


def _invoice(base: str, invoice: StripeObject) -> str:
    parts = [html.text(f"{invoice['status']}, {html.due(invoice)} due, of {html.price(invoice)}")]
    parts.append(html.link(invoice["hosted_invoice_url"], "View"))
    if invoice["status"] in ("open", "uncollectible"):
        parts.append(html.form(f"{base}/pay", "Pay now", hidden={"invoice": invoice["id"]}))
    return html.section(f"Invoice {invoice['number']}", parts)
