"""Settings from the environment: read in one place per function; a missing one fails at once.

A function declares them as a frozen dataclass or a NamedTuple; each field `staging_bucket: str` is read from
`ASTRALOG_STAGING_BUCKET`. Resource names have no default: a wrong guess would write to the wrong place.
"""

import os
from collections.abc import Mapping
from inspect import Parameter, signature
from typing import Any, TypeVar

from functions.shared.errors import SettingsError

PREFIX = "ASTRALOG_"

T = TypeVar("T")


def load(kind: type[T], environ: Mapping[str, str] = os.environ) -> T:
    """Build `kind`, a class of str, int, float and bool fields, from the environment.

    Raises
    ------
    SettingsError: names every missing or invalid variable, never a value.
    """
    values: dict[str, Any] = {}
    faults: list[str] = []
    for field in signature(kind).parameters.values():
        name = PREFIX + field.name.upper()
        text = environ.get(name, "")
        if text:
            try:
                values[field.name] = _convert(field.annotation, text)
            except ValueError:
                faults.append(f"{name} is not {_name(field.annotation)}")
        elif field.default is Parameter.empty:
            faults.append(f"{name} is missing")
    if faults:
        raise SettingsError("; ".join(faults))
    return kind(**values)


def _convert(kind: Any, text: str) -> Any:
    if kind is bool:
        if text not in ("true", "false"):
            raise ValueError(text)
        return text == "true"
    return kind(text)


def _name(kind: Any) -> str:
    return {int: "a whole number", float: "a number", bool: "'true' or 'false'"}.get(kind, "text")
