"""Decompress a file member by member: gzip members and zstd frames.

A resume point is the beginning of a member, because no library stores the state of a decompressor. Text
between that point and the place where reading stopped is decompressed again and discarded (docs/adr/0021).
"""

from abc import ABC, abstractmethod
from typing import Generic, Protocol, TypeVar

from functions.uploads.streams.contract import BrokenFileError, Members, Ranges, ResumePoint, ResumePoints
from functions.uploads.streams.sequence import Sequence

INPUT_BYTES = 16 * 1024
"""Small: an error can discard the text of a piece of input, and a member's end copies the data after it."""

KEPT_TEXT_BYTES = 6 * 1024 * 1024
"""How far back a mark may be requested."""


class Member(Protocol):
    """The decompressor of one member, which keeps input that it did not use yet."""

    @property
    def needs_input(self) -> bool: ...
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...


M = TypeVar("M", bound=Member)


class MemberStream(ABC, Generic[M]):
    """A Stream of members. A subclass opens them and decompresses their data.

    `pending` is input that is not decompressed yet; `fault` ends the stream.
    """

    def __init__(self, ranges: Ranges, mark: ResumePoint, cut_off: BrokenFileError) -> None:
        self.pending = b""
        self.fault: BrokenFileError | None = None
        self._cut_off = cut_off
        self._bytes = Sequence(ranges, mark.at)
        self._text_at = mark.text_at
        self._marks = ResumePoints(mark, KEPT_TEXT_BYTES)
        self._members = Members(mark.debt)
        self._member: M | None = None

    @property
    def file_at(self) -> int:
        return self._bytes.at - len(self.pending)

    def read(self) -> bytes:
        while not self.fault:
            if self._member is None:
                self._member = self._begun()
            if self._member is None:
                break
            if text := self._text(self._member):
                self._text_at += len(text)
                self._members.add_text(len(text))
                return text
        if self.fault:
            raise self.fault
        return b""

    def mark(self, text_at: int) -> ResumePoint:
        return self._marks.before(text_at)

    @abstractmethod
    def opened(self) -> M | None:
        """A decompressor for the member at the beginning of `pending`; None, and perhaps a fault, if none."""

    @abstractmethod
    def decompressed(self, member: M, data: bytes) -> bytes:
        """At most PIECE_BYTES of text from `data` and the input that `member` keeps; may set a fault."""

    def more(self) -> bool:
        """Read more input after `pending`; False at the end of the file."""
        piece = self._bytes.read(INPUT_BYTES)
        self.pending += piece
        return bool(piece)

    def _begun(self) -> M | None:
        """The next member; None at the end of the file, or with a fault."""
        if not self.pending and not self.more():
            return None
        member = self.opened()
        if member is None:
            return None
        if self._marks.wants(self._text_at):
            self._marks.add(ResumePoint(self.file_at, self._text_at, debt=self._members.debt))
        self.fault = self._members.begin()
        return None if self.fault else member

    def _text(self, member: M) -> bytes:
        """Some text, empty when there is none yet, or when the member has ended."""
        if member.needs_input and not self.pending:
            self.more()
        data, self.pending = self.pending, b""
        text = self.decompressed(member, data)
        if member.eof:
            self.pending, self._member = member.unused_data, None
        elif not data and not text and not self.fault:
            self.fault = self._cut_off
        return text
