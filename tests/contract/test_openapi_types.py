"""The dashboard's types are those of the OpenAPI document."""

from typing import Any

import pytest

from openapi.build import made
from openapi.typescript import TARGET, UnknownSchemaError, types_of


def types(**schemas: Any) -> str:
    return types_of({"components": {"schemas": schemas}})


def test_the_types_in_the_dashboard_are_those_of_this_version() -> None:
    assert TARGET.read_text() == types_of(made()) + "\n", "run `make web-types`"


def test_a_field_that_a_form_may_leave_out_is_optional() -> None:
    form = {
        "type": "object",
        "description": "A form.",
        "properties": {
            "name": {"type": "string", "maxLength": 3},
            "caps": {"anyOf": [{"type": "integer"}, {"type": "number"}, {"type": "null"}], "default": None},
            "states": {"type": "array", "items": {"enum": ["on", "off"]}},
            "other": {"$ref": "#/components/schemas/Other"},
            "free": {"type": "object"},
        },
        "required": ["name"],
    }
    assert types(Form=form).split("\n\n")[1] == "\n".join(
        (
            "/** A form. */",
            "export type Form = {",
            '  "name": string;',
            '  "caps"?: number | null;',
            '  "states"?: ("on" | "off")[];',
            '  "other"?: Other;',
            '  "free"?: { [name: string]: unknown };',
            "};",
        )
    )


def test_a_schema_without_a_type_here_is_an_error_and_not_any() -> None:
    with pytest.raises(UnknownSchemaError):
        types(Odd={"type": "tuple"})
