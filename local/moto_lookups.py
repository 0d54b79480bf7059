"""Remember what moto looks up for each request although it never changes.

moto lists its package's folder to find a request's service, and the methods of a service's class to find the
operation. For each of the ten types that an attribute value of DynamoDB may have it tries several spellings,
of which nine times none is there. Together they are a third of the CPU time of a DynamoDB request.
"""

from functools import cache
from typing import Any

from moto import backends
from moto.core import responses
from moto.core.serialize import AttributePicker, AttributePickerContext

ATTRIBUTE_TYPES = frozenset({"S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"})


@cache
def install() -> None:
    """Shorten these look-ups in this process; a second call changes nothing."""
    list_modules, method_names = backends.list_of_moto_modules, responses.method_names_from_class

    @cache
    def modules() -> frozenset[str]:
        return frozenset(list_modules())

    @cache
    def methods(service: Any) -> frozenset[str]:
        return frozenset(method_names(service))

    backends.list_of_moto_modules = modules
    responses.method_names_from_class = methods

    pick = AttributePicker.__call__

    def picked(self: AttributePicker, context: AttributePickerContext) -> Any:
        if context.key in ATTRIBUTE_TYPES and type(context.obj) is dict:
            return context.obj.get(context.key)
        return pick(self, context)

    AttributePicker.__call__ = picked
