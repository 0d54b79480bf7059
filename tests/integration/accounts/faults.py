"""Faults of what stands behind the sign-in."""

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from tests.unit.accounts.public_routes import World


def failing(here: World, part: str, method: str, fault: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `method` of a part of the world's Authentication raise `fault`."""

    def fail(*_: Any, **__: Any) -> None:
        raise fault

    monkeypatch.setattr(type(getattr(here.authentication, part)), method, fail)


def silent(**_: Any) -> None:
    """A service that cannot be reached."""
    raise EndpointConnectionError(endpoint_url="")
