"""What a person sees in a browser: the checkout, the portal and an invoice's own page.

A card number lives as long as the request that carries it: it is looked at by local.stripe.cards, and is in
no object, answer, address or log line.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from aiohttp import web

from local.stripe import cards, checkout, html, portal
from local.stripe.collect import collect
from local.stripe.errors import RefusedError
from local.stripe.payment_methods import give, new_method
from local.stripe.world import Thing, World

Form = dict[str, str]


class Pages:
    """Handlers around one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add_to(self, application: web.Application) -> None:
        router = application.router
        router.add_get("/pay/{id}", self._show_checkout)
        router.add_post("/pay/{id}", self._pay)
        router.add_get("/invoice/{id}", self._show_invoice)
        router.add_post("/invoice/{id}", self._pay_invoice)
        router.add_get("/portal/{secret}", self._show_portal)
        router.add_post("/portal/{secret}/{deed}", self._do)

    async def _show_checkout(self, request: web.Request) -> web.Response:
        return self._checkout(request, None)

    def _checkout(self, request: web.Request, problem: str | None) -> web.Response:
        session = self._world.find("checkout.session", request.match_info["id"])
        if session is None or session["status"] != "open":
            return _answer(html.page("Checkout", [], "This page has been used or has expired."), 404)
        lines = self._world.notes[f"lines {session['id']}"]
        rows = [html.text(f"{line['description']}: {_price(line)}") for line in lines]
        known = session["customer"] or session["customer_email"]
        email = [] if known else [html.field("email", "Email", "email", "you@example.com")]
        name = html.field("name", "Name on card")
        form = html.form(f"/pay/{session['id']}", "Subscribe", [*email, name, *html.card_fields()])
        back = [html.link(session["cancel_url"], "Go back")] if session["cancel_url"] else []
        return _answer(html.page("Checkout", [*rows, form, *back], problem), 402 if problem else 200)

    async def _pay(self, request: web.Request) -> web.Response:
        form = await _form(request)
        session = self._world.find("checkout.session", request.match_info["id"])
        if session is None:
            return self._checkout(request, None)
        try:
            card, expires = self._card(form)
            onward = checkout.complete(
                self._world, session, card, expires, form.get("email"), form.get("name")
            )
        except RefusedError as refused:
            return self._checkout(request, str(refused))
        return _onward(onward)

    async def _show_invoice(self, request: web.Request) -> web.Response:
        return self._invoice(request, None)

    def _invoice(self, request: web.Request, problem: str | None) -> web.Response:
        invoice = self._world.find("invoice", request.match_info["id"])
        if invoice is None or invoice["status"] == "draft":
            return _answer(html.page("Invoice", [], "There is no such invoice."), 404)
        rows = [html.text(f"{line['description']}: {_amount(line)}") for line in invoice["lines"]["data"]]
        due = html.text(f"{invoice['number']}: {invoice['status']}, {_due(invoice)} due")
        open_one = invoice["status"] in ("open", "uncollectible")
        form = [html.form(f"/invoice/{invoice['id']}", "Pay", html.card_fields())] if open_one else []
        return _answer(html.page("Invoice", [due, *rows, *form], problem), 402 if problem else 200)

    async def _pay_invoice(self, request: web.Request) -> web.Response:
        form = await _form(request)
        try:
            invoice = self._world.get("invoice", request.match_info["id"])
            card, expires = self._card(form)
            customer = self._world.get("customer", invoice["customer"])
            method = give(self._world, new_method(self._world, card, expires), customer)
            refusal = collect(self._world, invoice, scheduled=False, method=method)
        except RefusedError as refused:
            refusal = refused
        return self._invoice(request, str(refusal) if refusal else None)

    async def _show_portal(self, request: web.Request) -> web.Response:
        return self._portal(request, None)

    def _portal(self, request: web.Request, problem: str | None) -> web.Response:
        secret = request.match_info["secret"]
        try:
            session = portal.session_of(self._world, secret)
        except RefusedError as refused:
            return _answer(html.page("Billing", [], str(refused)), refused.status)
        base = f"/portal/{secret}"
        parts = [
            self._subscription(base, session, each) for each in portal.subscriptions_of(self._world, session)
        ]
        parts += [_invoice_row(base, each) for each in self._invoices(session)]
        parts.append(html.section("Card", [html.form(f"{base}/card", "Save card", html.card_fields())]))
        if session["return_url"]:
            parts.append(html.link(session["return_url"], "Return"))
        return _answer(html.page("Billing", parts, problem), 402 if problem else 200)

    def _subscription(self, base: str, session: Thing, thing: Thing) -> str:
        which = {"subscription": thing["id"]}
        products = [self._world.get("product", item["price"]["product"]) for item in thing["items"]["data"]]
        names = ", ".join(dict.fromkeys(product["name"] for product in products))
        parts = [html.text(f"Status: {thing['status']}")]
        if thing["cancel_at"]:
            parts.append(html.text(f"Ends on {html.date(thing['cancel_at'])}"))
            parts.append(html.form(f"{base}/resume", "Don't cancel plan", hidden=which))
        else:
            parts.append(html.form(f"{base}/cancel", "Cancel plan", hidden=which))
        for product in portal.choices(self._world, session, thing):
            hidden = {**which, "product": product["id"]}
            parts.append(html.form(f"{base}/switch", f"Switch to {product['name']}", hidden=hidden))
        return html.section(names, parts)

    def _invoices(self, session: Thing) -> list[Thing]:
        theirs = [each for each in self._world.all("invoice") if each["customer"] == session["customer"]]
        return [each for each in theirs if each["status"] != "draft"][::-1]

    async def _do(self, request: web.Request) -> web.Response:
        """A button of the portal; then its page again."""
        form = await _form(request)
        try:
            session = portal.session_of(self._world, request.match_info["secret"])
            self._deed(request.match_info["deed"])(session, form)
        except RefusedError as refused:
            return self._portal(request, str(refused))
        return _onward(f"/portal/{request.match_info['secret']}")

    def _deed(self, name: str) -> Callable[[Thing, Form], None]:
        deeds = {"cancel": portal.cancel, "resume": portal.resume, "switch": portal.switch, "pay": portal.pay}
        if name == "card":
            return lambda session, form: portal.fix_card(self._world, session, *self._card(form))
        if name not in deeds:
            raise RefusedError(404, "There is no such button.")
        return lambda session, form: deeds[name](self._world, session, form)

    def _card(self, form: Form) -> tuple[cards.Card, tuple[int, int]]:
        now = datetime.fromtimestamp(self._world.now(), UTC)
        card = cards.of_number(form.get("number", ""))
        expires = cards.expiry(form.get("expiry", ""), now.year, now.month)
        cards.check_code(form.get("cvc", ""))
        return card, expires


