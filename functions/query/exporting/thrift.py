"""Thrift's compact protocol, as far as the headers of Parquet need it. Pure.

A structure is bytes; its fields are given as (id, value) in ascending order of their ids.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_TRUE, _FALSE, _I32, _I64, _BINARY, _LIST, _STRUCT = 1, 2, 5, 6, 8, 9, 12
_SHORT_LIST = 15


@dataclass(frozen=True, slots=True)
class I64:
    """A number of 64 bits; an int is one of 32."""

    value: int


@dataclass(frozen=True, slots=True)
class I32s:
    values: Sequence[int]


@dataclass(frozen=True, slots=True)
class Texts:
    values: Sequence[str]


@dataclass(frozen=True, slots=True)
class Structures:
    values: Sequence[bytes]


Value = bool | int | str | bytes | I64 | I32s | Texts | Structures


def structure(*fields: tuple[int, Value]) -> bytes:
    """The bytes of a structure; a value of bytes is a structure itself."""
    parts, last = [], 0
    for number, value in fields:
        kind, content = _encoded(value)
        parts += [bytes([(number - last) << 4 | kind]), content]
        last = number
    return b"".join(parts) + b"\0"


def varint(value: int) -> bytes:
    """A number that is not negative, seven bits a byte."""
    content = bytearray()
    while value > 0x7F:
        content.append(value & 0x7F | 0x80)
        value >>= 7
    content.append(value)
    return bytes(content)


def _encoded(value: Value) -> tuple[int, bytes]:
    """The type's number, and the bytes."""
    match value:
        case bool():
            return (_TRUE if value else _FALSE), b""
        case int():
            return _I32, _zigzag(value)
        case I64():
            return _I64, _zigzag(value.value)
        case str():
            return _BINARY, _text(value)
        case bytes():
            return _STRUCT, value
        case I32s():
            return _LIST, _list(_I32, [_zigzag(each) for each in value.values])
        case Texts():
            return _LIST, _list(_BINARY, [_text(each) for each in value.values])
        case Structures():
            return _LIST, _list(_STRUCT, value.values)


def _list(kind: int, items: Sequence[bytes]) -> bytes:
    count = len(items)
    head = bytes([count << 4 | kind]) if count < _SHORT_LIST else bytes([0xF0 | kind]) + varint(count)
    return head + b"".join(items)


def _text(value: str) -> bytes:
    content = value.encode()
    return varint(len(content)) + content


def _zigzag(value: int) -> bytes:
    return varint(value << 1 if value >= 0 else (-value << 1) - 1)
