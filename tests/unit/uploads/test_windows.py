"""Windows of lines: together they are the text, and each ends with a line, however long lines are."""

from random import Random
from typing import cast

import pytest

from functions.uploads.formats.contract import WINDOW_BYTES, WINDOW_RECORDS
from functions.uploads.formats.windows import LineWindows
from functions.uploads.streams.contract import Stream
from functions.uploads.text import Text


def text_with(data: bytes) -> Text:
    """A text that has been read to its end."""
    text = Text(cast(Stream, None))
    text.data, text.ended = data, True
    return text


def windows_of(data: bytes) -> list[bytes]:
    text, windows = text_with(data), LineWindows()
    found = []
    while (lines := windows.next(text)) is not None:
        assert (lines.cut_off, lines.too_long) == (False, False)
        found.append(lines.body)
    return found


def assert_whole_lines(data: bytes) -> None:
    found = windows_of(data)
    assert b"".join(found) == data
    assert [each[-20:] for each in found[:-1] if not each.endswith(b"\n")] == []
    assert max(each.count(b"\n") for each in found) <= WINDOW_RECORDS


@pytest.mark.parametrize("length", range(60, 105))
def test_lines_of_one_length_are_cut_at_their_ends(length: int) -> None:
    """Of 77 bytes, as many lines as a window has end within the last line of a block that is counted."""
    line = b"x" * (length - 1) + b"\n"
    assert_whole_lines(line * (3 * WINDOW_RECORDS))


@pytest.mark.parametrize("seed", range(30))
def test_lines_of_any_length_are_cut_at_their_ends(seed: int) -> None:
    random = Random(seed)
    longest = random.choice([5, 60, 150, 200])
    lines = (b"y" * random.randrange(longest) for _ in range(2 * WINDOW_RECORDS + random.randrange(9)))
    assert_whole_lines(b"z" * random.randrange(99) + b"\n".join(lines))


def test_a_window_has_as_many_lines_as_it_may_have() -> None:
    first, *_ = windows_of(b"1\n" * (WINDOW_BYTES // 2))
    assert first.count(b"\n") == WINDOW_RECORDS
