"""Where a JSON value ends, told by its brackets and strings alone: it need not be valid."""

import re

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?P<end>"?)|[{}\[\]]', re.DOTALL)
_SCALAR = re.compile(rb"[^\s,\]}\[{\"]++")
_STEP = re.compile(rb'\\.|[\\"{}\[\]]', re.DOTALL)
_ENDS_SCALAR = re.compile(rb"[\s,\]}]")
_QUOTE = 0x22
_IN_SCALAR = -1


def value_end(data: bytes, start: int) -> int | None:
    """Where the value ends that begins at `start`; None when it does not in `data`.

    A number or word ends with `data` if it reaches there: it may go on.
    """
    if data[start : start + 1] not in (b"{", b"[", b'"'):
        scalar = _SCALAR.match(data, start)
        return scalar.end() if scalar else start + 1
    depth = 0
    for token in _TOKEN.finditer(data, start):
        first = data[token.start()]
        if first == _QUOTE:
            if not token["end"]:
                return None
        elif first in b"{[":
            depth += 1
        else:
            depth -= 1
        if depth == 0:
            return token.end()
    return None


class Skipper:
    """Finds the end of one value in pieces of it; its state is values of JSON."""

    def __init__(
        self, depth: int = 0, in_string: bool = False, begun: bool = False, escaped: bool = False
    ) -> None:
        self._depth = depth
        self._in_string = in_string
        self._begun = begun
        self._escaped = escaped
        self.ended = False

    def state(self) -> list[int | bool]:
        return [self._depth, self._in_string, self._begun, self._escaped]

    def skip(self, data: bytes) -> int:
        """How much of `data` belongs to the value: all of it while it goes on."""
        if not self._begun:
            self._begun = True
            self._depth = 0 if data[:1] in (b"{", b"[", b'"') else _IN_SCALAR
        if self._depth == _IN_SCALAR:
            return self._skip_scalar(data)
        start, self._escaped = int(self._escaped), False
        for token in _STEP.finditer(data, start):
            if token[0] == b"\\":
                self._escaped = True
            elif self._ends_at(data[token.start()]):
                return token.end()
        return len(data)

    def _ends_at(self, character: int) -> bool:
        """Whether the value ends with this character, which is no escaped one."""
        if character == _QUOTE:
            self._in_string = not self._in_string
        elif not self._in_string:
            self._depth += (character in b"{[") - (character in b"}]")
        self.ended = not self._in_string and self._depth == 0
        return self.ended

    def _skip_scalar(self, data: bytes) -> int:
        end = _ENDS_SCALAR.search(data)
        self.ended = end is not None
        return end.start() if end else len(data)
