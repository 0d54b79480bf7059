"""The same event through all protocols gives the same row, where the protocol can carry it."""

import pytest

from functions.ingest.protocols.table import ProtocolTable
from functions.shared.events import timestamps
from infra.topology import function
from tests.unit.ingest.protocol_samples import EXPECTED, ORDER, SENDERS
from tests.unit.ingest.protocols import InMemoryIngest
from tests.unit.ingest.sending import send


@pytest.mark.parametrize("name", SENDERS)
def test_the_same_event_gives_the_same_row(ingest: InMemoryIngest, name: str) -> None:
    sent = SENDERS[name]
    for tenant in ("acme", "globex"):
        assert send(sent.url, sent.body, sent.headers, tenant=tenant)["statusCode"] in (200, 202, 204)
        ((row,),) = ingest.staged(tenant)
        carried = EXPECTED.keys() - sent.without
        row["timestamp"] = timestamps.to_text(timestamps.from_text(row["timestamp"]) or 0)
        assert {column: row[column] for column in carried} == {column: EXPECTED[column] for column in carried}
        if "order" not in sent.without:
            assert row["metadata"]["order"] == (sent.order or ORDER["order"])
        assert row["tenant_id"] == tenant


def test_every_protocol_is_among_them() -> None:
    table = ProtocolTable.parse(function("ingest").settings["protocols"])
    named = {name for names in table._modules.values() for name in names}
    assert named == {name.partition(",")[0] for name in SENDERS}
