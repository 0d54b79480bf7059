import copy
import dataclasses
import inspect
import io
import json
import logging
import pickle
import pprint
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared import journal
from functions.shared.clickhouse_address import ClickHouseAddress
from functions.shared.errors import SettingsError
from functions.shared.secret_text import SecretText

CANARY = "canary-Tr0ub4dor"


@dataclass(frozen=True, slots=True)
class Holder:
    name: str
    secret: SecretText


SECRET = SecretText(CANARY)
HOLDER = Holder("holder", SECRET)

SHOWN: dict[str, Callable[[], Any]] = {
    "repr": lambda: repr(SECRET),
    "str": lambda: str(SECRET),
    "bytes of str": lambda: str(SECRET).encode(),
    "format": lambda: format(SECRET, ">40"),
    "f-string": lambda: f"{SECRET} {SECRET!r} {SECRET!s} {SECRET!a} {SECRET:.50}",
    "percent": lambda: "%s %r %a" % (SECRET, SECRET, SECRET),  # noqa: UP031
    "str.format": lambda: "{0} {0!r} {0:s}".format(SECRET),  # noqa: UP032
    "pprint": lambda: pprint.pformat([SECRET, {"a": SECRET}]),
    "in a list": lambda: repr([SECRET]),
    "in a dataclass": lambda: repr(HOLDER),
    "in an address": lambda: repr(ClickHouseAddress("host", 8123, False, CANARY, SECRET, "logs")),
    "JSON of what it cannot": lambda: json.dumps({"secret": SECRET}, default=str),
    "msgspec of what it cannot": lambda: msgspec.json.encode({"secret": SECRET}, enc_hook=str),
    "dir": lambda: dir(SECRET),
    "members": lambda: inspect.getmembers(SECRET),
    "slots": lambda: [getattr(SECRET, name, None) for name in ("__held", "_SecretText__held", "__dict__")],
    "an exception's text": lambda: repr(ValueError(SECRET)),
}

REFUSED: dict[str, Callable[[], Any]] = {
    "json": lambda: json.dumps({"secret": SECRET}),
    "msgspec json": lambda: msgspec.json.encode(SECRET),
    "msgspec msgpack": lambda: msgspec.msgpack.encode({"secret": SECRET}),
    "msgspec of a dataclass": lambda: msgspec.json.encode(HOLDER),
    "msgspec builtins": lambda: msgspec.to_builtins(SECRET),
    "copy": lambda: copy.copy(SECRET),
    "deepcopy": lambda: copy.deepcopy(SECRET),
    "deepcopy of what holds it": lambda: copy.deepcopy({"a": [SECRET]}),
    "asdict": lambda: dataclasses.asdict(HOLDER),
    "vars": lambda: vars(SECRET),
    "iteration": lambda: list(SECRET),  # type: ignore[call-overload]
    "addition": lambda: SECRET + "",  # type: ignore[operator]
    "join": lambda: "".join([SECRET]),  # type: ignore[list-item]
    "bytes": lambda: bytes(SECRET),  # type: ignore[call-overload]
    "hash": lambda: hash(SECRET),
    "hash of what holds it": lambda: hash(HOLDER),
    "getstate": SECRET.__getstate__,
    "reduce": SECRET.__reduce__,
    "journal": lambda: journal.write("tested", reason=SECRET),  # type: ignore[arg-type]
    **{
        f"pickle {protocol}": lambda protocol=protocol: pickle.dumps(SECRET, protocol)
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
}


@pytest.mark.parametrize("way", SHOWN)
def test_what_shows_a_secret_shows_nothing_of_it(way: str) -> None:
    shown = SHOWN[way]()

    assert CANARY not in str(shown)
    assert CANARY[:6] not in str(shown)


@pytest.mark.parametrize("way", REFUSED)
def test_what_would_carry_a_secret_away_is_refused(way: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TypeError) as refused:
        REFUSED[way]()

    assert CANARY not in str(refused.value)
    assert CANARY not in capsys.readouterr().out


def test_a_traceback_with_locals_does_not_show_a_secret() -> None:
    def sign_in(password: SecretText) -> None:
        held = [password]
        raise ValueError("refused", held)

    try:
        sign_in(SECRET)
    except ValueError as fault:
        report = traceback.TracebackException.from_exception(fault, capture_locals=True)

    text = "".join(report.format())
    assert "held = [SecretText(…)]" in text
    assert CANARY not in text


def test_a_log_record_does_not_show_a_secret() -> None:
    out = io.StringIO()
    logger = logging.Logger("test")
    logger.addHandler(logging.StreamHandler(out))

    logger.warning("with %s, %r", SECRET, SECRET)
    logger.warning(SECRET)

    assert out.getvalue() == "with …, SecretText(…)\n…\n"


@pytest.mark.parametrize("other", [None, 7, CANARY.encode(), ["a"]])
def test_a_secret_is_made_of_text_only_and_the_refusal_does_not_show_it(other: Any) -> None:
    with pytest.raises(TypeError, match="a secret is made of text") as refused:
        SecretText(other)

    assert CANARY not in str(refused.value)


@given(st.text(alphabet=st.characters(exclude_categories=[])), st.text())
def test_secrets_are_equal_when_their_texts_are_and_never_equal_plain_text(one: str, other: str) -> None:
    assert SecretText(one).reveal() == one
    assert SecretText(one) == SecretText(one)
    assert (SecretText(one) == SecretText(other)) == (one == other)
    assert SecretText(one) != one
    assert bool(SecretText(one)) == bool(one)


def test_an_address_from_json_keeps_its_password_secret() -> None:
    fields = {"host": "h", "port": 8443, "secure": True, "user": "u", "password": CANARY, "database": "d"}

    address = ClickHouseAddress.from_json(json.dumps(fields))

    assert address == ClickHouseAddress("h", 8443, True, "u", SecretText(CANARY), "d")
    assert CANARY not in repr(address)
    assert dataclasses.replace(address, database="default").password.reveal() == CANARY


@pytest.mark.parametrize(
    "text",
    ["", CANARY, f'"{CANARY}"', f'["{CANARY}"]', f'{{"password": "{CANARY}"}}', f'{{"password": "{CANARY}",'],
)
def test_a_secret_that_is_no_address_is_an_error_that_repeats_nothing_of_it(text: str) -> None:
    with pytest.raises(SettingsError, match="host, port, secure, user, password, database") as fault:
        ClickHouseAddress.from_json(text)

    assert CANARY not in f"{fault.value} {vars(fault.value)}"
    assert fault.value.__context__ is None
