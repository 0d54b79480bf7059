"""Remember what moto looks up for each request although it never changes.

moto lists its package's folder to find a request's service, and the methods of a service's class to find the
operation: a fifth of the CPU time of a DynamoDB request.
"""

from functools import cache
from typing import Any

from moto import backends
from moto.core import responses


def install() -> None:
    """Cache both look-ups in this process."""
    list_modules, method_names = backends.list_of_moto_modules, responses.method_names_from_class

    @cache
    def modules() -> frozenset[str]:
        return frozenset(list_modules())

    @cache
    def methods(service: Any) -> frozenset[str]:
        return frozenset(method_names(service))

    backends.list_of_moto_modules = modules
    responses.method_names_from_class = methods
