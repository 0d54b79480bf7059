"""Access tokens: what is ours is taken, everything that only looks like it is refused."""

import base64
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import RSAKey

from functions.accounts.tokens import (
    KEYS_SECONDS,
    LEEWAY_SECONDS,
    LOOK_AGAIN_SECONDS,
    AccessTokenVerifier,
    BadTokenError,
    Claims,
    KeysUnavailableError,
)
from functions.shared.errors import PermanentError, RetryableError
from tests.examples import examples

ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Ours"
CLIENT = "ourclient"
URL = "https://keys.example/jwks.json"
NOW = 1_800_000_000

OUR_KEY = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"})
NEXT_KEY = RSAKey.generate_key(2048, {"kid": "k2", "use": "sig", "alg": "RS256"})


class Pool:
    """The published keys, a clock, and how often the keys were fetched."""

    def __init__(self) -> None:
        self.keys = [OUR_KEY]
        self.now = float(NOW)
        self.fetched = 0
        self.down = False

    def fetch(self, url: str) -> bytes:
        assert url == URL
        self.fetched += 1
        if self.down:
            raise KeysUnavailableError("down")
        return json.dumps({"keys": [key.as_dict(private=False) for key in self.keys]}).encode()

    def verifier(self) -> AccessTokenVerifier:
        return AccessTokenVerifier(ISSUER, CLIENT, URL, fetch=self.fetch, clock=lambda: self.now)


@pytest.fixture
def pool() -> Pool:
    return Pool()


def claims(**changed: Any) -> dict[str, Any]:
    whole = {
        "iss": ISSUER,
        "sub": "ada",
        "client_id": CLIENT,
        "token_use": "access",
        "origin_jti": "session-1",
        "auth_time": NOW - 600,
        "iat": NOW - 10,
        "exp": NOW + 3600,
    }
    return {name: value for name, value in {**whole, **changed}.items() if value is not None}


def signed(key: Any = OUR_KEY, header: dict[str, Any] | None = None, **changed: Any) -> str:
    return jwt.encode({"alg": "RS256", "kid": "k1", **(header or {})}, claims(**changed), key)


def unsigned(header: dict[str, Any], payload: dict[str, Any], signature: str = "") -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode()
        for each in (header, payload)
    ]
    return ".".join([*parts, signature])


def test_two_peoples_tokens_say_who_each_is(pool: Pool) -> None:
    verifier = pool.verifier()
    assert verifier.verify(signed()) == Claims("ada", "session-1", NOW - 600, NOW + 3600)
    assert verifier.verify(signed(sub="grace")).subject == "grace"
    assert pool.fetched == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other"},
        {"iss": [ISSUER]},
        {"iss": None},
        {"client_id": "another"},
        {"client_id": [CLIENT]},
        {"client_id": None},
        {"client_id": None, "aud": CLIENT},
        {"token_use": "id", "aud": CLIENT},
        {"token_use": None},
        {"exp": NOW - LEEWAY_SECONDS},
        {"exp": None},
        {"exp": "never"},
        {"exp": float("nan")},
        {"nbf": NOW + LEEWAY_SECONDS + 1},
        {"iat": NOW + LEEWAY_SECONDS + 1},
        {"sub": None},
        {"sub": 7},
        {"sub": ""},
        {"auth_time": None},
        {"auth_time": str(NOW)},
        {"auth_time": True},
        {"auth_time": NOW + 0.5},
        {"origin_jti": None},
        {"origin_jti": 7},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_us_or_not_for_now_is_refused(pool: Pool, changed: dict[str, Any]) -> None:
    with pytest.raises(BadTokenError):
        pool.verifier().verify(signed(**changed))


def test_clocks_may_differ_by_less_than_the_leeway(pool: Pool) -> None:
    assert LEEWAY_SECONDS <= 60
    pool.verifier().verify(signed(exp=NOW - LEEWAY_SECONDS + 1, nbf=NOW + LEEWAY_SECONDS))


def test_a_token_without_a_signature_is_refused(pool: Pool) -> None:
    for algorithm in ("none", "None", "RS256"):
        with pytest.raises(BadTokenError):
            pool.verifier().verify(unsigned({"alg": algorithm, "kid": "k1"}, claims()))


def test_the_public_key_is_no_secret_to_sign_with(pool: Pool) -> None:
    for secret in (OUR_KEY.as_pem(private=False), json.dumps(OUR_KEY.as_dict(private=False)).encode()):
        text = unsigned({"alg": "HS256", "kid": "k1"}, claims()).rstrip(".")
        signature = base64.urlsafe_b64encode(hmac.digest(secret, text.encode(), "sha256")).rstrip(b"=")
        with pytest.raises(BadTokenError):
            pool.verifier().verify(f"{text}.{signature.decode()}")


@pytest.mark.parametrize("algorithm", ["RS512", "PS256"])
def test_only_one_algorithm_is_taken(pool: Pool, algorithm: str) -> None:
    free = RSAKey.import_key({**OUR_KEY.as_dict(private=True), "alg": algorithm})
    other = jwt.encode({"alg": algorithm, "kid": "k1"}, claims(), free, algorithms=[algorithm])
    with pytest.raises(BadTokenError):
        pool.verifier().verify(other)


def test_another_pools_key_signs_nothing_for_us(pool: Pool) -> None:
    with pytest.raises(BadTokenError):
        pool.verifier().verify(signed(NEXT_KEY))
    with pytest.raises(BadTokenError):
        pool.verifier().verify(signed(NEXT_KEY, {"kid": "k2"}))


