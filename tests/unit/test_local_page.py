"""The local gateway serves the dashboard beside the API, and no log client notices."""

import asyncio
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from infra.topology.page import PAGE_HEADERS
from local.gateway import Gateway
from local.page import WebPage
from tests.unit.test_local_gateway import ROUTES, Invoker

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
API_ANSWER = {"statusCode": 404, "body": '{"code": "not_found"}', "cookies": ["a=b"]}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>the page")
    (folder / "assets" / "index-abc123.js").write_text("the script")
    (tmp_path / "secret").write_text("not to be served")
    return folder


def answers(folder: Path, *requests: tuple[str, str, dict[str, str]]) -> list[tuple[int, str, Any]]:
    """(status, body, headers) of each (method, path, headers), with an API that answers 404 to everything."""

    async def scenario() -> list[tuple[int, str, Any]]:
        gateway = Gateway(ROUTES, Invoker(unmatched=API_ANSWER, app=API_ANSWER), page=WebPage(folder))  # type: ignore[arg-type]
        async with TestClient(TestServer(gateway.application())) as client:
            answered = []
            for method, path, headers in requests:
                response = await client.request(method, path, headers=headers)
                answered.append((response.status, await response.text(), response.headers))
            return answered

    return asyncio.run(scenario())


def test_every_address_outside_the_api_opens_the_page_in_a_browser(built: Path) -> None:
    for path in ("/", "/start", "/search?q=level%3Aerror", "/keys/any/depth"):
        ((status, body, headers),) = answers(built, ("GET", path, BROWSER))
        assert (status, body) == (200, "<!doctype html>the page")
        assert headers["content-type"].startswith("text/html")
        assert headers["cache-control"] == "no-cache"


def test_the_page_and_its_files_have_the_security_headers(built: Path) -> None:
    for path in ("/", "/assets/index-abc123.js"):
        ((_, _, headers),) = answers(built, ("GET", path, BROWSER))
        assert {name: headers[name] for name in PAGE_HEADERS} == PAGE_HEADERS
    policy = PAGE_HEADERS["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy, "nothing is loaded from another origin"


def test_files_with_a_hash_in_their_name_are_cached_for_ever(built: Path) -> None:
    ((status, body, headers),) = answers(built, ("GET", "/assets/index-abc123.js", {"accept": "*/*"}))
    assert (status, body) == (200, "the script")
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "javascript" in headers["content-type"]


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/", {"accept": "application/json"}),
        ("GET", "/", {}),
        ("HEAD", "/", {}),
        ("GET", "/v1/unknown", BROWSER),
        ("POST", "/", BROWSER),
        ("GET", "/assets/index-gone.js", {"accept": "*/*"}),
        ("GET", "/../secret", {"accept": "*/*"}),
        ("GET", "/assets/..%2f..%2fsecret", {"accept": "*/*"}),
    ],
)
def test_log_clients_and_the_api_see_no_page(
    built: Path, method: str, path: str, headers: dict[str, str]
) -> None:
    ((status, body, _),) = answers(built, (method, path, headers))
    assert status == 404
    assert "page" not in body
    assert "secret" not in body


def test_without_a_built_page_every_address_is_the_apis(tmp_path: Path) -> None:
    ((status, _, headers),) = answers(tmp_path / "never-built", ("GET", "/", BROWSER))
    assert status == 404
    assert SimpleCookie(headers["set-cookie"])["a"].value == "b"
