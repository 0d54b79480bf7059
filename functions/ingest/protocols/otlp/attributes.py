"""Attributes of OTLP in protobuf, from their bytes on the wire to JSON.

Most attributes of a request have one of a few values, and are encoded once. Of the others the short ones with
a text, a whole number or a double are read here, byte by byte, at half of the cost of a parser. Everything
else is parsed, which decides what is valid.
"""

from collections.abc import Iterable
from functools import lru_cache
from struct import Struct

import msgspec
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from functions.ingest.protocols.otlp.events import number
from functions.ingest.protocols.otlp.values import value_of

MAX_KEPT = 4096
MAX_KEPT_BYTES = 128
"""The limit for attributes that are encoded once: at most 2 MB for one request."""

_KEY, _VALUE = 0x0A, 0x12
_TEXT, _WHOLE, _DOUBLE = 0x0A, 0x18, 0x21
_ONE_BYTE = 0x80
"""A length or a number below that is one byte."""

_double = Struct("<d").unpack_from
_encode = msgspec.json.Encoder().encode

Pair = tuple[str, bytes]
"""The name of an attribute, and name and value as JSON."""


class AttributeCache:
    """The attributes of one request. It ends with the request, because it holds values."""

    def __init__(self) -> None:
        self._kept = lru_cache(maxsize=MAX_KEPT)(_pair_of)

    def pairs(self, attributes: Iterable[bytes]) -> list[Pair]:
        """The pair of each attribute.

        Raises
        ------
        DecodeError, UnicodeDecodeError: one is not valid.
        """
        kept = self._kept
        return [kept(each) if len(each) <= MAX_KEPT_BYTES else _parsed(each) for each in attributes]


def _pair_of(attribute: bytes) -> Pair:
    """A short attribute, whose lengths have one byte each: tag, length, key, tag, length, value."""
    try:
        value_at = 4 + attribute[1]
        is_plain = attribute[0] == _KEY and attribute[value_at - 2] == _VALUE
        if is_plain and attribute[value_at - 1] == len(attribute) - value_at:
            value = _plain(attribute[value_at:])
            if value is not None:
                key = str(attribute[2 : value_at - 2], "utf-8")
                return key, b"%b:%b" % (_encode(key), value)
    except IndexError:
        pass
    return _parsed(attribute)


def _plain(value: bytes) -> bytes | None:
    """A value as JSON; None for one that has to be parsed."""
    tag, size = value[0], len(value)
    if tag == _TEXT:
        return _encode(str(value[2:], "utf-8")) if value[1] == size - 2 else None
    if tag == _DOUBLE:
        return _encode(number(_double(value, 1)[0])) if size == 9 else None
    if tag == _WHOLE:
        return _whole(value)
    return _BOOLS.get(value)


def _whole(value: bytes) -> bytes | None:
    """A whole number of one or two bytes, seven bits in each."""
    first, size = value[1], len(value)
    if size == 2 and first < _ONE_BYTE:
        return b"%d" % first
    if size == 3 and first >= _ONE_BYTE > value[2]:
        return b"%d" % (first - _ONE_BYTE + (value[2] << 7))
    return None


_BOOLS = {b"\x10\x00": b"false", b"\x10\x01": b"true"}


def _parsed(attribute: bytes) -> Pair:
    found = KeyValue.FromString(attribute)
    return found.key, b"%b:%b" % (_encode(found.key), _encode(value_of(found.value)))
