"""The systemd journal: entries of its export format become rows, binary fields included."""

import pytest

from functions.ingest.protocols.journald import MAX_FIELDS
from tests.unit.ingest.protocols import InMemoryIngest
from tests.unit.ingest.sending import said, send

pytestmark = pytest.mark.usefixtures("ingest")

URL = "POST /v1/journald/upload"


def binary(name: str, value: bytes) -> bytes:
    return name.encode() + b"\n" + len(value).to_bytes(8, "little") + value + b"\n"


ENTRY = (
    b"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1795946400123456\n_BOOT_ID=b\nPRIORITY=3\n"
    b"SYSLOG_IDENTIFIER=sshd\n_HOSTNAME=h\n"
)


def test_entries_become_rows(ingest: InMemoryIngest) -> None:
    body = (
        b"\n"
        + ENTRY
        + b"MESSAGE=disk=full\nDUP=1\nDUP=2\nDUP=3\n\n\n"
        + binary("MESSAGE", b"two\nlines \xff")
        + binary("DATA", b"\x00\xff")
        + binary("TEXT", b"a\nb")
        + b"PRIORITY=6\n"
    )
    status, answer = said(send(URL, body, {"content-type": "application/vnd.fdo.journal"}))
    assert (status, answer["accepted"]) == (200, 2)
    ((first, second),) = ingest.staged()
    assert (first["message"], first["level"], first["service"], first["timestamp"]) == (
        "disk=full",
        "error",
        "sshd",
        "2026-11-29T10:00:00.123456000Z",
    )
    assert first["metadata"] == {
        "__CURSOR": "s=1",
        "_BOOT_ID": "b",
        "PRIORITY": "3",
        "_HOSTNAME": "h",
        "DUP": ["1", "2", "3"],
    }
    assert (second["message"], second["level"]) == ("two\nlines \ufffd", "info")
    assert second["metadata"] == {"DATA": "AP8=", "TEXT": "a\nb", "PRIORITY": "6"}


def test_an_entry_that_is_too_large_harms_no_other(ingest: InMemoryIngest) -> None:
    body = b"MESSAGE=a\n\nMESSAGE=" + b"x" * 2**20 + b"\n\nMESSAGE=c\n"
    status, answer = said(send(URL, body))
    assert (status, answer["accepted"], answer["errors"][0]["code"]) == (200, 2, "event_too_large")
    assert [row["message"] for row in ingest.staged()[0]] == ["a", "c"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"MESSAGE=a", 400),
        (b"MESSAGE=a\n\nMESSAGE\n", 400),
        (b"MESSAGE\n\x05\x00\x00\x00\x00\x00\x00\x00ab\n", 400),
        (b"MESSAGE\n" + b"\xff" * 8 + b"ab\n", 400),
        (b"MESSAGE\n\x01\x00\x00", 400),
        (b"{}", 400),
        (b"A=\n" * (MAX_FIELDS + 1), 413),
        (b"", 200),
        (b"\n\n", 200),
    ],
)
def test_a_body_that_is_no_export_is_refused_whole(ingest: InMemoryIngest, body: bytes, status: int) -> None:
    assert send(URL, body)["statusCode"] == status
    assert ingest.staged() == []


def test_two_tenants_keep_their_entries_apart(ingest: InMemoryIngest) -> None:
    for tenant in ("acme", "globex"):
        send(URL, f"MESSAGE=of {tenant}\n\n".encode(), tenant=tenant)
    for tenant in ("acme", "globex"):
        assert [(row["message"], row["tenant_id"]) for row in ingest.staged(tenant)[0]] == [
            (f"of {tenant}", tenant)
        ]
