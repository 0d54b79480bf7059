"""What moto looks up for each request is remembered, and is what it finds itself."""

import pytest
from moto import backends
from moto.core import responses
from moto.dynamodb.responses import DynamoHandler
from moto.s3.responses import S3Response

from local import moto_lookups


def test_each_service_and_its_operations_are_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[object] = []
    list_modules, method_names = backends.list_of_moto_modules, responses.method_names_from_class
    monkeypatch.setattr(
        backends, "list_of_moto_modules", lambda: looked_up.append("modules") or list_modules()
    )
    monkeypatch.setattr(
        responses, "method_names_from_class", lambda each: looked_up.append(each) or method_names(each)
    )
    moto_lookups.install()
    for _ in range(2):
        assert set(backends.list_of_moto_modules()) == set(list_modules())
        for service in (DynamoHandler, S3Response):
            assert set(responses.method_names_from_class(service)) == set(method_names(service))
    assert looked_up == ["modules", DynamoHandler, S3Response]
