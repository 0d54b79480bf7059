"""A missing setting fails at once and says which; no value is ever shown."""

from dataclasses import dataclass
from typing import NamedTuple

import pytest

from functions.shared.errors import SettingsError
from functions.shared.settings import load


@dataclass(frozen=True)
class Some:
    bucket: str
    days: int
    dry_run: bool = False


class Light(NamedTuple):
    """For a function whose cold start a caller waits for."""

    bucket: str
    days: int
    dry_run: bool = False


@pytest.mark.parametrize("kind", [Some, Light])
def test_settings_are_read_by_name_and_type(kind: type[Some | Light]) -> None:
    given = {"ASTRALOG_BUCKET": "b", "ASTRALOG_DAYS": "7"}

    assert load(kind, {**given, "ASTRALOG_DRY_RUN": "true"}) == kind("b", 7, True)
    assert load(kind, given) == kind("b", 7, False)


def test_every_fault_is_named_and_no_value_is_shown() -> None:
    with pytest.raises(SettingsError) as caught:
        load(Some, {"ASTRALOG_DAYS": "s3cret", "ASTRALOG_DRY_RUN": "s3cret"})
    error = str(caught.value)
    assert "ASTRALOG_BUCKET is missing" in error
    assert "ASTRALOG_DAYS" in error
    assert "ASTRALOG_DRY_RUN" in error
    assert "s3cret" not in error
