"""Weak passwords are rejected by a rule that the answer names; what people choose well is accepted."""

import subprocess
import sys

import pytest

from functions.accounts import weak_passwords
from functions.accounts.forms import MAX_PASSWORD_CHARACTERS, MIN_PASSWORD_CHARACTERS
from functions.accounts.weak_passwords import COMMON, COMMON_ONE, OWN_WORDS, REPEATED, weakness
from infra.topology import function
from tests.measured import cost_of

ADA = ("ada.lovelace@engines.example.org", "Ada Byron")
GRACE = ("grace.hopper@navy.mil", "Grace Murray")
TOO_COMMON = COMMON_ONE.format(most=COMMON)


def of(password: str, own_words: tuple[str, ...] = ADA) -> str | None:
    return weakness(password, own_words, MIN_PASSWORD_CHARACTERS)


@pytest.mark.parametrize(
    "password",
    [
        "aaaaaaaaaaaa",
        "aAaAaAaAaAaAaA",
        "abcabcabcabc",
        "xk7-xk7-xk7-xk7-",
        "aaaa-bbbb-cccc",
        "aaaaaabbbbbbccccccddddddeeeeee",
        "123456789012",
        "abcdefghijklmnop",
        "zyxwvutsrqpo",
        "a" * MAX_PASSWORD_CHARACTERS,
    ],
)
def test_repetition_and_counting_do_not_make_a_password_longer(password: str) -> None:
    assert of(password) == REPEATED


@pytest.mark.parametrize(
    "password",
    [
        "ada.lovelace@engines.example.org",
        "ada.lovelace1815",
        "AdaLovelace!!75",
        "engines.example",
        "l0vel4ce-ada-77",
        "Ada-Byron-Ada-1815",
        "engines-engines-9",
    ],
)
def test_the_owners_words_do_not_count(password: str) -> None:
    assert of(password) == OWN_WORDS
    assert of(password, GRACE) != OWN_WORDS


@pytest.mark.parametrize(
    "password",
    ["123qweasdzxc", "Password1234", "P@ssw0rd!!12", "Dragon-1908-84", "qwertyuiop!!", "1!monkey1908"],
)
def test_a_common_password_is_rejected_and_decorating_it_does_not_help(password: str) -> None:
    assert of(password) == TOO_COMMON


def test_each_of_the_ten_thousand_most_common_passwords_is_rejected() -> None:
    """Those that are long enough; the length alone rejects the others."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    most = FREQUENCY_LISTS["passwords"][:10_000]
    long_enough = [each for each in most if len(each) >= MIN_PASSWORD_CHARACTERS]
    assert len(most) == COMMON
    assert len(long_enough) > 50
    assert [each for each in long_enough if of(each) is None] == []
    assert [each for each in long_enough if of(each.upper()) is None] == []


@pytest.mark.parametrize(
    "password",
    [
        "correct-horse-battery",
        "correct-Horse-7-battery",
        "bookkeeper-coffee",
        "839201748392",
        "ada-reads-quiet-mountains",
        "x7Kp2mQ9vLr4",
        "Käse-Brücke-Wölfe",
        "株式会社とねこいぬとりうま一二",
    ],
)
def test_what_people_choose_well_is_accepted(password: str) -> None:
    assert of(password) is None


def test_a_sign_in_does_not_load_the_list() -> None:
    script = "import sys; from functions.accounts import sign_in; assert 'zxcvbn' not in sys.modules"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


HOSTILE = {
    "look-alikes": "4@8({[<369&#!/|1$5+70%2",
    "repeated": "a",
    "nearly periodic": "ab" * 60 + "c",
    "own words": "adalovelaceenginesexample",
    "digits": "0123456789",
}


@pytest.mark.measured
@pytest.mark.parametrize("kind", HOSTILE)
def test_no_password_costs_more_than_a_sign_up_does_anyway(kind: str) -> None:
    """zxcvbn's own estimator takes 5 s of CPU on 72 look-alikes."""
    argument = {"piece": HOSTILE[kind], "times": 50}
    cost = cost_of(
        "tests.unit.accounts.test_weak_passwords:judge", argument, memory_mb=512, within_cpu_seconds=1
    )
    assert cost.cpu_seconds < 1.0, cost
    assert cost.peak_mb < function("sign-in").memory_mb / 2, cost


def judge(piece: str, times: int) -> int:
    """Judge a password of the greatest length so many times; the list is loaded once."""
    password = (piece * MAX_PASSWORD_CHARACTERS)[:MAX_PASSWORD_CHARACTERS]
    words = ("a" * 64 + "." + "b." * 30 + "@" + "c." * 20 + "example.org", "x " * 100)
    return sum(weak_passwords.weakness(password, words, 12) is None for _ in range(times))
