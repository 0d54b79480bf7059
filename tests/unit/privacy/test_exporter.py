"""The exporter's run over all that is open: one copy that fails keeps no other from being worked on."""

from collections.abc import Sequence
from typing import Any, cast

import pytest

from functions.privacy.export.exports import ExportChangedError
from functions.privacy.export.record import REQUESTED, Export
from functions.privacy.exporter import ABANDONED_AFTER_SECONDS, Exporter
from functions.shared.errors import PermanentError, RetryableError
from functions.shared.exports.archives import ArchivesUnavailableError, NoUploadError
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId
from functions.shared.turns import TurnClock
from tests.unit.shared.turns import Turns

NOON = 1_800_000_000
FIRST = Export(TenantId("acme"), "exp_0", REQUESTED, NOON - 60, NOON - 60)
EXPIRED = Export(
    TenantId("globex"), "exp_1", REQUESTED, NOON - ABANDONED_AFTER_SECONDS, NOON - ABANDONED_AFTER_SECONDS
)


class FaultyExports:
    """Stands for the open exports: the requested fault hits the first; the other is abandoned."""

    def __init__(self, **faults: Exception) -> None:
        self.faults = faults
        self.finished: list[str] = []
        self.notices: list[Any] = []

    def due(self) -> list[Export]:
        return [FIRST, EXPIRED]

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
    def put_item(self, tenant: TenantId, notice_id: str, kind: str, *_texts: str) -> Any:
        return (str(tenant), notice_id, kind)


def exporter(exports: FaultyExports, left: TurnClock, turns: Turns) -> Exporter:
    nothing = cast(Any, None)
    return Exporter(
        tables=nothing,
        exports=cast(Any, exports),
        archives=nothing,
        sign_ins=nothing,
        staging=nothing,
        warehouse=nothing,
        notices=cast(Any, Outbox()),
        now=lambda: float(NOON),
        left=left,
        turns=turns,
    )


def run_with(exports: FaultyExports) -> dict[str, int]:
    return exporter(exports, TurnClock(lambda: 300.0), Turns()).run()


@pytest.mark.parametrize("fault", [RetryableError("known"), RuntimeError("jane"), KeyError("jane")])
def test_one_that_fails_in_whatever_way_keeps_no_other_from_being_worked_on(
    fault: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    exports = FaultyExports(save=fault)
    result = run_with(exports)

    assert exports.finished == ["exp_1"]
    assert (result["open"], result["failed"]) == (1, 1)
    output = capsys.readouterr().out
    assert type(fault).__name__ in output
    assert "jane" not in output


@pytest.mark.parametrize(
    "faults",
    [
        {"save": PermanentError("never"), "finish": ExportChangedError("another run was first")},
        {"save": PermanentError("never"), "finish": ArchivesUnavailableError("S3: silent")},
        {"save": PermanentError("never"), "of": RuntimeError("unforeseen")},
        {"save": NoUploadError("gone"), "of": StoreUnavailableError("DynamoDB: silent")},
    ],
)
def test_nor_does_one_that_cannot_even_be_abandoned_or_restarted(faults: dict[str, Exception]) -> None:
    exports = FaultyExports(**faults)
    result = run_with(exports)

    assert exports.finished == ["exp_1"]
    assert (result["open"], result["failed"]) == (1, 1)


def test_an_export_that_can_never_be_made_is_abandoned() -> None:
    exports = FaultyExports(save=PermanentError("never"))

    assert run_with(exports)["failed"] == 2
    assert exports.finished == ["exp_1", "exp_0"], "the longest waiting comes first"


def test_the_people_of_each_account_are_notified_of_their_abandoned_export() -> None:
    exports = FaultyExports(save=PermanentError("never"))
    run_with(exports)

    assert exports.notices == [
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
    made = exporter(FaultyExports(), TurnClock(lambda: 300.0 - now, lambda: now), turns)
    for _ in range(2):
        now = 0.0
        assert made.run()["open"] == 2
    assert turns.begun == [EXPIRED.tenant, FIRST.tenant] * 2
