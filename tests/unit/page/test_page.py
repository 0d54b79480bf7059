"""The function `page`: the dashboard's HTML for its pages, its files, and nothing else of the machine."""

import base64
import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.page import handler as page
from functions.page.bucket_origin import bucket_origin
from functions.page.headers import PAGE_HEADERS, content_security_policy
from functions.shared.aws_client import s3_client
from functions.shared.buckets.drop_bucket import DropBucket
from infra.topology.functions.page import FUNCTIONS, PAGES

HTML, SCRIPT = b"<!doctype html>the page", b"the script;" * 100
APP = Path("web/src/app/app.tsx").read_text()


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of built files, which the function serves."""
    folder = tmp_path / "page"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes(HTML)
    (folder / "icon.svg").write_bytes(b"<svg/>")
    (folder / "assets" / "index-abc123.js").write_bytes(SCRIPT)
    (tmp_path / "secret").write_text("not to be served")
    monkeypatch.setenv("ASTRALOG_PAGE_FILES", str(folder))
    monkeypatch.setenv("ASTRALOG_DROP_BUCKET", "astralog-drop")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    page._files.cache_clear()
    page._policy.cache_clear()
    yield folder
    page._files.cache_clear()
    page._policy.cache_clear()


def get(path: str, route: str = "", **headers: str) -> dict[str, Any]:
    """The response to a request, which matched the route `route` (by default the one of its path)."""
    event = {
        "routeKey": f"GET {route or path}",
        "rawPath": path,
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "requestContext": {"requestId": "r-1", "http": {"method": "GET"}},
    }
    return dict(page.handler(event, None))


def content(answered: dict[str, Any]) -> bytes:
    return base64.b64decode(answered["body"])


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("path", PAGES)
def test_every_page_begins_with_the_same_html(path: str) -> None:
    response = get(path)

    assert (response["statusCode"], content(response)) == (200, HTML)
    assert response["headers"]["content-type"].startswith("text/html")
    assert response["headers"]["cache-control"] == "no-cache"


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(("path", "route"), [("/search", ""), ("/assets/index-abc123.js", "/assets/{file}")])
def test_the_page_and_its_files_have_the_security_headers(path: str, route: str) -> None:
    headers = get(path, route)["headers"]

    assert {name: headers[name] for name in PAGE_HEADERS} == PAGE_HEADERS


def test_the_policy_allows_nothing_inline_and_no_other_origin() -> None:
    policy = content_security_policy()

    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.usefixtures("built")
def test_the_page_may_send_to_the_bucket_for_files_and_nowhere_else() -> None:
    directives = get("/search")["headers"]["content-security-policy"].split("; ")

    assert [each for each in directives if "http" in each] == [
        "connect-src 'self' https://astralog-drop.s3.eu-central-1.amazonaws.com"
    ]


def test_the_policy_names_the_origin_of_presigned_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    for endpoint in ("", "http://127.0.0.1:9"):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        url = DropBucket(s3_client(1), "astralog-drop").url_to_put("a", 1, 60)
        assert url.startswith(f"{bucket_origin('astralog-drop')}/")


@pytest.mark.usefixtures("built")
def test_files_with_a_hash_in_their_name_are_cached_for_ever_and_compressed() -> None:
    response = get("/assets/index-abc123.js", "/assets/{file}", accept_encoding="gzip, br")

    assert gzip.decompress(content(response)) == SCRIPT
    assert response["headers"]["content-encoding"] == "gzip"
    assert response["headers"]["cache-control"] == "public, max-age=31536000, immutable"
    assert response["headers"]["content-type"].startswith("text/javascript")
    assert content(get("/assets/index-abc123.js", "/assets/{file}")) == SCRIPT


@pytest.mark.usefixtures("built")
def test_a_browser_that_has_the_page_gets_304() -> None:
    etag = get("/search")["headers"]["etag"]
    again = get("/keys", if_none_match=etag)

    assert (again["statusCode"], again["body"]) == (304, "")
    assert get("/keys", if_none_match='W/"another"')["statusCode"] == 200


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    "path",
    ["/assets/index-gone.js", "/assets/../secret", "/assets/..%2f..%2fsecret", "/assets//etc/passwd"],
)
def test_a_file_of_another_version_or_of_the_machine_is_not_found(path: str) -> None:
    response = get(path, "/assets/{file}")

    assert response["statusCode"] == 404
    assert '"code": "not_found"' in response["body"]
    assert "not to be served" not in response["body"]


@pytest.mark.usefixtures("built")
def test_a_path_that_names_a_file_outside_opens_the_page_and_not_the_file() -> None:
    assert content(get("/../secret", "/search")) == HTML


def test_without_a_built_dashboard_there_is_no_page(built: Path) -> None:
    for file in list(built.rglob("*.*")):
        file.unlink()

    assert get("/search")["statusCode"] == 404


def test_every_page_of_the_script_has_a_route_and_no_other_has_one() -> None:
    """`/sign-in` is the page of all other paths for a person without a session."""
    declared = set(re.findall(r'<Route path="([^"]+)"', APP))

    assert set(PAGES) == {re.sub(r":(\w+)", r"{\1}", path) for path in declared} | {"/sign-in"}


def test_the_function_has_no_permission_and_needs_no_key() -> None:
    (function,) = FUNCTIONS

    assert function.grants == ()
    assert not any(route.auth or route.is_api for route in function.routes)
