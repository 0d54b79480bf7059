from collections.abc import Iterator

import pytest

from tests import dynamodb_without_http


@pytest.fixture(scope="module", autouse=True)
def _requests_are_http_requests() -> Iterator[None]:
    """A contract is held with the requests that a deployed function sends."""
    dynamodb_without_http.uninstall()
    yield
    dynamodb_without_http.install()
