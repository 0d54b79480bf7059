"""No changed body of any decoder is our fault, takes long, or loses a record without saying so."""

import pytest

from tests.measured import cost_of
from tests.unit.ingest.mutated_bodies import SEEDS
from tests.unit.ingest.mutations import send_changed
from tests.unit.ingest.protocols import InMemoryIngest
from tests.unit.ingest.sending import send

ROUNDS = 20_000


@pytest.mark.parametrize("name", SEEDS)
def test_a_body_without_a_change_is_accepted(ingest: InMemoryIngest, name: str) -> None:
    seed = SEEDS[name]
    for tenant in ("acme", "globex"):
        answer = send(seed.url, seed.packed(seed.body), dict(seed.headers), tenant=tenant)
        assert answer["statusCode"] in (200, 202, 204)
        assert len(ingest.staged(tenant)) == 1


@pytest.mark.parametrize("name", SEEDS)
def test_changed_bodies_are_answered_as_what_they_are(name: str) -> None:
    found = send_changed(name, 200)
    assert found["faults"] == []
    assert found["statuses"].keys() & {"200", "202", "204"}
    assert found["statuses"].get("400") or name in NEVER_WRONG


NEVER_WRONG = ("syslog", "splunk raw", "axiom ndjson")
"""Every line is a message, or an event that fails by itself."""


@pytest.mark.soak
@pytest.mark.parametrize("name", SEEDS)
def test_20_000_changed_bodies_of_each_decoder(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    cost = cost_of(
        "tests.unit.ingest.mutations:send_changed",
        {"name": name, "rounds": ROUNDS},
        memory_mb=1024,
        timeout_seconds=1800,
    )
    with capsys.disabled():
        print(f"\n{name}: {cost.result['statuses']}, {cost.result['longest'] * 1000:.0f} ms at most, {cost}")
    assert cost.result["faults"] == []
    assert cost.peak_mb <= 256
