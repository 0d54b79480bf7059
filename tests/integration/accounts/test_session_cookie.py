"""A browser's session is in a cookie that no script and no other site can use."""

import hashlib
from http.cookies import SimpleCookie
from typing import Any

import pytest

from functions.accounts.session_cookie import NAME
from functions.shared import client_address
from tests.unit.accounts.public_routes import PASSWORD, Answered, World

HOST = "logs.example.com"
OUR_PAGE = {"host": HOST, "origin": f"https://{HOST}", "sec-fetch-site": "same-origin"}
FOREIGN = {
    "another site": {**OUR_PAGE, "origin": "https://evil.example", "sec-fetch-site": "cross-site"},
    "another host of our site": {
        **OUR_PAGE,
        "origin": f"https://docs.{HOST}",
        "sec-fetch-site": "same-site",
    },
    "another port": {**OUR_PAGE, "origin": f"https://{HOST}:8443", "sec-fetch-site": "same-site"},
    "a browser that hides where it comes from": {**OUR_PAGE, "origin": "null"},
    "a program without a page": {"host": HOST},
    "a forged host beside CloudFront": {
        **OUR_PAGE,
        "origin": "https://evil.example",
        "x-astralog-host": "evil.example",
        "x-astralog-edge": "guessed",
    },
}


def log_in(here: World, email: str, headers: dict[str, str] | None = None) -> Answered:
    body = {"email": email, "password": PASSWORD, "cookie": True}
    return here.ask("/v1/login", body, headers=OUR_PAGE if headers is None else headers)


def refresh(here: World, cookie: str, headers: dict[str, str] | None = None) -> Answered:
    sent_headers = OUR_PAGE if headers is None else headers
    return here.ask("/v1/login", {"cookie": True}, headers=sent_headers, cookies=[cookie])


def log_out(here: World, access: str, cookie: str, headers: dict[str, str]) -> Any:
    return here.ask_signed_in("/v1/logout", {"cookie": True}, access, headers=headers, cookies=[cookie])


def sent_back(answered: Answered) -> str:
    """The cookie as a browser sends it with its next request."""
    (header,) = answered.cookies
    return header.partition(";")[0]


def test_the_refresh_token_is_in_the_cookie_alone_and_no_script_can_read_it(here: World) -> None:
    signed_in = log_in(here, here.joined())
    assert (signed_in.status, signed_in.body["refresh_token"]) == (200, None)
    (cookie,) = signed_in.cookies
    (morsel,) = SimpleCookie(cookie).values()
    assert morsel.key == NAME == "__Host-astralog_session"
    assert (morsel["secure"], morsel["httponly"], morsel["samesite"]) == (True, True, "Strict")
    assert (morsel["path"], morsel["domain"]) == ("/", "")
    assert morsel["max-age"] == str(30 * 86_400)
    assert morsel.value.startswith("r1.")
    assert len(cookie) < 4096, "browsers keep no longer one"


def test_the_cookie_alone_refreshes_its_own_persons_session(here: World) -> None:
    mine, theirs = (log_in(here, here.joined()) for _ in range(2))
    for signed_in in (mine, theirs):
        refreshed = refresh(here, sent_back(signed_in))
        assert refreshed.status == 200
        before, after = (here.verdict(each.body["access_token"]) for each in (signed_in, refreshed))
        assert (before["verdict"], before["tenant_id"]) == ("ok", after["tenant_id"])
    assert here.verdict(mine.body["access_token"])["tenant_id"] != before["tenant_id"]


def test_other_cookies_beside_it_do_not_matter(here: World) -> None:
    cookie = sent_back(log_in(here, here.joined()))
    body = {"cookie": True}
    response = here.ask("/v1/login", body, headers=OUR_PAGE, cookies=["theme=dark", cookie, "x"])
    assert response.status == 200


def test_a_browser_without_a_session_is_said_so(here: World) -> None:
    for cookies in ([], ["theme=dark"], [f"{NAME}="]):
        response = here.ask("/v1/login", {"cookie": True}, headers=OUR_PAGE, cookies=cookies)
        assert response.refused == (401, "no_session")
    assert refresh(here, f"{NAME}=made-up").refused == (401, "invalid_login")


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
def test_a_page_of_another_origin_can_neither_use_set_nor_delete_the_cookie(
    here: World, headers: dict[str, str]
) -> None:
    email = here.joined()
    signed_in = log_in(here, email)
    access, cookie = signed_in.body["access_token"], sent_back(signed_in)
    for rejected in (
        refresh(here, cookie, headers),
        log_in(here, email, headers),
        log_out(here, access, cookie, headers),
    ):
        assert rejected.refused == (403, "cross_site_request")
        assert rejected.cookies == []
    assert refresh(here, cookie).status == 200


def test_without_cookie_in_the_body_the_cookie_is_not_read(here: World) -> None:
    cookie = sent_back(log_in(here, here.joined()))
    response = here.ask("/v1/login", {}, headers=OUR_PAGE, cookies=[cookie])
    assert response.refused == (400, "invalid_email")


def test_behind_cloudfront_the_host_is_the_viewers(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_address, "_digests", lambda: (hashlib.sha256(b"secret").hexdigest(),))
    headers = {
        **OUR_PAGE,
        "host": "a1b2.execute-api.us-east-1.amazonaws.com",
        "x-astralog-host": HOST,
        "x-astralog-edge": "secret",
    }
    signed_in = log_in(here, here.joined(), headers)
    assert signed_in.status == 200
    assert refresh(here, sent_back(signed_in), headers).status == 200
    direct = {**headers, "x-astralog-edge": "guessed"}
    assert refresh(here, sent_back(signed_in), direct).refused == (403, "cross_site_request")


def test_logging_out_ends_the_session_and_deletes_the_cookie(here: World) -> None:
    mine, theirs = (log_in(here, here.joined()) for _ in range(2))
    cookie = sent_back(mine)
    done = log_out(here, mine.body["access_token"], cookie, OUR_PAGE)
    assert done.status == 200
    assert sent_back(done) == f"{NAME}="
    assert "Max-Age=0" in done.cookies[0]
    assert refresh(here, cookie).refused == (401, "invalid_login")
    assert refresh(here, sent_back(theirs)).status == 200


def test_another_persons_cookie_does_not_end_their_session(here: World) -> None:
    mine, theirs = (log_in(here, here.joined()) for _ in range(2))
    rejected = log_out(here, mine.body["access_token"], sent_back(theirs), OUR_PAGE)
    assert rejected.refused == (400, "invalid_refresh_token")
    assert refresh(here, sent_back(theirs)).status == 200