def test_a_key_that_comes_with_the_token_is_not_believed(pool: Pool) -> None:
    for header in ({"jwk": NEXT_KEY.as_dict(private=False)}, {"jku": "https://evil.example/keys"}):
        with pytest.raises(BadTokenError):
            pool.verifier().verify(signed(NEXT_KEY, header))


def test_a_changed_claim_breaks_the_signature(pool: Pool) -> None:
    head, _, signature = signed().split(".")
    forged = unsigned({}, claims(sub="grace")).split(".")[1]
    with pytest.raises(BadTokenError):
        pool.verifier().verify(f"{head}.{forged}.{signature}")


@pytest.mark.parametrize("place", range(3))
def test_one_changed_character_is_noticed(pool: Pool, place: int) -> None:
    parts = signed().split(".")
    middle = len(parts[place]) // 2
    parts[place] = (
        parts[place][:middle] + ("A" if parts[place][middle] != "A" else "B") + parts[place][middle + 1 :]
    )
    with pytest.raises(BadTokenError):
        pool.verifier().verify(".".join(parts))


@examples(200)
@given(
    st.one_of(
        st.text(max_size=200),
        st.text("abc.=-_", max_size=100),
        st.dictionaries(st.text(max_size=5), st.integers()).map(
            lambda header: unsigned(header, claims(), "AAAA")
        ),
        st.recursive(st.none(), st.lists, max_leaves=5).map(
            lambda kid: unsigned({"alg": "RS256", "kid": kid}, {}, "A")
        ),
    )
)
def test_garbage_is_refused_and_nothing_else_happens(token: str) -> None:
    with pytest.raises(BadTokenError):
        Pool().verifier().verify(token)


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b.c", "x" * 100_000, "é.é.é", "a.b.c.d.e", signed() + ".", "null"]
)
def test_what_is_no_token_is_refused(pool: Pool, token: str) -> None:
    with pytest.raises(BadTokenError):
        pool.verifier().verify(token)


def test_a_new_key_is_looked_for_once_and_made_up_ids_cost_nothing(pool: Pool) -> None:
    verifier = pool.verifier()
    verifier.verify(signed())
    pool.keys.append(NEXT_KEY)
    for number in range(20):
        with pytest.raises(BadTokenError):
            verifier.verify(signed(NEXT_KEY, {"kid": f"made-up-{number}"}))
    assert pool.fetched == 1
    pool.now += LOOK_AGAIN_SECONDS
    assert verifier.verify(signed(NEXT_KEY, {"kid": "k2"})).subject == "ada"
    for number in range(20):
        with pytest.raises(BadTokenError):
            verifier.verify(signed(NEXT_KEY, {"kid": f"made-up-{number}"}))
    assert pool.fetched == 2


def test_a_key_that_was_withdrawn_is_good_for_an_hour_at_most(pool: Pool) -> None:
    verifier = pool.verifier()
    verifier.verify(signed())
    pool.keys = [NEXT_KEY]
    pool.now += KEYS_SECONDS
    with pytest.raises(BadTokenError):
        verifier.verify(signed(exp=NOW + 2 * KEYS_SECONDS))
    assert KEYS_SECONDS <= 3600


def test_without_the_keys_nothing_can_be_said(pool: Pool) -> None:
    pool.down = True
    verifier = pool.verifier()
    with pytest.raises(RetryableError):
        verifier.verify(signed())
    pool.down = False
    assert verifier.verify(signed()).subject == "ada"


def test_a_refusal_shows_nothing_of_the_token(pool: Pool) -> None:
    token = signed(client_id="another")
    with pytest.raises(BadTokenError) as caught:
        pool.verifier().verify(token)
    assert not any(part in str(caught.value) for part in token.split("."))


@contextmanager
def served(status: int, body: bytes, location: str | None = None) -> Iterator[tuple[str, list[str]]]:
    """A server on loopback that answers alike whatever is asked, and the paths that were."""
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", requests
        finally:
            server.shutdown()


def live(url: str) -> AccessTokenVerifier:
    return AccessTokenVerifier(ISSUER, CLIENT, url)


def fresh() -> str:
    return signed(iat=int(time.time()), exp=int(time.time()) + 60)


def test_keys_are_fetched_from_where_the_pool_publishes_them() -> None:
    published = json.dumps({"keys": [OUR_KEY.as_dict(private=False)]}).encode()
    with served(200, published) as (url, requests):
        assert live(f"{url}/pool/keys").verify(fresh()).subject == "ada"
    assert requests == ["/pool/keys"]


def test_a_redirect_is_never_followed() -> None:
    published = json.dumps({"keys": [OUR_KEY.as_dict(private=False)]}).encode()
    with served(200, published) as (elsewhere, requests), served(302, b"", f"{elsewhere}/keys") as (url, _):
        with pytest.raises(KeysUnavailableError):
            live(url).verify(fresh())
        assert requests == []


@pytest.mark.parametrize(
    ("status", "body"), [(500, b""), (200, b"nonsense"), (200, b"[]"), (200, b'{"keys":[1]}')]
)
def test_what_is_no_set_of_keys_is_no_verdict(status: int, body: bytes) -> None:
    with served(status, body) as (url, _), pytest.raises(KeysUnavailableError):
        live(url).verify(fresh())


def test_a_refused_connection_is_no_verdict() -> None:
    with served(200, b"") as (url, _):
        pass
    with pytest.raises(KeysUnavailableError):
        live(url).verify(fresh())


@pytest.mark.parametrize(
    "url", ["http://keys.example/jwks.json", "ftp://127.0.0.1.example/", "http://127.0.0.1@keys.example/"]
)
def test_only_this_machine_is_asked_without_tls(url: str) -> None:
    with pytest.raises(PermanentError):
        live(url).verify(fresh())
