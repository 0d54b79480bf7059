"""The messages of Loki's push in protobuf, as far as they are read.

Texts are declared as bytes: Go does not check that they are UTF-8, and agents send lines that are not.
"""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "astralog.loki"
_Field = descriptor_pb2.FieldDescriptorProto

_MESSAGES = {
    "Time": (("seconds", 1, "int64"), ("nanos", 2, "int32")),
    "Pair": (("name", 1, "bytes"), ("value", 2, "bytes")),
    "Entry": (("timestamp", 1, "Time"), ("line", 2, "bytes"), ("metadata", 3, "Pair*")),
    "Entries": (("entries", 2, "Entry*"),),
}
"""Message -> its fields: name, number, and type, with `*` if it is repeated."""

_SCALARS = {"int64": _Field.TYPE_INT64, "int32": _Field.TYPE_INT32, "bytes": _Field.TYPE_BYTES}


def _file() -> descriptor_pb2.FileDescriptorProto:
    made = descriptor_pb2.FileDescriptorProto(name="astralog/loki.proto", package=_PACKAGE, syntax="proto3")
    for message, fields in _MESSAGES.items():
        described = made.message_type.add(name=message)
        for name, number, kind in fields:
            field = described.field.add(name=name, number=number)
            field.label = _Field.LABEL_REPEATED if kind.endswith("*") else _Field.LABEL_OPTIONAL
            scalar = _SCALARS.get(kind)
            field.type = _Field.TYPE_MESSAGE if scalar is None else scalar
            if scalar is None:
                field.type_name = f".{_PACKAGE}.{kind.rstrip('*')}"
    return made


_pool = descriptor_pool.DescriptorPool()
_pool.Add(_file())

Entry = message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{_PACKAGE}.Entry"))
Entries = message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{_PACKAGE}.Entries"))
