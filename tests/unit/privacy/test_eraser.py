"""The eraser's run over all that is open: one erasure that fails keeps no other from being worked on."""

from typing import Any, cast

import pytest

from functions.privacy.eraser import Eraser, EraserService
from functions.privacy.erasure.place import ErasureClock
from functions.privacy.erasure.record import PERSON, RUNNING, Erasure
from functions.privacy.erasure.run import ErasureRun
from functions.privacy.erasure.subject import Subject
from functions.privacy.sign_ins import SignInsUnavailableError
from functions.shared.errors import PermanentError
from functions.shared.tenancy import TenantId
from functions.shared.turns import TurnClock
from tests.unit.shared.turns import Turns

NOON = 1_800_000_000


class FaultyErasures:
    """Stands for the erasures, the works and the trail: nothing is anywhere, and some cannot be begun."""

    def __init__(self, faults: dict[str, Exception]) -> None:
        self.faults = faults
        self.finished: list[str] = []

    def due(self, _now: float) -> list[Erasure]:
        names = [f"era_{number}" for number in range(3)]
        return [erasure(each) for each in names if each not in self.finished]

    def start(self, each: Erasure, _now: float) -> Erasure:
        return each

    def of(self, each: Erasure) -> ErasureRun:
        if each.erasure_id in self.faults:
            raise self.faults[each.erasure_id]
        return ErasureRun(each, quiet_at=0.0)

    def save(self, each: Erasure) -> Erasure:
        return each

    def finish(self, each: Erasure, *_arguments: Any) -> None:
        self.finished.append(each.erasure_id)

    def entry(self, *_arguments: Any) -> dict[str, Any]:
        return {}


class Outbox:
    def put_item(self, *_arguments: Any) -> dict[str, Any]:
        return {}


class SilentCognito:
    def delete_expired(self, _now: float, _has_time: object) -> int:
        raise SignInsUnavailableError("Cognito: silent")


class UnconfirmedSignups:
    """Two of them; `asked_at`: when the eraser had them forgotten."""

    def __init__(self) -> None:
        self.asked_at: list[float] = []

    def delete_expired(self, now: float, _has_time: object) -> int:
        self.asked_at.append(now)
        return 2


def erasure(erasure_id: str) -> Erasure:
    tenant = TenantId("acme")
    return Erasure(tenant, erasure_id, PERSON, RUNNING, NOON, NOON, Subject(tenant, "message", "jane"))


def eraser(erasures: FaultyErasures, turns: Turns | None = None) -> Eraser:
    clock, every = TurnClock(lambda: 300.0), cast(Any, erasures)
    erasure_clock = ErasureClock(lambda: NOON + 60.0, clock)
    return Eraser(every, every, every, cast(Any, Outbox()), turns or Turns(), erasure_clock, clock)


@pytest.mark.parametrize("fault", [PermanentError("known"), RuntimeError("jane"), KeyError("jane")])
def test_one_that_fails_in_whatever_way_keeps_no_other_from_being_worked_on(
    fault: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    erasures = FaultyErasures({"era_0": fault})
    result = EraserService(eraser(erasures), cast(Any, SilentCognito())).run()

    assert erasures.finished == ["era_1", "era_2"]
    assert (result["verified"], result["open"], result["never_confirmed"]) == (2, 1, 0)
    output = capsys.readouterr().out
    assert type(fault).__name__ in output
    assert "jane" not in output


def test_each_run_forgets_who_never_confirmed_an_address() -> None:
    strangers = UnconfirmedSignups()
    result = EraserService(eraser(FaultyErasures({})), cast(Any, strangers)).run()

    assert strangers.asked_at == [NOON + 60.0]
    assert result["never_confirmed"] == 2
