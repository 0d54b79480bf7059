"""Each protocol's answer to whatever can be wrong with a request, as docs/clients has it."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from functions.ingest import unpack
from functions.ingest.unpack import MAX_WIRE_BYTES
from tests.unit.ingest.protocol_samples import CASES, EMPTY, MALFORMED, SENDERS, STATUSES
from tests.unit.ingest.protocols import InMemoryIngest
from tests.unit.ingest.sending import REFUSALS, send

pytestmark = pytest.mark.usefixtures("ingest")

OWN_SCHEDULE = ("elastic", "loki", "axiom", "axiom, edge")
"""Clients that wait as long as they are configured to, and read no `Retry-After`; or that would sleep for all
of it in the thread that logs."""

ENCODINGS = {
    "": lambda body: body,
    "gzip": gzip.compress,
    "zstd": zstd.compress,
}


SPOKEN = [
    (name, encoding)
    for name in SENDERS
    for encoding in ENCODINGS
    if (name, encoding) != ("cloudflare", "zstd")  # it sends gzip or nothing, whatever its headers say
]


def answer_to(name: str, body: bytes | None = None, encoding: str = "", **verdict: str) -> dict[str, Any]:
    sent = SENDERS[name]
    packed = ENCODINGS[encoding](sent.body if body is None else body)
    headers = sent.headers | ({"content-encoding": encoding} if encoding else {})
    return send(sent.url, packed, headers, **verdict)


def test_every_sender_has_its_answers() -> None:
    assert STATUSES.keys() == MALFORMED.keys() == EMPTY.keys() == SENDERS.keys()


@pytest.mark.parametrize(("name", "encoding"), SPOKEN)
def test_a_refused_request_has_the_documented_status(
    ingest: InMemoryIngest, name: str, encoding: str
) -> None:
    for case, status in zip(CASES, STATUSES[name], strict=True):
        large = bytes(MAX_WIRE_BYTES + 1) if case == "too large" else None
        answer = answer_to(name, large, "" if large else encoding, **REFUSALS.get(case, {}))
        assert answer["statusCode"] == status, case
        waits = status in (429, 503) and not (case == "over quota" and name in OWN_SCHEDULE)
        assert ("retry-after" in answer["headers"]) is waits, case
    assert ingest.staged() == []


@pytest.mark.parametrize(("name", "encoding"), SPOKEN)
def test_a_malformed_and_an_empty_body_have_the_documented_status(
    ingest: InMemoryIngest, name: str, encoding: str
) -> None:
    malformed, status = MALFORMED[name]
    assert answer_to(name, malformed, encoding)["statusCode"] == status
    assert answer_to(name, b"", encoding)["statusCode"] == EMPTY[name]
    assert len(ingest.staged()) == (status == 200)


@pytest.mark.parametrize(("name", "encoding"), [spoken for spoken in SPOKEN if spoken[1]])
def test_a_body_that_decodes_to_too_much_is_413(
    ingest: InMemoryIngest, monkeypatch: pytest.MonkeyPatch, name: str, encoding: str
) -> None:
    monkeypatch.setattr(unpack, "MAX_DECODED_BYTES", 100_000)
    assert answer_to(name, b" " * 200_000, encoding)["statusCode"] == 413
    assert ingest.staged() == []


CLIENTS = Path(__file__).parents[3] / "docs" / "clients"
COLUMNS = ("revoked", "wrong scope", "over rate", "over quota", "closed", "too large")
"""Of CASES, those of the documented table; malformed and empty bodies follow."""

DOCUMENTED = {
    "`POST /v1/drain`": ("json", "ndjson", "fluent"),
    "OpenTelemetry": ("otlp",),
    "Elasticsearch": ("elastic",),
    "Loki": ("loki",),
    "Splunk": ("splunk", "splunk, fields"),
    "Datadog": ("datadog",),
    "Better Stack": ("logtail",),
    "Axiom": ("axiom", "axiom, edge"),
    "Firehose": ("firehose",),
    "Heroku": ("heroku",),
    "syslog": ("syslog",),
    "Vercel": ("vercel",),
    "Cloudflare": ("cloudflare",),
    "GitHub": ("github",),
    "journald": ("journald",),
}
"""Row of the documented table -> its senders."""

FROM_AGENTS = "the same from fluent-bit, Fluentd, Vector, Logstash"


def documented() -> Iterator[tuple[str, str, list[int]]]:
    """Name, page and statuses of each row of the table in docs/clients/README.md."""
    _, _, section = (CLIENTS / "README.md").read_text().partition("## Answers")
    for row in re.findall(r"^\| (.+?) \| (\d.+) \|$", section, re.MULTILINE):
        link = re.fullmatch(r"\[(.+)\]\((.+)\)", row[0])
        name, page = link.groups() if link else (row[0], "")
        yield name, page, [int(status) for status in row[1].split(" | ")]


def test_the_documented_table_is_that_of_the_responses() -> None:
    rows = {name: statuses for name, _, statuses in documented()}
    agents = rows.pop(FROM_AGENTS)
    assert rows.keys() == DOCUMENTED.keys()
    for row, senders in DOCUMENTED.items():
        for name in senders:
            by_case = dict(zip(CASES, STATUSES[name], strict=True))
            assert by_case["no key"] == by_case["wrong"] == by_case["revoked"]
            expected = [by_case[column] for column in COLUMNS]
            assert rows[row] == [*expected, MALFORMED[name][1], EMPTY[name]], name
    own = rows["`POST /v1/drain`"]
    over_quota = COLUMNS.index("over quota")
    assert agents == [*own[:over_quota], 429, *own[over_quota + 1 :]]


@pytest.mark.parametrize("name", sorted(DOCUMENTED.keys() - {"`POST /v1/drain`"}))
def test_the_page_of_a_client_explains_each_status(name: str) -> None:
    ((page, statuses),) = [(page, statuses) for row, page, statuses in documented() if row == name]
    _, _, answers = (CLIENTS / page).read_text().partition("## Answers")
    assert {status for status in statuses if not re.search(rf"\b{status}\b", answers)} == set()
