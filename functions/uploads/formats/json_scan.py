"""Find where a JSON value ends, by its brackets and strings alone: it need not be valid.

Short values are walked token by token. A megabyte of brackets would take half a second that way. So in long
values the depth after each token is computed for all tokens at once, and the closing token is searched.
"""

import re
from collections import deque
from itertools import accumulate, islice

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?P<end>"?)|[{}\[\]]', re.DOTALL)
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|(?P<open>))', re.DOTALL)
_REST_OF_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_NO_TOKENS = bytes(set(range(256)) - set(b'"{}[]'))
_SCALAR = re.compile(rb"[^\s,\]}\[{\"]++")
_ENDS_SCALAR = re.compile(rb"[\s,\]}]")
_QUOTE = 0x22
_BACKSLASH = b"\\"
_IN_SCALAR = -1
_FEW_TOKENS = 1000
_PIECE_BYTES = 64 * 1024
_STEPS = [(each in b"{[") - (each in b"}]") for each in range(256)]
"""The change of depth after each byte."""


def value_end(data: bytes, start: int) -> int | None:
    """Where the value that begins at `start` ends; None when it does not end in `data`.

    A number or word that reaches the end of `data` ends there: it may continue in the file.
    """
    if data[start : start + 1] not in (b"{", b"[", b'"'):
        scalar = _SCALAR.match(data, start)
        return scalar.end() if scalar else start + 1
    depth, at = 0, start
    for token in islice(_TOKEN.finditer(data, start), _FEW_TOKENS):
        at, first = token.end(), data[token.start()]
        if first == _QUOTE and not token["end"]:
            return None
        depth += _STEPS[first]
        if depth == 0:
            return at
    return _end_of_long(data, at, depth)


def _end_of_long(data: bytes, at: int, depth: int) -> int | None:
    """Like `value_end`, from `at` on, where the value is `depth` brackets deep."""
    skipper = Skipper(depth, begun=True)
    at += skipper.skip(data[at:])
    return at if skipper.ended else None


class Skipper:
    """Finds the end of one value in pieces of it; its state consists of JSON values."""

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
        """How much of `data` belongs to the value: all of it while the value continues."""
        if not self._begun:
            self._begun = True
            self._depth = 0 if data[:1] in (b"{", b"[", b'"') else _IN_SCALAR
        if self._depth == _IN_SCALAR:
            return self._skip_scalar(data)
        at = 0
        while at < len(data) and not self.ended:
            piece = data[at : at + _PIECE_BYTES]
            at += self._skip_string(piece) if self._in_string else self._skip_tokens(piece)
        return at

    def _skip_string(self, data: bytes) -> int:
        """Where the string that `data` begins in ends; all of `data` when it does not end."""
        rest = _REST_OF_STRING.match(data, int(self._escaped))
        end = rest.end() if rest else len(data)
        self._escaped = data[end : end + 1] == _BACKSLASH
        self._in_string = self._escaped or end == len(data)
        self.ended = not self._in_string and self._depth == 0
        return len(data) if self._in_string else end + 1

    def _skip_tokens(self, data: bytes) -> int:
        """Like `_skip_string`, for `data` that begins outside of strings."""
        tokens = _STRING.sub(b'"', data)
        self._in_string = _ends_in_string(data, tokens)
        tokens = tokens.translate(None, _NO_TOKENS)
        tokens = tokens[:-1] if self._in_string else tokens
        closing = tokens.count(b"}") + tokens.count(b"]")
        if closing < self._depth:
            return self._continue(data, self._depth + len(tokens) - tokens.count(b'"') - 2 * closing)
        depths = list(accumulate(map(_STEPS.__getitem__, tokens), initial=self._depth))
        try:
            number = depths.index(0, 1)
        except ValueError:
            return self._continue(data, depths[-1])
        self.ended, self._depth = True, 0
        return next(islice(_TOKEN.finditer(data), number - 1, None)).end()

    def _continue(self, data: bytes, depth: int) -> int:
        """Note that the value does not end in `data`, all of which belongs to it."""
        self._depth = depth
        self._escaped = self._in_string and (len(data) - len(data.rstrip(_BACKSLASH))) % 2 == 1
        return len(data)

    def _skip_scalar(self, data: bytes) -> int:
        end = _ENDS_SCALAR.search(data)
        self.ended = end is not None
        return end.start() if end else len(data)


def _ends_in_string(data: bytes, tokens: bytes) -> bool:
    """Whether the last string of `data` has no end; in `tokens` each string is a quote."""
    after = tokens[tokens.rfind(b'"') + 1 :]
    if after not in (b"", _BACKSLASH) or after == tokens:
        return False
    (last,) = deque(_STRING.finditer(data), 1)
    return last["open"] is not None
