"""The operator's command."""

import json

import pytest

from functions.billing import wiring
from functions.shared.secret_text import SecretText
from operate import billing
from tests.fake_stripe.server import API_KEY, SECRET, fake_stripe_server
from tests.operating import operate
from tests.unit.billing.shop import Shop


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names under which the secret was asked for."""
    asked: list[str] = []

    def read(name: str) -> SecretText:
        asked.append(name)
        return SecretText(json.dumps({"api_key": API_KEY, "webhook_secret": SECRET}))

    monkeypatch.setattr(wiring, "read_secret", read)
    return asked


def test_it_says_what_it_would_do_does_it_and_then_there_is_nothing_to_do(
    secret: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with fake_stripe_server() as here:

        def sync(*arguments: str) -> int:
            return operate("sync-catalogue", *arguments, StripeSecret="ours", StripeUrl=here.url)

        assert sync("--dry-run") == 0
        planned = capsys.readouterr().out.splitlines()
        assert sync("--json") == 0
        done = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [each["did"] for each in done] == planned
        assert {each["kind"] for each in done} == {"meter", "product", "price", "portal"}
        assert sync() == 0
        assert "nothing to do" in capsys.readouterr().err
    assert set(secret) == {"ours"}


@pytest.mark.usefixtures("secret")
def test_a_stripe_that_does_not_answer_is_reported_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert operate("sync-catalogue", StripeUrl="http://127.0.0.1:9") == 1
    output = capsys.readouterr()
    assert output.err.startswith("Stripe: ")
    assert API_KEY not in output.out + output.err


def test_it_shows_what_is_known_of_one_account(
    here: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    acme = here.subscribed("acme", "managed_30")
    here.subscribed("globex")
    monkeypatch.setattr(billing, "BillingStore", lambda *_tables: here.records)
    capsys.readouterr()
    assert operate("show-billing", acme) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["record"]["subscription"]["plan"] == shown["account_status"]["plan"] == "managed_30"
    assert "globex" not in json.dumps(shown)
