"""What moto looks up for each request is remembered, and is what it finds itself."""

import inspect
from pathlib import Path
from typing import Any

import moto
import pytest
from botocore.model import Shape
from moto import backends
from moto.core import responses
from moto.core.serialize import AttributePicker, AttributePickerContext
from moto.dynamodb.responses import DynamoHandler
from moto.s3.responses import S3Response

from local import moto_lookups
from local.moto_lookups import ATTRIBUTE_TYPES


@pytest.fixture(autouse=True)
def installed() -> None:
    moto_lookups.install()


def test_every_service_and_all_its_operations_are_found() -> None:
    folders = {each.name for each in Path(moto.__file__).parent.iterdir() if each.is_dir()}
    assert set(backends.list_of_moto_modules()) == {each for each in folders if not each.startswith("__")}
    for service in (DynamoHandler, S3Response):
        methods = {name for name, _ in inspect.getmembers(service, inspect.isfunction)}
        assert set(responses.method_names_from_class(service)) == methods


def test_an_attribute_value_has_the_type_it_has_and_no_other() -> None:
    values: dict[str, Any] = {"S": "a", "BOOL": False, "M": {"x": {"N": "1"}}, "NULL": True}
    for kind in ATTRIBUTE_TYPES:
        for obj in (values, {}):
            context = AttributePickerContext(obj=obj, key=kind, shape=Shape(kind, {"type": "string"}))
            assert AttributePicker()(context) == obj.get(kind)


def test_installing_it_twice_changes_nothing() -> None:
    before = (responses.method_names_from_class, AttributePicker.__call__)
    moto_lookups.install()
    assert (responses.method_names_from_class, AttributePicker.__call__) == before
