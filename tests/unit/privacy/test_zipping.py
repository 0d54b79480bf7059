"""Archives that are written piece by piece, read by Python's own reader of ZIP files."""

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from functions.privacy.export.zipping import LIMIT_16, LIMIT_32, ZipEntry, directory, packed

AT = datetime(2026, 11, 25, 13, 37, 42, tzinfo=UTC)

names = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="/\\:"), min_size=1, max_size=20
)


@given(files=st.dictionaries(names, st.binary(max_size=2000), max_size=6))
def test_what_was_packed_comes_out(files: dict[str, bytes]) -> None:
    written, entries = b"", []
    for name, body in files.items():
        data, entry = packed(name, body, len(written), AT)
        written += data
        entries.append(entry)
    written += directory(entries, len(written), AT)

    with zipfile.ZipFile(io.BytesIO(written)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == list(files)
        assert {name: archive.read(name) for name in files} == files
        assert {each.date_time for each in archive.infolist()} <= {(2026, 11, 25, 13, 37, 42)}


def test_the_same_is_the_same_to_the_byte() -> None:
    assert packed("a", b"body", 7, AT) == packed("a", b"body", 7, AT)


def test_an_archive_beyond_four_gigabytes_is_read(tmp_path: Path) -> None:
    """Most of it is a hole in the file; one entry lies before it and one behind."""
    first, one = packed("before", b"one", 0, AT)
    far = LIMIT_32 + 10
    second, two = packed("behind", b"two", far, AT)
    place = tmp_path / "large.zip"
    with place.open("wb") as file:
        file.write(first)
        file.seek(far)
        file.write(second)
        file.write(directory([one, two], far + len(second), AT))

    with zipfile.ZipFile(place) as archive:
        assert (archive.read("before"), archive.read("behind")) == (b"one", b"two")


def test_an_archive_of_very_many_files_is_read() -> None:
    data, entry = packed("f", b"", 0, AT)
    entries = [ZipEntry(f"f{number}", 0, entry.crc, entry.packed_bytes, 0) for number in range(LIMIT_16 + 3)]
    written = data + directory(entries, len(data), AT)

    with zipfile.ZipFile(io.BytesIO(written)) as archive:
        assert len(archive.namelist()) == LIMIT_16 + 3
