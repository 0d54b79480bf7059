from pathlib import Path

import pytest

from infra import build


@pytest.fixture(scope="session")
def built() -> dict[str, build.Zip]:
    """Every zip, brought up to date; what is unchanged since the last run is not made again."""
    return {each.name: each for each in build.build_all()}


@pytest.fixture(scope="session")
def trees(built: dict[str, build.Zip]) -> dict[str, Path]:
    """The unpacked zips."""
    return {name: build.TARGET / name for name in built}
