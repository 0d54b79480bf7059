"""The scan for card numbers finds them however they are written, and takes nothing else for one."""

import base64
import json
import random
import time
from uuid import UUID

import pytest

from tests.browser.card_numbers import cards_in, is_a_cards

CARDS = {
    "visa": "4242424242424242",
    "visa of 13": "4222222222222",
    "visa of 19": "4000000000000000006",
    "mastercard": "5555555555554444",
    "mastercard of the second series": "2223003122003222",
    "american express": "378282246310005",
    "discover": "6011111111111117",
    "diners club": "36227206271667",
    "jcb": "3566002020360505",
    "unionpay": "6200000000000005",
    "maestro": "6759649826438453",
}


@pytest.mark.parametrize("digits", CARDS.values(), ids=CARDS)
def test_a_card_number_is_found_however_it_is_written(digits: str) -> None:
    fours = [digits[place : place + 4] for place in range(0, len(digits), 4)]
    groups = fours if len(fours[-1]) >= 3 else [*fours[:-2], fours[-2] + fours[-1]]
    written = [
        digits,
        *(separator.join(groups) for separator in (" ", "-", ".", "\u00a0")),
        f"number={'+'.join(groups)}&cvc=123",
        f"number={'%20'.join(groups)}&cvc=123",
        json.dumps({"message": f"paid with {digits}, thanks"}),
        json.dumps({"message": json.dumps({"of": "\u00a0".join(groups)})}),
        f"('{digits}',)",
        f"\t{digits}\n",
        base64.b64encode(f"name=A+Tester&number={'+'.join(groups)}&cvc=123".encode()).decode(),
        repr({"event": base64.b64encode(json.dumps({"number": digits}).encode()).decode()}),
    ]
    assert [text for text in written if cards_in(text.encode()) != [digits]] == []


def test_a_number_with_another_check_digit_is_no_card_s() -> None:
    for digits in CARDS.values():
        others = [f"{digits[:-1]}{last}" for last in range(10)]
        assert [each for each in others if is_a_cards(each)] == [digits]


def test_a_number_that_is_no_card_number_is_not_reported() -> None:
    """Three thousand of each kind of thing that this service writes."""
    chance, now = random.Random(8), time.time_ns()
    for _ in range(3_000):
        at = now + chance.randrange(10**17)
        for text in (
            f"{at}",
            f"{at // 1000}",
            f"{at // 1_000_000}",
            f"{at / 1e9}",
            f"elapsed_ms={chance.random() * 100}",
            str(UUID(int=chance.getrandbits(128), version=4)),
            f"{chance.getrandbits(256):064x}",
            f"sub_{chance.getrandbits(128):x}",
            time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at / 1e9)),
            time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at / 1e9)),
            f"arn:aws:sqs:us-east-1:123456789012:queue-{chance.getrandbits(64)}x",
        ):
            assert cards_in(text.encode()) == [], text
