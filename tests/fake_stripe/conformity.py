"""Whether an answer has the keys and types of Stripe's fixtures, and of the SDK's own classes."""

import json
import typing
from collections.abc import Iterator
from decimal import Decimal
from types import NoneType
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

import stripe
from stripe._object_classes import get_object_class

from tests.fake_stripe.stripe_shapes import EXTRACT

SHAPES: dict[str, Any] = json.loads(EXTRACT.read_text())
ERRORS = ("api_error", "card_error", "idempotency_error", "invalid_request_error")
_JSON = {bool: "boolean", int: "number", float: "number", str: "string", list: "list", dict: "object"}


def against_fixture(value: Any, shape: Any, where: str) -> list[str]:
    """What is missing or of another type; null passes here, the SDK's types say where it may not be."""
    if value is None or shape == "any":
        return []
    kind = _JSON[type(value)]
    if isinstance(shape, list):
        if kind != "list":
            return [f"{where}: {kind} for a list"]
        return [
            each
            for n, one in enumerate(value)
            for s in shape
            for each in against_fixture(one, s, f"{where}[{n}]")
        ]
    if shape == "string" and kind == "object" and "object" in value:
        return []  # An id that was expanded: the object is looked at by itself.
    if not isinstance(shape, dict):
        return [] if kind == shape else [f"{where}: {kind} for {shape}"]
    if kind != "object":
        return [f"{where}: {kind} for an object"]
    missing = [
        f"{where}.{name} is missing" for name in shape if name not in value and not _other(value, name)
    ]
    inside = [(name, each) for name, each in value.items() if name in shape]
    return missing + [
        p for name, each in inside for p in against_fixture(each, shape[name], f"{where}.{name}")
    ]


def against_sdk(value: dict[str, Any], where: str, cls: type | None = None) -> list[str]:
    """Fields of the SDK's class that are absent though never optional, or of another type."""
    cls = cls or get_object_class("V1", value["object"])
    found = []
    for name, hint in cls.__annotations__.items():
        if name == "OBJECT_NAME":
            continue
        if name not in value:
            found += [] if _may_be_null(hint) else [f"{where}.{name} is missing"]
        elif not _fits(value[name], hint, f"{where}.{name}", found):
            found.append(f"{where}.{name}: {value[name]!r:.40} is no {hint!s:.80}")
    return found


def _other(value: dict[str, Any], name: str) -> bool:
    """In what Stripe has in one of several forms, only the form's own key is there."""
    polymorphic = {"after_completion", "flow", "payment", "wallet"}
    return bool(polymorphic & {name}) or (
        "quantity" in (name,) and value.get("object") == "subscription_item"
    )


def _may_be_null(hint: Any) -> bool:
    return get_origin(hint) is Union and NoneType in get_args(hint)


def _fits(value: Any, hint: Any, where: str, found: list[str]) -> bool:
    origin, inside = get_origin(hint), get_args(hint)
    if origin is Union:
        # The SDK lets values of versions to come pass; here there is one version, and it knows its values.
        if any(get_origin(each) is Literal for each in inside):
            inside = tuple(each for each in inside if each is not str)
        return any(_fits(value, each, where, found if len(inside) <= 2 else []) for each in inside)
    if hint is NoneType or value is None:
        return hint is NoneType and value is None
    if origin is Literal:
        return value in inside
    if origin in (list, typing.List):  # noqa: UP006
        return isinstance(value, list) and all(_fits(each, inside[0], where, found) for each in value)
    if isinstance(hint, ForwardRef | str):
        return isinstance(value, dict)
    if hint is Decimal:
        return isinstance(value, str)
    if isinstance(hint, type) and hint in (int, str, bool, float):
        return type(value) is hint or (hint is float and type(value) is int)
    if isinstance(origin or hint, type) and issubclass(origin or hint, stripe.StripeObject):
        if isinstance(value, dict) and "object" not in value and origin is None:
            found += against_sdk(value, where, hint)
        return isinstance(value, dict)
    return True


def strangers(value: dict[str, Any], shape: Any, cls: type | None, where: str) -> list[str]:
    """Keys that neither the fixture nor the SDK's class knows: who relied on one would find it here only."""
    known = set(shape) if isinstance(shape, dict) else set()
    hints = _hints(cls) if cls else {}
    if not known | set(hints):
        return []
    found = [f"{where}.{name} is no key of Stripe's" for name in value if name not in known | set(hints)]
    for name, each in value.items():
        if isinstance(each, dict) and "object" not in each:
            inside = shape.get(name) if isinstance(shape, dict) else None
            found += strangers(each, inside, _class_in(hints.get(name)), f"{where}.{name}")
    return found


def problems(value: dict[str, Any]) -> list[str]:
    """Everything wrong with one object, without the objects in it."""
    if value["object"] == "list":
        return _of_list(value)
    if value.get("deleted"):
        kind, cls = f"deleted_{value['object']}", None
    else:
        kind, cls = value["object"], get_object_class("V1", value["object"])
    if kind not in SHAPES:
        return [f"{kind}: no fixture"]
    known = against_fixture(value, SHAPES[kind], kind) + strangers(value, SHAPES[kind], cls, kind)
    return known + (against_sdk(value, kind) if cls else [])


def problems_in(answer: Any) -> list[str]:
    """Everything wrong with an answer and each object in it, at whatever depth."""
    return [each for value in objects_in(answer) for each in problems(value)]


def objects_in(answer: Any) -> Iterator[dict[str, Any]]:
    """The answer and what it holds, as far as it says what it is."""
    if isinstance(answer, dict):
        if isinstance(answer.get("object"), str):
            yield answer
        answer = list(answer.values())
    if isinstance(answer, list):
        for each in answer:
            yield from objects_in(each)


def problems_of_refusal(body: dict[str, Any]) -> list[str]:
    """Everything wrong with an answer of 4xx. The fixtures have none: the SDK's class says what is in one."""
    if set(body) != {"error"}:
        return [f"error: beside it {sorted(body)}"]
    error = body["error"]
    cls = stripe.ErrorObject
    found = strangers(error, {}, cls, "error") + against_sdk(error, "error", cls)
    found += [f"error: no {name}" for name in ("type", "message", "request_log_url") if not error.get(name)]
    return found + ([] if error.get("type") in ERRORS else [f"error.type: {error.get('type')}"])


def _of_list(value: dict[str, Any]) -> list[str]:
    types = {"object": str, "data": list, "has_more": bool, "url": str}
    if set(value) != set(types):
        return [f"list: {sorted(value)}"]
    wrong = [name for name, kind in types.items() if type(value[name]) is not kind]
    return [f"list.{name}: {value[name]!r:.40}" for name in wrong]


def _hints(cls: type) -> dict[str, Any]:
    return {name: hint for base in cls.__mro__ for name, hint in getattr(base, "__annotations__", {}).items()}


def _class_in(hint: Any) -> type | None:
    """The SDK's class that a hint names, however wrapped."""
    if isinstance(hint, type) and issubclass(hint, stripe.StripeObject):
        return hint
    return next((found for each in get_args(hint) if (found := _class_in(each))), None)
