"""What the pages' forms bring, and what they are answered.

A card number lives as long as the request that carries it: it is looked at by local.stripe.cards, and is in
no object, answer, address or log line.
"""

from datetime import UTC, datetime
from urllib.parse import urlsplit

from aiohttp import web

from local.stripe import cards
from local.stripe.world import World

Form = dict[str, str]


async def form_of(request: web.Request) -> Form:
    """A form from this very page: another site's is refused, so that it cannot press a button.

    A browser says so in Origin, which is "null" when the other site hides itself. Programs say nothing.
    """
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise web.HTTPForbidden(text="Forms come from the page itself.")
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


def card_of(world: World, form: Form) -> tuple[cards.Card, tuple[int, int]]:
    """The test card of the form's number, and when it expires; raises RefusedError."""
    now = datetime.fromtimestamp(world.now(), UTC)
    card = cards.of_number(form.get("number", ""))
    expires = cards.expiry(form.get("expiry", ""), now.year, now.month)
    cards.check_code(form.get("cvc", ""))
    return card, expires


def answer(page: str, status: int) -> web.Response:
    """No other site is told the address, which opens the page; itself it is, for else Origin is hidden."""
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
    return web.Response(text=page, status=status, content_type="text/html", headers=headers)


def onward(address: str) -> web.Response:
    return web.Response(status=303, headers={"Location": address, "Cache-Control": "no-store"})
