"""Decode JSON bodies into structs; an invalid body is a 400 whose code and message name the field."""

import re
from typing import TypeVar

import msgspec

from functions.shared.errors import HttpError

T = TypeVar("T")

_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_FIELD = re.compile(r"\.(\w+)")


def decoded(body: bytes, form: type[T]) -> T:
    """Decode the body to `form`, a msgspec.Struct.

    Raises
    ------
    HttpError: 400 `invalid_body`, `unknown_field` or `invalid_<field>`.
    """
    try:
        return msgspec.json.decode(body, type=form)
    except msgspec.ValidationError as fault:
        raise _refusal(str(fault)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise HttpError(400, "invalid_body", "The body is not JSON.") from None


def invalid(name: str, wrong: str) -> HttpError:
    """The error for an invalid field `name`; `wrong` completes the sentence."""
    return HttpError(400, f"invalid_{name}", f"'{name}' {wrong}.")


def _refusal(fault: str) -> HttpError:
    """Convert msgspec's message: what was expected and where. It quotes only names of fields and choices."""
    if unknown := _UNKNOWN.match(fault):
        return HttpError(400, "unknown_field", f"There is no field '{unknown[1][:100]}' here.")
    if missing := _MISSING.match(fault):
        return invalid(missing[1], "is missing")
    reason, _, place = fault.partition(" - at `$")
    name = _FIELD.match(place)
    return invalid(name[1] if name else "body", f"is not valid: {reason}")
