from collections.abc import Iterator

import pytest

from tests.unit.notices.world import World, world


@pytest.fixture(scope="module")
def whole() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "tests")
        with world() as made:
            yield made


@pytest.fixture
def here(whole: World) -> World:
    whole.empty()
    return whole
