"""The functions of uploads as execution environments run them, around S3 and DynamoDB in memory.

Run by local.lambda_runtime. `routes` gets a request; `files` gets {"name", "body"}, base64, which is put into
the drop bucket and read. Of memory, what is in these stores counts as the function's.
"""

import base64
import sys
from functools import cache
from typing import Any

from local import moto_lookups
from tests import dynamodb_without_http
from tests.unit.uploads.test_routes import ask
from tests.unit.uploads.world import ACME, GLOBEX, World, cloud, world

sys.set_int_max_str_digits(0)
"""Rows may hold longer numbers, and are decoded here to be counted."""


@cache
def _cloud() -> tuple[Any, Any, Any]:
    moto_lookups.install()
    dynamodb_without_http.install()
    made = cloud()
    return made, *made.__enter__()


@cache
def _world() -> World:
    return world(*_cloud()[1:])


def routes(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """One request to a route of uploads, of acme or globex."""
    route = event.pop("route")
    status, body = ask(_world(), route, {"acme": ACME, "globex": GLOBEX}[event.pop("tenant")], **event)
    return {"statusCode": status, "body": body}


def files(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """One file: its statuses in the end, how many rows it left, and whether its message came back."""
    here = world(*_cloud()[1:])
    name = event["name"]
    came_back = here.deliver(here.put(name, base64.b64decode(event["body"])))
    statuses = here.statuses(ACME)
    return {
        "came_back": bool(came_back),
        "statuses": statuses,
        "rows": len(here.rows(ACME)),
        "others": len(here.rows(GLOBEX)) + len(here.statuses(GLOBEX)),
    }
