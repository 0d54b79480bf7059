"""Products."""

from fake_stripe import params
from fake_stripe.call import Call, Route, listed, retrieve
from fake_stripe.errors import ApiError, invalid
from fake_stripe.ids import new_id
from fake_stripe.world import StripeObject, World, change, nulls

_FIELDS = "name description unit_label statement_descriptor tax_code url"
_PARAMETERS = f"{_FIELDS} active metadata default_price"


def make(world: World, given: StripeObject) -> StripeObject:
    params.only(given, f"{_PARAMETERS} id")
    which = params.text(given, "id") or new_id("prod", 14)
    if world.find("product", which):
        raise invalid(f"Product already exists: {which}.", "id", "resource_already_exists")
    thing = {
        "id": which,
        "object": "product",
        **nulls("default_price package_dimensions shippable"),
        **nulls(_FIELDS),
        "active": params.flag(given, "active", default=True),
        "created": world.now(),
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": params.metadata(given),
        "name": params.needed(given, "name"),
        "type": "service",
        "updated": world.now(),
    }
    thing.update({name: params.text(given, name) for name in _FIELDS.split() if name in given})
    world.put(thing)
    world.emit("product.created", thing)
    return thing


def create(world: World, call: Call) -> StripeObject:
    return make(world, call.params)


def update(world: World, call: Call) -> StripeObject:
    thing = world.get("product", call.path["id"], in_path=True)
    given = call.only(_PARAMETERS)
    new: StripeObject = {name: params.text(given, name) for name in _FIELDS.split() if name in given}
    if "active" in given:
        new["active"] = params.flag(given, "active")
    if "metadata" in given:
        new["metadata"] = params.metadata(given, thing["metadata"])
    if "default_price" in given:
        new["default_price"] = world.get("price", given["default_price"], "default_price")["id"]
    change(world, "product.updated", thing, **new, updated=world.now())
    return thing


def delete(world: World, call: Call) -> StripeObject:
    call.only("")
    thing = world.get("product", call.path["id"], in_path=True)
    if any(price["product"] == thing["id"] for price in world.all("price")):
        raise ApiError(400, "This product cannot be deleted because it has one or more prices.")
    del world.tables["product"][thing["id"]]
    world.emit("product.deleted", thing)
    return {"id": thing["id"], "object": "product", "deleted": True}


def list_products(world: World, call: Call) -> StripeObject:
    ids = params.listing(call.params, "ids")
    answer = listed("product", "active ids")
    if not ids:
        return answer(world, call)
    rest = {name: value for name, value in call.params.items() if name != "ids"}
    call = Call({**rest, "limit": "100"}, call.path, call.origin, call.address)
    found = answer(world, call)
    return {**found, "data": [each for each in found["data"] if each["id"] in ids]}


ROUTES: list[Route] = [
    ("POST", "/v1/products", create),
    ("GET", "/v1/products", list_products),
    ("GET", "/v1/products/{id}", retrieve("product")),
    ("POST", "/v1/products/{id}", update),
    ("DELETE", "/v1/products/{id}", delete),
]