async def _form(request: web.Request) -> Form:
    """A form from this very page: another site's is refused, so that it cannot press a button."""
    origin = request.headers.get("Origin")
    if origin not in (None, "null") and urlsplit(origin).netloc != request.host:
        raise web.HTTPForbidden(text="Forms come from the page itself.")
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


def _answer(page: str, status: int) -> web.Response:
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return web.Response(text=page, status=status, content_type="text/html", headers=headers)


def _onward(address: str) -> web.Response:
    return web.Response(status=303, headers={"Location": address, "Cache-Control": "no-store"})


def _invoice_row(base: str, invoice: Thing) -> str:
    parts = [html.text(f"{invoice['status']}, {_due(invoice)} due, of {_amount(invoice)}")]
    if invoice["status"] in ("open", "uncollectible"):
        parts.append(html.form(f"{base}/pay", "Pay now", hidden={"invoice": invoice["id"]}))
    return html.section(f"Invoice {invoice['number']}", parts)


def _price(line: Thing) -> str:
    metered = line["price"]["recurring"]["usage_type"] == "metered"
    return "by usage" if metered else html.amount(line["amount_total"], line["currency"])


def _amount(thing: Thing) -> str:
    return html.amount(thing.get("total", thing.get("amount")) or 0, thing["currency"])


def _due(invoice: Thing) -> str:
    return html.amount(invoice["amount_remaining"], invoice["currency"])
