from collections.abc import Iterator

import pytest

from functions.shared.tenancy import TenantId
from tests.unit.accounts.account_service import NOON, World, world


@pytest.fixture(scope="module")
def whole() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "tests")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "tests")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        with world() as made:
            yield made


_number = iter(range(10**6))


@pytest.fixture
def here(whole: World) -> World:
    """The world at noon, with nothing wrong."""
    whole.now, whole.writes_left = NOON, None
    whole.forget_tries()
    whole.provider.taken.clear()
    whole.provider.mailed.clear()
    whole.provider.silent.clear()
    whole.provider.lost.clear()
    whole.provider.looks, whole.provider.meanwhile = 0, None
    return whole


@pytest.fixture
def acme(here: World) -> TenantId:
    return here.account(f"acme-{next(_number)}")


@pytest.fixture
def globex(here: World) -> TenantId:
    return here.account(f"globex-{next(_number)}")
