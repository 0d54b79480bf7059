"""Receipts: a chain that reveals every change, and no personal data."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.privacy.erasure.receipt import (
    FIRST,
    BrokenChainError,
    ErasureReceipt,
    account_hash,
    checked,
    name_of,
    person_hash,
)
from functions.privacy.erasure.subject import Subject
from functions.shared.tenancy import TenantId

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
EMAIL = "jane@example.org"


def chain(length: int) -> list[ErasureReceipt]:
    made: list[ErasureReceipt] = []
    for number in range(1, length + 1):
        previous = made[-1].hash if made else FIRST
        made.append(
            ErasureReceipt(
                number=number,
                previous=previous,
                kind="person" if number % 2 else "account",
                account=account_hash(f"era_{number}", ACME),
                person=person_hash(f"era_{number}", Subject(ACME, "message", EMAIL)) if number % 2 else None,
                requested_at="2026-11-23T00:00:00Z",
                verified_at="2026-11-24T00:00:00Z",
                backups_until="2026-12-29T00:00:00Z",
                counts={"rows": number},
            )
        )
    return made


@given(length=st.integers(0, 8), seed=st.randoms())
def test_a_whole_chain_ends_in_the_last_hash_in_whatever_order_it_is_read(length: int, seed: Any) -> None:
    receipts = chain(length)
    last = receipts[-1].hash if receipts else FIRST
    seed.shuffle(receipts)

    assert checked(receipts) == last


def hash_or_break(receipts: list[ErasureReceipt]) -> str:
    """The last hash, or that there is none."""
    try:
        return checked(receipts)
    except BrokenChainError as broken:
        return f"broken at {broken.number}"


@given(
    at=st.integers(0, 4),
    change=st.sampled_from(
        [
            {"counts": {"rows": 99}},
            {"kind": "other"},
            {"account": "0" * 64},
            {"verified_at": "2026-11-24T00:00:01Z"},
            {"previous": "0" * 63 + "1"},
        ]
    ),
)
def test_an_altered_receipt_is_detected_by_a_later_one_or_by_the_last_hash(
    at: int, change: dict[str, Any]
) -> None:
    receipts = chain(5)
    last = receipts[-1].hash
    receipts[at] = replace(receipts[at], **change)

    assert hash_or_break(receipts) != last


@given(at=st.integers(0, 3))
def test_a_receipt_that_is_gone_or_was_slipped_in_is_detected(at: int) -> None:
    receipts = chain(5)
    with pytest.raises(BrokenChainError):
        checked(receipts[:at] + receipts[at + 1 :])
    with pytest.raises(BrokenChainError):
        checked([*receipts, receipts[at]])


def test_a_receipt_survives_being_kept() -> None:
    for each in chain(3):
        assert ErasureReceipt.from_json(each.canonical()) == each
        assert ErasureReceipt.from_json(each.canonical()).hash == each.hash


def test_a_receipt_has_no_personal_data_and_is_linked_by_its_id_alone() -> None:
    receipt = chain(1)[0]

    assert not [text for text in (EMAIL, "acme", "era_1") if text in receipt.canonical()]
    assert receipt.account == account_hash("era_1", ACME) != account_hash("era_2", ACME)
    assert receipt.account != account_hash("era_1", GLOBEX)
    assert receipt.person == person_hash("era_1", Subject(ACME, "message", EMAIL))
    assert receipt.person != person_hash("era_1", Subject(ACME, "message", "john@example.org"))
    assert receipt.person != person_hash("era_1", Subject(GLOBEX, "message", EMAIL))
    assert "era_1" not in name_of("era_1")
