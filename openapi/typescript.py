"""`python -m openapi.typescript` writes the types of the API for the dashboard: `web/src/api/schema.d.ts`.

One exported type for each schema of the document. Every field of a response is there; a field of a form that
has a default is optional.
"""

import json
from collections.abc import Iterator
from typing import Any

from openapi.build import made
from openapi.document import ROOT

TARGET = ROOT / "web" / "src" / "api" / "schema.d.ts"

Schema = dict[str, Any]

_REFERENCE = "#/components/schemas/"
_SCALARS = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}


class UnknownSchemaError(Exception):
    """A schema of a form that has no type here; the message is the schema."""


def types_of(document: Schema) -> str:
    """The TypeScript declarations of all schemas in an OpenAPI document."""
    schemas: dict[str, Schema] = document["components"]["schemas"]
    declarations = [_declaration(name, schemas[name]) for name in sorted(schemas)]
    return "\n".join(["// Written by `python -m openapi.typescript`.", *declarations])


def _declaration(name: str, schema: Schema) -> str:
    described = schema.get("description", "")
    comment = f"/** {' '.join(described.split())} */\n" if described else ""
    return f"\n{comment}export type {name} = {_type(schema)};"


def _type(schema: Schema) -> str:
    """
    Raises
    ------
    UnknownSchemaError
    """
    if not schema:
        return "unknown"
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_REFERENCE)
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(each) for each in schema["anyOf"]))
    kind = schema.get("type")
    if kind == "object":
        return _object(schema)
    if kind == "array":
        return f"({_type(schema.get('items', {}))})[]"
    if kind not in _SCALARS:
        raise UnknownSchemaError(json.dumps(schema))
    return _SCALARS[kind]


def _object(schema: Schema) -> str:
    properties: dict[str, Schema] = schema.get("properties", {})
    if properties:
        required = frozenset(schema.get("required", ()))
        return "\n".join(["{", *_fields(properties, required), "}"])
    values = schema.get("additionalProperties")
    return f"{{ [name: string]: {_type(values) if isinstance(values, dict) else 'unknown'} }}"


def _fields(properties: dict[str, Schema], required: frozenset[str]) -> Iterator[str]:
    for name, schema in properties.items():
        optional = "" if name in required else "?"
        yield f"  {json.dumps(name)}{optional}: {_type(schema).replace(chr(10), chr(10) + '  ')};"


if __name__ == "__main__":
    TARGET.write_text(types_of(made()) + "\n")
