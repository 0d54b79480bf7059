"""Syslog: messages of both RFCs in lines and frames."""

from datetime import UTC, datetime
from typing import Any

import pytest

from functions.ingest.protocols.syslog_message import parse
from tests.unit.ingest.protocols import InMemoryIngest
from tests.unit.ingest.sending import said, send

pytestmark = pytest.mark.usefixtures("ingest")

SYSLOG = "POST /v1/syslog"
HEROKU = "POST /v1/heroku"
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def framed(*messages: bytes) -> bytes:
    return b"".join(b"%d %b" % (len(message), message) for message in messages)


@pytest.mark.parametrize(
    ("sent", "event", "metadata"),
    [
        (
            "<165>1 2026-11-29T10:00:00.003Z host app 8710 ID47 - disk full",
            {
                "message": "disk full",
                "level": "info",
                "service": "app",
                "timestamp": "2026-11-29T10:00:00.003Z",
            },
            {"facility": "local4", "severity": 5, "hostname": "host", "procid": "8710", "msgid": "ID47"},
        ),
        (
            r'<11>1 - - - - - [a@1 x="1" y="q\"\]"][b z=""] ' + "\ufeffwith data",
            {"message": "with data", "level": "error"},
            {
                "facility": "user",
                "severity": 3,
                "structured_data": {"a@1": {"x": "1", "y": 'q"]'}, "b": {"z": ""}},
            },
        ),
        ("<34>1 - h a - - -", {"message": "", "level": "fatal", "service": "a"}, {"hostname": "h"}),
        ("<34>1 - h a - - [not data", {"message": "[not data"}, {}),
        ("<34>1 - h a - - [x] [y] rest", {"message": "[y] rest"}, {"structured_data": {"x": {}}}),
        (
            "<40>1 2026-11-29T10:00:00+00:00 host app web.3 - State changed",
            {"message": "State changed", "service": "app"},
            {"procid": "web.3"},
        ),
        ("<34>1 yesterday h a - - - m", {"message": "1 yesterday h a - - - m", "level": "fatal"}, {}),
        (
            "<34>Oct 11 22:14:15 mymachine su[77]: 'su root' failed",
            {
                "message": "'su root' failed",
                "level": "fatal",
                "service": "su",
                "timestamp": "2026-10-11T22:14:15Z",
            },
            {"hostname": "mymachine", "procid": "77", "facility": "auth"},
        ),
        (
            "<30>Nov  3 01:02:03.125 sshd[1]: Accepted: key",
            {"message": "Accepted: key", "service": "sshd", "timestamp": "2026-11-03T01:02:03.125Z"},
            {"procid": "1"},
        ),
        ("<30>Dec 31 23:59:59 h t: m", {"timestamp": "2025-12-31T23:59:59Z"}, {}),
        (
            "<30>2026-11-29T10:00:00.123456+01:00 h kernel: oops",
            {"message": "oops", "service": "kernel", "timestamp": "2026-11-29T10:00:00.123456+01:00"},
            {"hostname": "h"},
        ),
        ("2026-11-29T10:00:00Z h prog: no priority", {"message": "no priority", "service": "prog"}, {}),
        (
            "<30>Nov 29 10:00:00 h a message without tag",
            {"message": "a message without tag"},
            {"hostname": "h"},
        ),
        ("<30>Foo 29 10:00:00 h t: m", {"message": "Foo 29 10:00:00 h t: m", "level": "info"}, {}),
        ("<30>Feb 30 10:00:00 h t: m", {"message": "Feb 30 10:00:00 h t: m"}, {}),
        ("<999>x", {"message": "<999>x"}, {}),
        ("just text", {"message": "just text"}, {}),
    ],
)
def test_a_message_is_read_as_far_as_it_can_be(
    sent: str, event: dict[str, Any], metadata: dict[str, Any]
) -> None:
    found = parse(sent.encode(), NOW)
    assert {name: found.get(name) for name in event} == event
    assert {name: found["metadata"].get(name) for name in metadata} == metadata


MESSAGES = (b"<14>1 2026-11-29T10:00:00Z h a - - - one", b"<11>Nov 29 10:00:00 h b: two")


@pytest.mark.parametrize(
    "body",
    [
        b"\n".join(MESSAGES),
        b"\r\n\r\n".join(MESSAGES) + b"\r\n",
        framed(*MESSAGES),
        b"\n".join(map(framed, MESSAGES)),
    ],
)
def test_lines_and_counted_frames_give_the_same_rows(ingest: InMemoryIngest, body: bytes) -> None:
    status, answer = said(send(SYSLOG, body))
    assert (status, answer["accepted"]) == (202, 2)
    ((first, second),) = ingest.staged()
    assert (first["message"], first["level"], first["service"]) == ("one", "info", "a")
    assert (second["message"], second["level"], second["service"]) == ("two", "error", "b")


def test_a_frame_may_hold_several_lines(ingest: InMemoryIngest) -> None:
    send(SYSLOG, framed(b"<14>1 - - - - - - one\ntwo", b"<14>1 - - - - - - three"))
    assert [row["message"] for row in ingest.staged()[0]] == ["one\ntwo", "three"]


def test_a_line_of_json_has_its_fields(ingest: InMemoryIngest) -> None:
    """rsyslog and syslog-ng often send a template in JSON."""
    send(SYSLOG, b'{"MESSAGE":"a","PRIORITY":"3","HOST":"h"}\n{"MESSAGE":"b"}')
    assert [(row["message"], row["level"]) for row in ingest.staged()[0]] == [("a", "error"), ("b", "info")]


@pytest.mark.parametrize("url", [SYSLOG, HEROKU])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"9 <14>1 - ", 400),
        (b"999999999 <14>", 400),
        (framed(MESSAGES[0]) + b"0 0 0 ", 400),
        (framed(MESSAGES[0]) + b"rest", 400),
        (framed(b"<14>" + b"x" * 2**20), 400),
    ],
)
def test_a_count_that_lies_rejects_the_whole_body(
    ingest: InMemoryIngest, url: str, body: bytes, status: int
) -> None:
    assert send(url, body)["statusCode"] == status
    assert ingest.staged() == []


def test_a_frame_that_is_too_large_harms_no_other(ingest: InMemoryIngest) -> None:
    status, answer = said(send(SYSLOG, framed(MESSAGES[0], b"<14>" + b"x" * 2**20, MESSAGES[1])))
    assert (status, answer["accepted"], answer["errors"][0]["index"]) == (202, 2, 1)
    assert [row["message"] for row in ingest.staged()[0]] == ["one", "two"]


def test_two_tenants_keep_their_messages_apart(ingest: InMemoryIngest) -> None:
    for tenant in ("acme", "globex"):
        send(SYSLOG, f"<14>1 - - - - - - of {tenant}".encode(), tenant=tenant)
    for tenant in ("acme", "globex"):
        assert [(row["message"], row["tenant_id"]) for row in ingest.staged(tenant)[0]] == [
            (f"of {tenant}", tenant)
        ]
