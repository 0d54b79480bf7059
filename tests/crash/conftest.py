from collections.abc import Iterator

import pytest

from functions.shared.tenancy import TenantId
from tests.crash.furnishing import furnish
from tests.crash.privacy_world import World as PrivacyWorld
from tests.crash.privacy_world import new_tenant
from tests.crash.retention_world import RetentionWorld, opened
from tests.crash.world import World, world


@pytest.fixture(scope="module")
def here() -> Iterator[World]:
    """A world for the tests of one module, with credentials that are good for nothing."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "tests")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        with world() as made:
            yield made


@pytest.fixture
def retention(here: World) -> Iterator[RetentionWorld]:
    with opened(here) as made:
        yield made


@pytest.fixture(scope="module")
def neighbour(here: PrivacyWorld) -> TenantId:
    """Another account that has something everywhere, and keeps it."""
    tenant, mark = new_tenant("neighbour")
    furnish(here, tenant, mark)
    return tenant
