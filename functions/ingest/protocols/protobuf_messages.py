"""Message classes from a table of their fields, with only what is read, in types that are cheap to read.

A field that holds a message may be declared as bytes: it is then left as it is on the wire. Texts may be
bytes, too, because Go does not check that they are UTF-8.
"""

from collections.abc import Mapping
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "bytes": _Field.TYPE_BYTES,
    "fixed32": _Field.TYPE_FIXED32,
    "fixed64": _Field.TYPE_FIXED64,
    "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64,
    "string": _Field.TYPE_STRING,
    "uint32": _Field.TYPE_UINT32,
}

Messages = Mapping[str, tuple[tuple[str, int, str], ...]]
"""Message -> its fields: name, number, and type, with `*` if it is repeated."""


def classes(package: str, messages: Messages) -> dict[str, Any]:
    """Name -> class of each message; `package` is in no other call."""
    pool = descriptor_pool.DescriptorPool()
    pool.Add(_file(package, messages))
    named = {name: pool.FindMessageTypeByName(f"{package}.{name}") for name in messages}
    return {name: message_factory.GetMessageClass(found) for name, found in named.items()}


def _file(package: str, messages: Messages) -> descriptor_pb2.FileDescriptorProto:
    made = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for message, fields in messages.items():
        described = made.message_type.add(name=message)
        for name, number, kind in fields:
            field = described.field.add(name=name, number=number)
            field.label = _Field.LABEL_REPEATED if kind.endswith("*") else _Field.LABEL_OPTIONAL
            scalar = _SCALARS.get(kind.rstrip("*"))
            field.type = _Field.TYPE_MESSAGE if scalar is None else scalar
            if scalar is None:
                field.type_name = f".{package}.{kind.rstrip('*')}"
    return made
