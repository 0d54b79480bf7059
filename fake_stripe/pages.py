"""Browser pages: the checkout and an invoice's page. The portal's page is fake_stripe.portal_page."""

from aiohttp import web

from fake_stripe import checkout, html
from fake_stripe.collect import collect
from fake_stripe.errors import ApiError
from fake_stripe.forms import Form, answer, card_of, form_of, redirect
from fake_stripe.payment_methods import give, new_method
from fake_stripe.world import StripeObject, World


class Pages:
    """Handlers for one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add_to(self, application: web.Application) -> None:
        router = application.router
        router.add_get("/pay/{id}", self._show_checkout)
        router.add_post("/pay/{id}", self._pay)
        router.add_get("/invoice/{id}", self._show_invoice)
        router.add_post("/invoice/{id}", self._pay_invoice)

    async def _show_checkout(self, request: web.Request) -> web.Response:
        return self._checkout(request, {}, None)

    def _checkout(self, request: web.Request, form: Form, problem: str | None) -> web.Response:
        """The page; after an error it keeps the form's values except the card."""
        session = self._world.find("checkout.session", request.match_info["id"])
        if session is None or session["status"] != "open":
            return answer(html.page("Checkout", [], "This page has been used or has expired."), 404)
        lines = self._world.notes[f"lines {session['id']}"]
        rows = [html.text(f"{line['description']}: {_price(line)}") for line in lines]
        trial_end = checkout.trial_end_of(self._world, session)
        rows += [html.text(f"Free until {html.date(trial_end)}")] if trial_end else []
        known = session["customer"] or session["customer_email"]
        typed = form.get("email", "")
        email = [] if known else [html.field("email", "Email", "email", "you@example.com", typed)]
        name = html.field("name", "Name on card", value=form.get("name", ""))
        inside = [*email, name, *html.card_fields()]
        back = [html.link(session["cancel_url"], "Go back")] if session["cancel_url"] else []
        parts = [*rows, html.form(f"/pay/{session['id']}", "Subscribe", inside), *back]
        return answer(html.page("Checkout", parts, problem), 402 if problem else 200)

    async def _pay(self, request: web.Request) -> web.Response:
        """Subscribe once, even if the button is pressed twice; both requests redirect to the success page."""
        form = await form_of(request)
        session = self._world.find("checkout.session", request.match_info["id"])
        if session is None:
            return self._checkout(request, form, None)
        if session["status"] == "complete":
            return redirect(checkout.success_url(session))
        try:
            card, expires = card_of(self._world, form)
            checkout.complete(self._world, session, card, expires, form.get("email"), form.get("name"))
        except ApiError as refused:
            return self._checkout(request, form, str(refused))
        return redirect(checkout.success_url(session))

    async def _show_invoice(self, request: web.Request) -> web.Response:
        return self._invoice(request, None)

    def _invoice(self, request: web.Request, problem: str | None) -> web.Response:
        invoice = self._world.find("invoice", request.match_info["id"])
        if invoice is None or invoice["status"] == "draft":
            return answer(html.page("Invoice", [], "There is no such invoice."), 404)
        rows = [html.text(f"{line['description']}: {html.price(line)}") for line in invoice["lines"]["data"]]
        due = html.text(f"{invoice['number']}: {invoice['status']}, {html.due(invoice)} due")
        open_one = invoice["status"] in ("open", "uncollectible")
        form = [html.form(f"/invoice/{invoice['id']}", "Pay", html.card_fields())] if open_one else []
        return answer(html.page("Invoice", [due, *rows, *form], problem), 402 if problem else 200)

    async def _pay_invoice(self, request: web.Request) -> web.Response:
        form = await form_of(request)
        try:
            invoice = self._world.get("invoice", request.match_info["id"])
            card, expires = card_of(self._world, form)
            customer = self._world.get("customer", invoice["customer"])
            method = give(self._world, new_method(self._world, card, expires), customer)
            refusal = collect(self._world, invoice, scheduled=False, method=method)
        except ApiError as refused:
            refusal = refused
        return self._invoice(request, str(refusal) if refusal else None)


def _price(line: StripeObject) -> str:
    metered = line["price"]["recurring"]["usage_type"] == "metered"
    return "by usage" if metered else html.amount(line["amount_total"], line["currency"])
