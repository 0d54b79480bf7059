"""Values of OTLP in protobuf, as JSON has them."""

from collections.abc import Iterable
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from functions.ingest.protocols.otlp.events import number, text_of_bytes


def values_of(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    """Attributes by name; of several with one name the last counts."""
    return {each.key: value_of(each.value) for each in attributes}


def value_of(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    content = getattr(value, kind)
    convert = _CONVERTED.get(kind)
    return convert(content) if convert else content


_CONVERTED: dict[str, Any] = {
    "double_value": number,
    "bytes_value": text_of_bytes,
    "array_value": lambda array: [value_of(each) for each in array.values],
    "kvlist_value": lambda pairs: values_of(pairs.values),
}
