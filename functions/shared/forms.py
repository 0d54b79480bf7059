"""Decode JSON bodies into structs; an invalid body is a 400 whose code and message name the field.

The message says what the field must be: its type, its bounds, or the list of its values. It never contains a
value that was sent.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec

from functions.shared.errors import HttpError

T = TypeVar("T")
DecHook = Callable[[type, Any], Any]

BODY = "body"
"""The `field` of an error that concerns the whole body."""

MAX_NAME_CHARACTERS = 100

_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_TOO_LARGE = "Number out of range"
_PLACE = re.compile(r" - at `\$\.?([^`]*)`\Z")
_STEP = re.compile(r"\w+|\[(?:\d+|\.\.\.)\]")
_ROOT = re.compile(r"\w+")


def decoded(body: bytes, form: type[T], dec_hook: DecHook | None = None, *, quotes_unknown: bool = True) -> T:
    """Decode the body to `form`, a msgspec.Struct.

    Parameters
    ----------
    dec_hook: msgspec's, for fields of other types; such fields are text.
    quotes_unknown: whether the message quotes the name of an unknown field. False for forms with secrets: a
        customer may have confused a name with its value.

    Raises
    ------
    HttpError: 400 `invalid_body`, `unknown_field` or `invalid_<field>`. It has no cause and no context,
        because a message of msgspec quotes what was sent.
    """
    try:
        return msgspec.json.decode(body, type=form, dec_hook=dec_hook)
    except msgspec.ValidationError as fault:
        rejection = _rejection(str(fault), form, quotes_unknown)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        rejection = HttpError(400, "invalid_body", "The body is not valid JSON.")
    raise rejection


def invalid(path: str, wrong: str) -> HttpError:
    """The error for the invalid field at `path`, such as `where[0].op`; `wrong` completes the sentence.

    The code names the root of the path (`invalid_where`), and `field` in the response the whole path.
    """
    root = _ROOT.match(path)
    return HttpError(
        400, f"invalid_{root[0] if root else BODY}", f"'{path}' {wrong}.", details={"field": path}
    )


def missing(names: Sequence[str], hint: str = "") -> HttpError:
    """The error for one or more missing fields; the code names the first, `missing` in the response all."""
    *most, last = [f"'{name}'" for name in names]
    wrong = f"{', '.join(most)} and {last} are missing" if most else f"{last} is missing"
    details = {"field": names[0], "missing": list(names)}
    return HttpError(400, f"invalid_{names[0]}", f"{wrong}{hint}.", details=details)


def unknown_field(allowed: Sequence[str], name: str = "", path: str = "") -> HttpError:
    """The error for a field that the object at `path`, or the body, does not have; `name` may be unsaid."""
    within = f"'{path}'" if path else "the body"
    named = f" '{name[:MAX_NAME_CHARACTERS]}'" if name else ""
    message = f"There is an unknown field{named} in {within}. Allowed fields: {', '.join(allowed)}."
    return HttpError(400, "unknown_field", message, details={"field": path or BODY})


def _rejection(fault: str, form: type, quotes_unknown: bool) -> HttpError:
    """Convert msgspec's message, of which only the kind and the path are used."""
    place = _PLACE.search(fault)
    path, kind = _resolved(place[1] if place else "", form)
    reason = fault[: place.start()] if place else fault
    if unknown := _UNKNOWN.match(reason):
        return _unknown(unknown[1] if quotes_unknown else "", path, kind)
    if absent := _MISSING.match(reason):
        wanted = _described(_step(kind, absent[1]))
        return invalid(f"{path}.{absent[1]}".lstrip("."), f"is missing: it must be {wanted}")
    if reason == _TOO_LARGE:
        return invalid(path or BODY, "is a number that is too large")
    return invalid(path or BODY, f"must be {_described(kind)}")


def _unknown(name: str, path: str, kind: Any) -> HttpError:
    fields = [each for option in _options(kind) for each in getattr(option, "fields", ())]
    return unknown_field([each.encode_name for each in fields], name, path)


@cache
def _type_of(form: type) -> Any:
    from msgspec import inspect  # needed only to explain an error

    return inspect.type_info(form)


def _resolved(path: str, form: type) -> tuple[str, Any]:
    """`path` and the type that the form has there; the empty path and the form for a path that it has not."""
    kind = _type_of(form)
    for step in _STEP.findall(path):
        kind = _step(kind, step)
    return (path, kind) if kind is not None else ("", _type_of(form))


def _step(kind: Any, step: str) -> Any:
    """The type one step below `kind`; None if there is no such step."""
    for option in _options(kind):
        if step.startswith("["):
            below = getattr(option, "item_type", None) or getattr(option, "value_type", None)
        else:
            fields = getattr(option, "fields", ())
            below = next((each.type for each in fields if each.encode_name == step), None)
        if below is not None:
            return below
    return None


def _described(kind: Any) -> str:
    """What a value of the type must be, as a phrase."""
    if values := (getattr(kind, "extra_json_schema", None) or {}).get("enum"):
        return "one of " + ", ".join(values)
    phrases = dict.fromkeys(_phrase(each) for each in _options(kind))
    if "a number" in phrases:
        phrases.pop("a whole number", None)
    return " or ".join(phrases)


def _options(kind: Any) -> list[Any]:
    """The types of a union except null, or the type itself; without additions to their JSON Schema."""
    options = [_plain(each) for each in getattr(_plain(kind), "types", (kind,))]
    return [each for each in options if type(each).__name__ != "NoneType"]


def _plain(kind: Any) -> Any:
    return kind.type if type(kind).__name__ == "Metadata" else kind


def _phrase(kind: Any) -> str:
    match type(kind).__name__:
        case "LiteralType":
            return "one of " + ", ".join(str(each) for each in kind.values)
        case "IntType":
            return f"a whole number{_range(kind.ge, kind.le)}"
        case "FloatType":
            return f"a number{_range(kind.ge, kind.le)}"
        case "BoolType":
            return "true or false"
        case "ListType":
            return f"a list{_length(kind, 'values')}{_choices(kind.item_type)}"
        case "StructType" | "DictType":
            return "an object"
        case "DateTimeType":
            return "an RFC 3339 time with a time zone, such as 2026-11-23T10:00:00Z"
        case "StrType":
            return f"text{_length(kind, 'characters')}"
        case _:
            return "text"


def _choices(kind: Any) -> str:
    """The values of a list's items, if only some are allowed."""
    return f", each {_phrase(kind)}" if type(kind).__name__ == "LiteralType" else ""


def _range(least: float | None, most: float | None) -> str:
    if least is None or most is None:
        return "" if least is None else f", {least} or more"
    return f" from {least} to {most}"


def _length(kind: Any, unit: str) -> str:
    least, most = kind.min_length, kind.max_length
    if most is None:
        return f" of {least} or more {unit}" if least else ""
    return f" of {least} to {most} {unit}" if least else f" of at most {most} {unit}"
