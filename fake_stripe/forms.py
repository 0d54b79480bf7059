"""Form data of the pages, and responses to it.

A card number exists only during the request that carries it: fake_stripe.cards reads it, and no object,
response, URL or log line has it.
"""

from datetime import UTC, datetime
from urllib.parse import urlsplit

from aiohttp import web

from fake_stripe import cards
from fake_stripe.world import World

Form = dict[str, str]


async def form_of(request: web.Request) -> Form:
    """A form sent by this page; another site's form is rejected (CSRF protection).

    Browsers send Origin, which is "null" when the other site hides itself. Programs send none.
    """
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise web.HTTPForbidden(text="Forms come from the page itself.")
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


def card_of(world: World, form: Form) -> tuple[cards.Card, tuple[int, int]]:
    """The test card of the form's number, and its expiry; raises RefusedError."""
    now = datetime.fromtimestamp(world.now(), UTC)
    card = cards.of_number(form.get("number", ""))
    expires = cards.expiry(form.get("expiry", ""), now.year, now.month)
    cards.check_code(form.get("cvc", ""))
    return card, expires


def answer(page: str, status: int) -> web.Response:
    """A page whose URL, which grants access, is no referrer for other sites; same-origin keeps Origin set."""
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
    return web.Response(text=page, status=status, content_type="text/html", headers=headers)


def redirect(address: str) -> web.Response:
    return web.Response(status=303, headers={"Location": address, "Cache-Control": "no-store"})
