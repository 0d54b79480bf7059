"""The exporter's run over all that is open: one copy that fails keeps no other from being worked on."""

from collections.abc import Sequence
from typing import Any, cast

import pytest

from functions.privacy.export.archives import ArchivesUnavailableError, NoUploadError
from functions.privacy.export.exports import ExportChangedError
from functions.privacy.export.record import REQUESTED, Export
from functions.privacy.exporter import ABANDONED_AFTER_SECONDS, Exporter
from functions.shared.dynamo.answers import StoreUnavailableError
from functions.shared.errors import PermanentError, RetryableError
from functions.shared.tenancy import TenantId
from functions.shared.turns import TurnClock
from tests.unit.shared.turns import Turns

NOON = 1_800_000_000
FIRST = Export(TenantId("acme"), "exp_0", REQUESTED, NOON - 60, NOON - 60)
OVERDUE = Export(
    TenantId("globex"), "exp_1", REQUESTED, NOON - ABANDONED_AFTER_SECONDS, NOON - ABANDONED_AFTER_SECONDS
)


class Office:
    """Stands for the copies that are open: of the first, what is asked for fails; the other is given up."""

    def __init__(self, **faults: Exception) -> None:
        self.faults = faults
        self.finished: list[str] = []
        self.notices: list[Any] = []

    def due(self) -> list[Export]:
        return [FIRST, OVERDUE]

    def save(self, export: Export) -> Export:
        self._fails("save", export)
        return export

    def of(self, _tenant: TenantId, export_id: str) -> Export | None:
        (found,) = (each for each in self.due() if each.export_id == export_id)
        self._fails("of", found)
        return found

    def finish(self, export: Export, also: Sequence[Any] = ()) -> None:
        self._fails("finish", export)
        self.finished.append(export.export_id)
        self.notices += also

    def _fails(self, operation: str, export: Export) -> None:
        if export.export_id == FIRST.export_id and operation in self.faults:
            raise self.faults[operation]


class Outbox:
    def due(self, tenant: TenantId, notice_id: str, kind: str, *_texts: str) -> Any:
        return (str(tenant), notice_id, kind)


def exporter(office: Office, left: TurnClock, turns: Turns) -> Exporter:
    nothing = cast(Any, None)
    return Exporter(
        tables=nothing,
        exports=cast(Any, office),
        archives=nothing,
        sign_ins=nothing,
        staging=nothing,
        warehouse=nothing,
        notices=cast(Any, Outbox()),
        now=lambda: float(NOON),
        left=left,
        turns=turns,
    )


def told_by(office: Office) -> dict[str, int]:
    return exporter(office, TurnClock(lambda: 300.0), Turns()).run()


@pytest.mark.parametrize("fault", [RetryableError("known"), RuntimeError("jane"), KeyError("jane")])
def test_one_that_fails_in_whatever_way_keeps_no_other_from_being_worked_on(
    fault: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    office = Office(save=fault)
    told = told_by(office)

    assert office.finished == ["exp_1"]
    assert (told["open"], told["failed"]) == (1, 1)
    said = capsys.readouterr().out
    assert type(fault).__name__ in said
    assert "jane" not in said


@pytest.mark.parametrize(
    "faults",
    [
        {"save": PermanentError("never"), "finish": ExportChangedError("another run was first")},
        {"save": PermanentError("never"), "finish": ArchivesUnavailableError("S3: silent")},
        {"save": PermanentError("never"), "of": RuntimeError("unforeseen")},
        {"save": NoUploadError("gone"), "of": StoreUnavailableError("DynamoDB: silent")},
    ],
)
def test_nor_does_one_that_cannot_even_be_given_up_or_begun_anew(faults: dict[str, Exception]) -> None:
    office = Office(**faults)
    told = told_by(office)

    assert office.finished == ["exp_1"]
    assert (told["open"], told["failed"]) == (1, 1)


def test_one_that_can_never_be_made_is_given_up() -> None:
    office = Office(save=PermanentError("never"))

    assert told_by(office)["failed"] == 2
    assert office.finished == ["exp_1", "exp_0"], "the longest waiting comes first"


def test_the_people_of_each_account_are_notified_of_their_abandoned_export() -> None:
    office = Office(save=PermanentError("never"))
    told_by(office)

    assert office.notices == [
        ("globex", "exp_1-failed", "export_failed"),
        ("acme", "exp_0-failed", "export_failed"),
    ]


def test_a_copy_that_takes_hours_has_its_turn_and_the_next_account_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, turns = 0.0, Turns()

    def until_time_is_over(exporter: Exporter, _export: Export) -> str:
        nonlocal now
        now += exporter.left()
        return "open"

    monkeypatch.setattr(Exporter, "_outcome", until_time_is_over)
    made = exporter(Office(), TurnClock(lambda: 300.0 - now, lambda: now), turns)
    for _ in range(2):
        now = 0.0
        assert made.run()["open"] == 2
    assert turns.begun == [OVERDUE.tenant, FIRST.tenant] * 2
