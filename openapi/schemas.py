"""JSON Schema of the declared types. Structs become components; objects of responses are closed.

A closed object has no properties but those of its type, so that an answer with another one is invalid.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from functions.shared.openapi import ErrorBody
from functions.shared.secret_text import SecretText

REFERENCE = "#/components/schemas/{name}"
_PREFIX = REFERENCE.format(name="")

JsonSchema = dict[str, Any]


class Schemas:
    """The schemas of types, which are all known in advance.

    Parameters
    ----------
    sent: types of requests. returned: types of responses, whose objects are closed.
    """

    def __init__(self, sent: Iterable[Any], returned: Iterable[Any]) -> None:
        kinds = [kind for each in sent for kind in _types_of(each)]
        answers = [kind for each in returned for kind in _types_of(each)]
        every = [*kinds, *answers, ErrorBody]
        found, self.components = msgspec.json.schema_components(
            every, schema_hook=_schema_of_secret, ref_template=REFERENCE
        )
        self._of_type = {repr(kind): schema for kind, schema in zip(every, found, strict=True)}
        for name in sorted(self._reached([self._of_type[repr(each)] for each in answers])):
            component = self.components[name]
            if "properties" in component and name != ErrorBody.__name__:
                component["additionalProperties"] = False

    def of(self, kind: Any) -> JsonSchema:
        """The schema of a type; a dict is one already, and of a tuple one fits."""
        if isinstance(kind, tuple):
            return {"anyOf": [self.of(each) for each in kind]}
        return dict(kind) if isinstance(kind, Mapping) else self._of_type[repr(kind)]

    def members(self, kind: Any) -> JsonSchema:
        """Properties and required names of a Struct, as a part of another object."""
        component = self.components[self.of(kind)["$ref"].removeprefix(_PREFIX)]
        return {name: component[name] for name in ("properties", "required") if name in component}

    def _reached(self, schemas: Iterable[Any]) -> set[str]:
        """The names of the components that the schemas refer to, directly or through others."""
        names: set[str] = set()
        waiting = list(schemas)
        while waiting:
            new = set(_references(waiting.pop())) - names
            names |= new
            waiting += [self.components[name] for name in new]
        return names


def _types_of(kind: Any) -> Sequence[Any]:
    if isinstance(kind, tuple):
        return kind
    return () if kind is None or isinstance(kind, Mapping) else (kind,)


def _references(schema: Any) -> Iterable[str]:
    if isinstance(schema, Mapping):
        for name, value in schema.items():
            if name == "$ref":
                yield value.removeprefix(_PREFIX)
            else:
                yield from _references(value)
    elif isinstance(schema, list):
        for each in schema:
            yield from _references(each)


def _schema_of_secret(kind: type) -> JsonSchema:
    if kind is SecretText:
        return {"type": "string", "format": "password", "writeOnly": True}
    raise NotImplementedError
