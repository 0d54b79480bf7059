"""Form-encoded parameters, nested by brackets: `items[0][price]=p&expand[]=customer`.

A mapping whose keys are all whole numbers is a list in their order; `name[]` appends. An empty value is kept:
Stripe's clients send it for "unset". Functions that read one value reject other types.
"""

import re
from typing import Any
from urllib.parse import parse_qsl

from fake_stripe.errors import invalid, required, unknown_parameter

Thing = dict[str, Any]
MAX_DEPTH = 10
_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")


def decode(form: str) -> Thing:
    """The parameters of a form or a query string."""
    tree: Thing = {}
    for name, value in parse_qsl(form, keep_blank_values=True):
        shape = _KEY.fullmatch(name)
        if shape is None:
            raise invalid(f"Invalid parameter name: {name}", name)
        path = [shape[1], *re.findall(r"\[([^\[\]]*)\]", shape[2])]
        if len(path) > MAX_DEPTH:
            raise invalid("Parameters are nested too deeply", shape[1])
        _place(tree, path, value, name)
    return {name: _listed(value) for name, value in tree.items()}


def _place(tree: Thing, path: list[str], value: str, name: str) -> None:
    node: Any = tree
    for step in path[:-1]:
        node = node.setdefault(step or str(len(node)), {})
        if not isinstance(node, dict):
            raise invalid(f"Invalid parameter: {name} is both a value and a mapping", name)
    last = path[-1] or str(len(node))
    if isinstance(node.get(last), dict):
        raise invalid(f"Invalid parameter: {name} is both a value and a mapping", name)
    node[last] = value


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if all(key.isdecimal() for key in value):
        return [_listed(value[key]) for key in sorted(value, key=int)]
    return {key: _listed(each) for key, each in value.items()}


def only(params: Thing, names: str) -> None:
    """Reject the first parameter that is not in `names`, a space-separated list."""
    for name in params:
        if name not in names.split():
            raise unknown_parameter(name)


def text(params: Thing, name: str, default: str | None = None) -> str | None:
    """The value; None if unset by an empty one."""
    value = params.get(name, default)
    if value is not None and not isinstance(value, str):
        raise invalid(f"Invalid string: {name}", name)
    return value or None


def needed(params: Thing, name: str) -> str:
    value = text(params, name)
    if value is None:
        raise required(name)
    return value


def whole(params: Thing, name: str, default: int | None = None) -> int | None:
    value = params.get(name)
    if value in (None, ""):
        return default
    if not isinstance(value, str) or not re.fullmatch(r"-?\d{1,18}", value):
        raise invalid(f"Invalid integer: {value}", name, "parameter_invalid_integer")
    return int(value)


def flag(params: Thing, name: str, default: bool = False) -> bool:
    value = params.get(name)
    if value in (None, ""):
        return default
    if value not in ("true", "false"):
        raise invalid(f"Invalid boolean: {value}", name)
    return bool(value == "true")


def mapping(params: Thing, name: str) -> Thing:
    value = params.get(name) or {}
    if not isinstance(value, dict):
        raise invalid("Invalid object", name)
    return value


def listing(params: Thing, name: str) -> list[Any]:
    value = params.get(name) or []
    if not isinstance(value, list):
        raise invalid("Invalid array", name)
    return value


def one_of(params: Thing, name: str, choices: str, default: str) -> str:
    value = text(params, name, default) or default
    if value not in choices.split():
        raise invalid(f"Invalid {name}: must be one of {', '.join(choices.split())}", name)
    return value


def metadata(params: Thing, old: Thing | None = None) -> dict[str, str]:
    """The new metadata: keys with empty values are removed, an empty value for all clears it."""
    if params.get("metadata") == "":
        return {}
    merged = {**(old or {}), **mapping(params, "metadata")}
    return {key: value for key, value in merged.items() if value != ""}
