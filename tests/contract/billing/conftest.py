"""A shop for each test: the fake Stripe, and billing with its tables in memory."""

from collections.abc import Iterator

import pytest

from tests.unit.billing.shop import Shop, shop


@pytest.fixture(autouse=True)
def nobodys_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "tests")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def here() -> Iterator[Shop]:
    with shop() as made:
        yield made
