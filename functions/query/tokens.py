"""Index tokens of a row's metadata.

The index of the events table (functions/shared/schema/sql/0001_events.sql) has `?key` for each top-level
key and `=key=value` for short values of a few forms. This module applies the same rule as the SQL to decide
whether a value is indexed; tests compare the two with the engine. A search for any other value must read the
metadata itself.
"""

import re

MAX_KEY_BYTES = 128
MAX_VALUE_BYTES = 32

LOW_ENTROPY = r'^(?:true|false|null|-?[0-9]{1,3}|"[ -!#-/:-\[\]-~]*(?:[0-9][ -!#-/:-\[\]-~]*){0,3}")$'
"""Constants, whole numbers of up to three digits, and ASCII text with up to three digits and no escapes."""

_LOW_ENTROPY = re.compile(LOW_ENTROPY)

Scalar = str | int | float | bool | None


def key_token(key: str) -> str | None:
    """The token of rows that have `key` at the top level; None when the key is too long to be indexed."""
    return f"?{key}" if len(key.encode()) <= MAX_KEY_BYTES else None


def value_tokens(key: str, value: Scalar) -> tuple[str, ...]:
    """The tokens of rows whose top-level `key` is exactly `value`; empty when the value is not indexed."""
    if len(key.encode()) > MAX_KEY_BYTES:
        return ()
    raws = _raws(value)
    if not all(len(raw) <= MAX_VALUE_BYTES and _LOW_ENTROPY.fullmatch(raw) for raw in raws):
        return ()
    return tuple(f"{value_start(key)}{raw}" for raw in raws)


def value_start(key: str) -> str:
    """The prefix of all value tokens of `key`."""
    return f"={key}="


def _raws(value: Scalar) -> tuple[str, ...]:
    """The forms in which the engine may write `value`, as far as the index rule accepts them."""
    match value:
        case None:
            return ("null",)
        case bool():
            return ("true" if value else "false",)
        case str():
            return (f'"{value}"',)
        case 0:
            return ("0", "-0")
        case float() if value.is_integer() and abs(value) < 1000:
            return (str(int(value)),)
        case _:
            return (str(value),)
