"""The pages' HTML: plain forms with labels, which work without scripts. All inserted text is escaped."""

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape

from fake_stripe.world import StripeObject

_STYLE = (
    "body{font:16px/1.5 system-ui;max-width:34rem;margin:3rem auto;padding:0 1rem}"
    "label{display:block;margin:.6rem 0}"
    "input{display:block;box-sizing:border-box;width:100%;font:inherit;padding:.4rem}"
    "button{font:inherit;padding:.4rem 1rem;margin:.3rem 0}section{border-top:1px solid #ccc;padding:.5rem 0}"
    "[role=alert]{background:#fdd;padding:.5rem}"
)


def page(title: str, parts: Iterable[str], problem: str | None = None) -> str:
    alert = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style><body><h1>{escape(title)}</h1>"
        f"<p>Local Stripe: test cards only.</p>{alert}{''.join(parts)}</body></html>"
    )


def form(action: str, button: str, parts: Iterable[str] = (), hidden: StripeObject | None = None) -> str:
    kept = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(str(value))}">'
        for name, value in (hidden or {}).items()
    )
    inside = "".join(parts)
    return (
        f'<form method="post" action="{escape(action)}">{kept}{inside}'
        f'<button type="submit">{escape(button)}</button></form>'
    )


def field(name: str, label: str, kind: str = "text", hint: str = "", value: str = "") -> str:
    return (
        f'<label>{escape(label)}<input name="{escape(name)}" type="{kind}" placeholder="{escape(hint)}" '
        f'value="{escape(value)}" autocomplete="off" required></label>'
    )


def card_fields() -> list[str]:
    return [
        field("number", "Card number", hint="4242 4242 4242 4242"),
        field("expiry", "Expires", hint="MM / YY"),
        field("cvc", "Security code", hint="123"),
    ]


def section(title: str, parts: Iterable[str]) -> str:
    return f"<section><h2>{escape(title)}</h2>{''.join(parts)}</section>"


def text(words: str) -> str:
    return f"<p>{escape(words)}</p>"


def link(address: str, words: str) -> str:
    return f'<p><a href="{escape(address)}">{escape(words)}</a></p>'


def amount(cents: int, currency: str) -> str:
    return f"{cents / 100:.2f} {currency.upper()}"


def price(thing: StripeObject) -> str:
    """An invoice's total, or a line's amount."""
    return amount(thing.get("total", thing.get("amount")) or 0, thing["currency"])


def due(invoice: StripeObject) -> str:
    return amount(invoice["amount_remaining"], invoice["currency"])


def date(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%d %B %Y}"
