"""API keys: generated with enough chance, checked for typing errors, found in any sender's headers."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.accounts import keys
from functions.shared import sent_key

KEY = keys.generate()


def basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def test_a_minted_key_is_well_formed_and_never_the_same() -> None:
    minted = {keys.generate() for _ in range(1000)}
    assert len(minted) == 1000
    assert all(keys.well_formed(key) for key in minted)


def test_a_key_carries_at_least_160_random_bits() -> None:
    assert 62**keys.RANDOM_CHARACTERS >= 2**160


@given(st.integers(0, len(KEY) - 1), st.characters(codec="ascii", categories=["L", "N"]))
def test_one_wrong_character_is_noticed(place: int, character: str) -> None:
    wrong = KEY[:place] + character + KEY[place + 1 :]
    assert keys.well_formed(wrong) == (wrong == KEY)


@pytest.mark.parametrize(
    "text",
    ["", "ast_sk_live_", KEY + "x", KEY[:-1], KEY.upper(), "x" * 46, KEY + "\n"],
    ids=["nothing", "prefix", "longer", "shorter", "capitals", "no prefix", "line end"],
)
def test_what_is_no_key_is_noticed(text: str) -> None:
    assert not keys.well_formed(text)


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer  {KEY} "},
        {"authorization": KEY},
        {"authorization": f"Splunk {KEY}"},
        {"authorization": f"Basic {basic('anyone', KEY)}"},
        {"authorization": f"Basic {basic('', KEY)}"},
        {"authorization": f"Basic {basic(KEY, '')}"},
        {"authorization": f"Basic {basic(KEY, 'x')}"},
        {"authorization": f"Basic {basic(keys.generate(), KEY)}"},
        {"authorization": f"basic  {basic(KEY, '')}"},
        {"authorization": f"ApiKey {basic('id', KEY)}"},
        {"x-api-key": KEY},
        {"dd-api-key": KEY},
        {"x-amz-firehose-access-key": KEY},
        {"authorization": " ", "x-api-key": f" {KEY} "},
    ],
)
def test_a_key_is_found_wherever_its_sender_puts_it(headers: dict[str, str]) -> None:
    assert sent_key.find(headers) == KEY


def test_a_mistyped_key_as_the_user_is_found_and_is_not_well_formed() -> None:
    result = sent_key.find({"authorization": f"Basic {basic(KEY[:-1], '')}"})
    assert result == KEY[:-1]
    assert not keys.well_formed(result)


@pytest.mark.parametrize("headers", [{}, {"authorization": ""}, {"cookie": KEY}])
def test_no_key_is_none(headers: dict[str, str]) -> None:
    assert sent_key.find(headers) is None


@pytest.mark.parametrize(
    "value",
    [
        "Basic !!!",
        "Basic ",
        "Bearer",
        "Digest x",
        "Basic " + "w7bDtg==",
        "ApiKey /w==",
        "Basic é",
        "ApiKey \x80===",
    ],
)
def test_a_garbled_header_yields_no_good_key(value: str) -> None:
    assert not keys.well_formed(sent_key.find({"authorization": value}) or "")


@pytest.mark.parametrize("name", ["key", "api_key", "dd-api-key"])
def test_a_sender_that_knows_nothing_but_a_url_puts_its_key_into_the_query(name: str) -> None:
    assert sent_key.find_in_query({"other": "x", name: f" {KEY} "}) == KEY
    assert sent_key.find_in_query({"other": KEY, name: ""}) is None
