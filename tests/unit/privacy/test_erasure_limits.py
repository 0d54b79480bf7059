"""An account has so many erasures open and a day; another account has its own."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from functions.privacy.erasure.erasures import ErasureCounts, Erasures
from functions.privacy.erasure.subject import Subject
from functions.privacy.refusals import REFUSED_SECONDS
from functions.privacy.service import ERASURES_A_DAY, MAX_OPEN_ERASURES
from functions.shared.tenancy import TenantId
from functions.shared.turn_log import DynamoTurnLog
from tests.unit.privacy.privacy_world import DAY, JANE, World, decoded, privacy_world, verified
from tests.unit.shared.serial import SerialClient


@pytest.fixture(scope="module")
def here() -> Iterator[World]:
    with privacy_world() as made:
        yield made


def test_an_account_has_so_many_open_erasures(here: World) -> None:
    tenant = here.account("many")
    for number in range(MAX_OPEN_ERASURES):
        assert here.ask("POST /v1/erasures", tenant, {**JANE, "value": f"u{number}"})["statusCode"] == 202
    refused = here.ask("POST /v1/erasures", tenant, JANE)

    assert (refused["statusCode"], decoded(refused)["code"]) == (409, "too_many_erasures")
    assert here.ask("DELETE /v1/account", tenant, {"confirm": tenant})["statusCode"] == 202


def test_a_refused_account_asks_again_for_one_read_and_another_is_not_refused(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An erasure that is verified makes room after some seconds."""
    monkeypatch.setattr(here, "now", here.now)  # and back
    monkeypatch.setattr("functions.privacy.service.MAX_OPEN_ERASURES", 3)
    busy, other = here.account("refused"), here.account("beside-refused")
    responses = [here.ask("POST /v1/erasures", busy, {**JANE, "value": f"u{each}"}) for each in range(4)]
    assert [each["statusCode"] for each in responses] == [202, 202, 202, 409]
    read = list[str]()
    monkeypatch.setattr(Erasures, "counts", noting_reads(read))
    number = DynamoTurnLog.number
    monkeypatch.setattr(DynamoTurnLog, "number", lambda log, of: (read.append("turn"), number(log, of))[1])
    again = here.ask("POST /v1/erasures", busy, JANE)
    assert (again["statusCode"], decoded(again)["code"]) == (409, "too_many_erasures")
    assert read == []
    assert here.ask("POST /v1/erasures", other, JANE)["statusCode"] == 202
    assert read == ["turn", other]
    verified(here, busy, decoded(responses[0])["id"])
    here.now += REFUSED_SECONDS
    assert here.ask("POST /v1/erasures", busy, JANE)["statusCode"] == 202


def noting_reads(read: list[str]) -> Callable[..., ErasureCounts]:
    """`Erasures.counts` that notes whose erasures it counts."""
    original = Erasures.counts

    def noted(self: Erasures, subject: Subject, after: int, *, byoc: bool) -> ErasureCounts:
        read.append(subject.tenant)
        return original(self, subject, after, byoc=byoc)

    return noted


def test_to_count_erasures_returns_none_of_last_week(here: World) -> None:
    """An account may have thousands; each request would return them all."""
    tenant, other = here.account("counted"), here.account("beside-counted")
    answers = list[Any]()
    counting = World(AnswersKept(here.client, answers), here.s3, here.now - 7 * DAY)
    for number in range(3):
        erasure = decoded(counting.ask("POST /v1/erasures", tenant, {**JANE, "value": f"old-{number}"}))
        verified(counting, tenant, erasure["id"])
    counting.now += 7 * DAY
    for of in (tenant, other):
        assert counting.ask("POST /v1/erasures", of, JANE)["statusCode"] == 202
    answers.clear()
    assert counting.ask("POST /v1/erasures", tenant, JANE)["statusCode"] == 202
    ((counted,),) = answers
    assert counted.keys() == {
        "kind", "open", "requested_at", "erasure_id", "state", "byoc", "field", "value",
    }  # fmt: skip
    verified(counting, tenant, counted["erasure_id"]["S"])
    answers.clear()
    assert counting.ask("POST /v1/erasures", tenant, {**JANE, "value": "next"})["statusCode"] == 202
    ((counted,),) = answers
    assert not {"field", "value"} & counted.keys(), "a verified erasure no longer says whom it was about"


