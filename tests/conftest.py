"""What shares the cores of a machine: files, and folders whose tests share what takes long to make."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent
TOGETHER = frozenset({"browser", "infra", "packaging"})
"""A walk through a stack and a browser, the synthesized templates, the built zips: once, by one worker."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        file = item.path.relative_to(ROOT)
        item.add_marker(pytest.mark.xdist_group(file.parts[0] if file.parts[0] in TOGETHER else str(file)))
