"""`expand[]`: replace ids in a response by their objects, and add fields returned only on request."""

from copy import deepcopy
from typing import Any

from fake_stripe.call import whole_list
from fake_stripe.errors import invalid
from fake_stripe.world import StripeObject, World

MAX_DEPTH = 4


def expanded(world: World, answer: StripeObject, paths: list[Any]) -> StripeObject:
    """A copy of `answer` with every path expanded."""
    answer = deepcopy(answer)
    for path in paths:
        steps = str(path).split(".")
        if len([step for step in steps if step != "data"]) > MAX_DEPTH:
            raise invalid(f"You cannot expand more than {MAX_DEPTH} levels of a property.", "expand")
        _follow(world, answer, steps, str(path))
    return answer


def _follow(world: World, node: Any, steps: list[str], path: str) -> None:
    if isinstance(node, list):
        for each in node:
            _follow(world, each, steps, path)
    elif steps and isinstance(node, dict):
        name, rest = steps[0], steps[1:]
        if name not in node:
            node[name] = _asked_for(world, node, name, path)
        node[name] = _named(world, node[name])
        _follow(world, node[name], rest, path)


def _named(world: World, value: Any) -> Any:
    """The object of an id; for a list, of each item; other values unchanged."""
    if isinstance(value, list):
        return [_named(world, each) for each in value]
    if isinstance(value, str):
        found = world.anything(value)
        return value if found is None else deepcopy(found)
    return value


def _asked_for(world: World, node: StripeObject, name: str, path: str) -> Any:
    kind, which = node.get("object"), node.get("id", "")
    match kind, name:
        case "price", "tiers":
            return deepcopy(world.notes.get(f"tiers {which}"))
        case "checkout.session", "line_items":
            return whole_list(
                deepcopy(world.notes[f"lines {which}"]), f"/v1/checkout/sessions/{which}/line_items"
            )
        case "invoice", "payments":
            found = [deepcopy(each) for each in world.all("invoice_payment") if each["invoice"] == which]
            return whole_list(found, "/v1/invoice_payments")
        case "customer", "subscriptions":
            running = [each for each in world.all("subscription") if each["customer"] == which]
            left = [deepcopy(each) for each in running if each["status"] != "canceled"]
            return whole_list(left, f"/v1/customers/{which}/subscriptions")
    raise invalid(f"This property cannot be expanded ({path}).", "expand")
