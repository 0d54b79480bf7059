"""How tests share the cores: by file, and by folder where what takes long to make is made once."""

import gc
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.aws_in_memory import read_models_once
from tests.examples import register_profiles

read_models_once()
register_profiles()

TOGETHER = frozenset({"tests/browser", "tests/infra", "tests/packaging"})
"""A walk through a stack and a browser, the synthesized templates, the built zips."""


class ByFileOrFolder(LoadScopeScheduling):
    """Tests of one file, or of one folder of TOGETHER, go to one worker."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        folder = "/".join(file.split("/")[:2])
        return folder if folder in TOGETHER else file


def pytest_collection_finish() -> None:
    """What has been imported stays: without this a tenth of all time goes into looking through it again."""
    gc.collect()
    gc.freeze()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFileOrFolder:
    return ByFileOrFolder(config, log)