class AnswersKept:
    """`client` that appends the items of each query's answer to `answers`."""

    def __init__(self, client: Any, answers: list[Any]) -> None:
        self._client = client
        self._answers = answers

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def query(self, **parameters: Any) -> Any:
        answer = self._client.query(**parameters)
        self._answers.append(answer["Items"])
        return answer


def test_an_account_has_so_many_erasures_of_persons_a_day_and_another_has_its_own(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when each is verified at once. After a day the first of them counts no more."""
    monkeypatch.setattr(here, "now", here.now)  # and back
    busy, other = here.account("busy"), here.account("quiet")
    began = here.now
    for number in range(ERASURES_A_DAY):
        erasure = decoded(here.ask("POST /v1/erasures", busy, {**JANE, "value": f"u{number}"}))
        verified(here, busy, erasure["id"])
        here.now += 60
    refused = here.ask("POST /v1/erasures", busy, JANE)
    assert (refused["statusCode"], decoded(refused)["code"]) == (429, "too_many_erasures_today")
    left = int(began) + DAY - int(here.now)
    assert int(refused["headers"]["retry-after"]) == left
    assert here.ask("POST /v1/erasures", other, JANE)["statusCode"] == 202
    assert here.ask("DELETE /v1/account", busy, {"confirm": busy})["statusCode"] == 202, "leaving is free"
    here.now += left + 1
    assert here.ask("POST /v1/erasures", busy, JANE)["statusCode"] == 202
    assert here.ask("POST /v1/erasures", busy, {**JANE, "value": "next"})["statusCode"] == 429


@pytest.mark.parametrize(("bound", "answer"), [("MAX_OPEN_ERASURES", 409), ("ERASURES_A_DAY", 429)])
def test_of_requests_at_the_same_moment_no_more_are_accepted_than_one_after_the_other(
    here: World, monkeypatch: pytest.MonkeyPatch, bound: str, answer: int
) -> None:
    monkeypatch.setattr(f"functions.privacy.service.{bound}", 5)
    racing = World(SerialClient(here.client), here.s3)
    tenant = here.account(f"racing-{answer}")
    bodies = [{**JANE, "value": f"u{number}"} for number in range(16)]
    statuses: list[int] = []
    while len(statuses) < 16:  # a request that lost too often is to be sent again
        with ThreadPoolExecutor(8) as pool:
            left = bodies[len(statuses) :]
            answers = list(pool.map(lambda body: racing.ask("POST /v1/erasures", tenant, body), left))
        statuses += [each["statusCode"] for each in answers if each["statusCode"] != 503]
    assert sorted(statuses) == [202] * 5 + [answer] * 11
    assert len(here.service.erasures.all(tenant)) == 5


def test_a_request_that_another_one_overtakes_does_not_count_the_erasures_again_while_there_is_room(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each count reads all of the account's erasures. The last place is counted for again, and refused."""
    monkeypatch.setattr("functions.privacy.service.MAX_OPEN_ERASURES", 3)
    tenant, other = here.account("overtaken"), here.account("beside-overtaken")
    original, read, overtaking = Erasures.counts, list[str](), list[TenantId]()

    def overtaken(self: Erasures, subject: Subject, after: int, *, byoc: bool) -> ErasureCounts:
        """What is read is old when it is used: another request of `overtaking` comes first."""
        found = original(self, subject, after, byoc=byoc)
        read.append(subject.tenant)
        if overtaking:
            body = {**JANE, "value": f"overtakes-{len(read)}"}
            assert here.ask("POST /v1/erasures", overtaking.pop(), body)["statusCode"] == 202
        return found

    monkeypatch.setattr(Erasures, "counts", overtaken)
    overtaking[:] = [other, tenant]
    assert here.ask("POST /v1/erasures", tenant, JANE)["statusCode"] == 202
    assert read == [tenant, tenant, other]
    overtaking[:] = [tenant]
    refused = here.ask("POST /v1/erasures", tenant, {**JANE, "value": "last"})
    assert (refused["statusCode"], decoded(refused)["code"]) == (409, "too_many_erasures")
    assert len(here.service.erasures.all(tenant)) == 3
    assert read[3:] == [tenant, tenant, tenant], "the second request was counted with one place left"
