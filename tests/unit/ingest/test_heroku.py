"""Heroku's log drains: frames become rows with the name of the URL, and a frame is stored once."""

import pytest

from tests.unit.ingest.protocols import InMemoryIngest
from tests.unit.ingest.sending import send
from tests.unit.ingest.test_syslog import HEROKU, framed

pytestmark = pytest.mark.usefixtures("ingest")

HEROKUS = framed(
    b"<190>1 2026-11-29T10:00:00.5+00:00 host app web.1 - Listening",
    b"<158>1 2026-11-29T10:00:01+00:00 host heroku router - at=info method=GET",
)
FRAME = {
    "content-type": "application/logplex-1",
    "logplex-msg-count": "2",
    "logplex-frame-id": "09C557EAFCFB6CF2740EE62F62971098",
    "logplex-drain-token": "d.73ea7440",
}


def test_herokus_frames_become_rows_with_the_name_of_the_url(ingest: InMemoryIngest) -> None:
    answer = send(f"{HEROKU}?service=shop", HEROKUS, FRAME)
    assert (answer["statusCode"], answer["body"]) == (204, "")
    ((first, second),) = ingest.staged()
    assert (first["message"], first["service"], first["level"]) == ("Listening", "shop", "info")
    assert first["metadata"] == {
        "facility": "local7",
        "severity": 6,
        "hostname": "host",
        "procid": "web.1",
        "drain": "d.73ea7440",
        "app_name": "app",
    }
    assert (second["message"], second["metadata"]["procid"]) == ("at=info method=GET", "router")


def test_a_frame_that_is_sent_again_is_stored_once_for_each_account(ingest: InMemoryIngest) -> None:
    for tenant in ("acme", "globex", "acme", "globex"):
        body = HEROKUS.replace(b"Listening", b"of %-6b" % tenant.encode())
        assert send(HEROKU, body, FRAME, tenant=tenant)["statusCode"] == 204
    for tenant in ("acme", "globex"):
        assert [rows[0]["message"].strip() for rows in ingest.staged(tenant)] == [f"of {tenant}"]


def test_an_empty_body_of_heroku_is_a_success(ingest: InMemoryIngest) -> None:
    assert send(HEROKU, b"", FRAME)["statusCode"] == 204
    assert ingest.staged() == []
