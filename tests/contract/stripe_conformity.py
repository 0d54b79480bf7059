"""Whether an answer has the keys and types of Stripe's fixtures, and of the SDK's own classes."""

import json
import typing
from decimal import Decimal
from types import NoneType
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

import stripe
from stripe._object_classes import get_object_class

from tests.contract.stripe_shapes import EXTRACT

SHAPES: dict[str, Any] = json.loads(EXTRACT.read_text())
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


def problems(value: dict[str, Any], kind: str | None = None) -> list[str]:
    """Everything wrong with one answer."""
    kind = kind or value["object"]
    known = against_fixture(value, SHAPES[kind], kind) if kind in SHAPES else [f"{kind}: no fixture"]
    return known + ([] if value.get("deleted") else against_sdk(value, kind))
