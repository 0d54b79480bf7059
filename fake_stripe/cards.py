"""Test cards and their behavior. A number is read once, in `of_number`, and is never stored.

Numbers and names of ready-made payment methods are those of Stripe's page on testing.
"""

from dataclasses import dataclass

from fake_stripe.errors import ApiError, declined, invalid

DECLINED = ("generic_decline", "Your card was declined.")
INSUFFICIENT = ("insufficient_funds", "Your card has insufficient funds.")
EXPIRED = ("expired_card", "Your card has expired.")


@dataclass(frozen=True, slots=True)
class Card:
    """`refuses`: error when attached; `fails`: error when charged; both are (decline code, message)."""

    brand: str
    last4: str
    refuses: tuple[str, str] | None = None
    fails: tuple[str, str] | None = None


VISA = Card("visa", "4242")
MASTERCARD = Card("mastercard", "4444")
CHARGES_FAIL = Card("visa", "0341", fails=DECLINED)

_NUMBERS = {
    "4242424242424242": VISA,
    "5555555555554444": MASTERCARD,
    "4000000000000341": CHARGES_FAIL,
    "4000000000000002": Card("visa", "0002", DECLINED, DECLINED),
    "4000000000009995": Card("visa", "9995", INSUFFICIENT, INSUFFICIENT),
    "4000000000000069": Card("visa", "0069", EXPIRED, EXPIRED),
}
_READY_MADE = {
    "pm_card_visa": VISA,
    "pm_card_mastercard": MASTERCARD,
    "pm_card_chargeCustomerFail": CHARGES_FAIL,
    "pm_card_chargeDeclined": _NUMBERS["4000000000000002"],
    "pm_card_chargeDeclinedInsufficientFunds": _NUMBERS["4000000000009995"],
}


def of_number(number: str) -> Card:
    """The test card of this number; rejects invalid numbers and numbers that are not test cards."""
    digits = number.replace(" ", "").replace("-", "")
    if not (digits.isdecimal() and 12 <= len(digits) <= 19 and passes_luhn(digits)):
        raise _card_error("incorrect_number", "Your card number is incorrect.")
    card = _NUMBERS.get(digits)
    if card is None:
        raise _card_error("live_mode_test_card", "Your card was declined: only test cards are accepted.")
    return card


def ready_made(name: str) -> Card | None:
    return _READY_MADE.get(name)


def accept(card: Card) -> None:
    """Raise if the card cannot be attached."""
    if card.refuses:
        raise declined(*card.refuses)


def expiry(text: str, year_now: int, month_now: int) -> tuple[int, int]:
    """Month and year of `MM/YY`; rejected if past."""
    month, _, year = text.replace(" ", "").partition("/")
    if not (month.isdecimal() and year.isdecimal() and 1 <= int(month) <= 12):
        raise _card_error("invalid_expiry_month", "Your card's expiration date is invalid.")
    full_year = int(year) + (2000 if len(year) == 2 else 0)
    if (full_year, int(month)) < (year_now, month_now):
        raise _card_error("expired_card", "Your card has expired.")
    return int(month), full_year


def check_code(code: str) -> None:
    if not (code.isdecimal() and 3 <= len(code) <= 4):
        raise _card_error("incorrect_cvc", "Your card's security code is incorrect.")


def passes_luhn(digits: str) -> bool:
    doubled = [int(each) * (1 + place % 2) for place, each in enumerate(reversed(digits))]
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


def _card_error(code: str, message: str) -> ApiError:
    return ApiError(402, message, type="card_error", code=code)


def no_card() -> ApiError:
    return invalid(
        "This customer has no attached payment source or default payment method. "
        "Please consider adding a default payment method.",
        code="resource_missing",
    )
