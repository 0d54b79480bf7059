"""New files of an account whose logs are rejected are recorded together, as each of them would be alone."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from functions.shared.accounts.account_status import AccountStatus
from functions.shared.tenancy import TenantId, dropin_prefix
from functions.uploads.dropin import answer_to
from functions.uploads.notifications import wake_up_body
from functions.uploads.register import UploadRegister
from tests.unit.uploads.test_routes import announce, ask
from tests.unit.uploads.world import ACME, GLOBEX, KilledError, World, sqs_batch

FAR = 4_000_000_000
CAPPED = AccountStatus("managed_30", 30, 10**7, capped_until=FAR)
WELL = AccountStatus("managed_30", 30, 10**7)
BODY = b'{"message":"m"}\n'
FILES = [f"f{number}" for number in range(10)]


@pytest.fixture
def requests(here: World) -> Iterator[Counter[str]]:
    """The requests to DynamoDB, by operation."""
    counted: Counter[str] = Counter()

    def count(model: Any, **_kwargs: Any) -> None:
        counted[model.name] += 1

    here.dynamodb.meta.events.register("before-call.dynamodb", count)
    yield counted
    here.dynamodb.meta.events.unregister("before-call.dynamodb", count)


def put(here: World, tenant: TenantId = ACME, names: list[str] = FILES) -> list[str]:
    return [here.put(name, BODY, tenant) for name in names]


def deliver(here: World, *bodies: str) -> list[str]:
    """One invocation for all of them; the messages that are redelivered."""
    answer = answer_to(sqs_batch(bodies), lambda: here.seconds, here.drop_in)
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def deliver_all(here: World, *bodies: str) -> list[str]:
    """Like `deliver`, until the backlog is empty: a slow machine has no time for ten files in one turn."""
    back = deliver(here, *bodies)
    while here.backlog():
        here.later += 400
        deliver(here, wake_up_body(ACME, "tests"))
    return back


def counted_originals(here: World, tenant: TenantId = ACME) -> list[tuple[int, int]]:
    """Files and bytes of the counted originals."""
    found = here.dynamodb.query(
        TableName="uploads",
        KeyConditionExpression="tenant_id = :tenant AND begins_with(entry, :kept)",
        ExpressionAttributeValues={
            ":tenant": {"S": tenant},
            ":kept": {"S": "kept#"},
        },
    )["Items"]
    return [(int(each["counted_files"]["N"]), int(each["counted_bytes"]["N"])) for each in found]


def resume(here: World, name: str, tenant: TenantId = ACME) -> int:
    upload_id = here.status(name, tenant)["id"]
    return ask(here, "POST /v1/uploads/{id}/resume", tenant, upload_id=upload_id)[0]


def test_ten_refused_files_cost_as_many_requests_as_one(here: World, requests: Counter[str]) -> None:
    for tenant in (ACME, GLOBEX):
        here.account(tenant, CAPPED)
    bodies, single = put(here), put(here, GLOBEX, ["one"])
    requests.clear()
    assert deliver(here, *bodies) == []
    for_ten = requests.total()
    requests.clear()
    assert deliver(here, *single) == []
    assert for_ten <= requests.total() + 2 <= 16
    assert [each["error"]["code"] for each in here.statuses()] == ["quota_exceeded"] * 10


def test_files_refused_together_are_as_if_refused_alone_and_are_read_after_resume(here: World) -> None:
    for tenant in (ACME, GLOBEX):
        here.account(tenant, CAPPED)
    assert deliver(here, *put(here)) == []
    for name in FILES:
        here.drop(name, BODY, GLOBEX)
    varies = {"id", "key", "created_at", "received_at", "updated_at"}
    together, alone = (
        [
            {key: value for key, value in each.items() if key not in varies}
            for each in sorted(here.statuses(tenant), key=lambda status: status["filename"])
        ]
        for tenant in (ACME, GLOBEX)
    )
    assert together == alone
    assert counted_originals(here) == counted_originals(here, GLOBEX) == [(10, 10 * len(BODY))]
    assert len(here.originals()) == 20
    assert here.rows() == []

    for tenant in (ACME, GLOBEX):
        here.account(tenant, WELL)
        assert [resume(here, name, tenant) for name in FILES] == [202] * 10
    bodies, here.sqs.bodies[:] = list(here.sqs.bodies), []
    assert here.deliver(*bodies) == []
    for tenant in (ACME, GLOBEX):
        assert {each["state"] for each in here.statuses(tenant)} == {"done"}
        assert len(here.messages(tenant)) == 10
        assert counted_originals(here, tenant) == [(0, 0)]
    assert here.originals() == []


def test_announced_files_are_tied_to_their_uploads_and_no_longer_count_as_open(here: World) -> None:
    here.account(ACME, WELL)
    announced = [announce(here, size=len(BODY))["key"].removeprefix(dropin_prefix(ACME)) for _ in range(3)]
    announce(here, GLOBEX)
    here.account(ACME, CAPPED)
    assert deliver(here, *put(here, names=[*announced, "found"])) == []
    assert [each["state"] for each in here.statuses()] == ["failed"] * 4
    assert here.status(announced[0])["error"]["code"] == "quota_exceeded"
    assert len(here.statuses(GLOBEX)) == 1
    counts = here.dynamodb.scan(TableName="uploads")["Items"]
    opened = {
        each["tenant_id"]["S"]: int(each["counted_files"]["N"])
        for each in counts
        if each["entry"]["S"].startswith("open#")
    }
    assert opened == {ACME: 0, GLOBEX: 1}


def test_a_known_file_among_new_ones_stays_as_it_is(here: World) -> None:
    here.account(ACME, WELL)
    here.drop("read", BODY)
    message = here.put("read", BODY)
    here.account(ACME, CAPPED)
    assert deliver_all(here, message, *put(here, names=FILES[:9])) == []
    assert here.status("read")["state"] == "done"
    assert here.status("f3")["state"] == "failed"


def test_two_files_of_one_announced_upload_are_two_entries(here: World) -> None:
    """The second one overwrote the first: only a file that another process put can do that."""
    here.account(ACME, WELL)
    name = announce(here, size=len(BODY))["key"].removeprefix(dropin_prefix(ACME))
    here.account(ACME, CAPPED)
    assert (
        deliver_all(here, here.put(name, BODY), here.put(name, b"another\n"), *put(here, names=["f0"])) == []
    )
    assert sorted(each["size"] for each in here.statuses()) == [8, len(BODY), len(BODY)]
    assert {each["state"] for each in here.statuses()} == {"failed"}
    assert sum(files for files, _ in counted_originals(here)) == 3


def test_files_of_a_backlog_are_refused_together_too(here: World, requests: Counter[str]) -> None:
    for tenant in (ACME, GLOBEX):
        here.account(tenant, CAPPED)
        assert [here.slots.take(tenant, 100), here.slots.take(tenant, 100)] != [None, None]
        assert deliver(here, *put(here, tenant)) == []
    assert here.statuses() == here.statuses(GLOBEX) == []
    here.later = 105
    requests.clear()
    assert deliver(here, wake_up_body(ACME, "tests")) == []
    assert requests.total() <= 18
    assert [each["state"] for each in here.statuses()] == ["failed"] * 10
    assert (here.backlog(), len(here.backlog(GLOBEX))) == ([], 10)


def test_forty_refused_files_of_a_backlog_cost_one_turn_and_less_than_a_request_each(
    here: World, requests: Counter[str]
) -> None:
    """It was a turn for ten of them, 18 requests each."""
    for tenant in (ACME, GLOBEX):
        here.account(tenant, CAPPED)
        assert [here.slots.take(tenant, 100), here.slots.take(tenant, 100)] != [None, None]
        for first in range(4):
            names = [f"f{first}{number}" for number in range(10)]
            assert deliver(here, *put(here, tenant, names)) == []
    here.later = 105
    requests.clear()
    assert deliver(here, wake_up_body(ACME, "tests")) == []
    assert requests.total() < 40
    assert [each["error"]["code"] for each in here.statuses()] == ["quota_exceeded"] * 40
    assert counted_originals(here) == [(40, 40 * len(BODY))]
    assert (here.backlog(), len(here.backlog(GLOBEX))) == ([], 40)


def test_when_another_invocation_records_one_of_them_the_others_are_recorded_one_by_one(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.account(ACME, CAPPED)
    bodies, claim_all = put(here), UploadRegister.claim_all

    def other_first(register: UploadRegister, claims: Any) -> bool:
        other = here.drop_in
        place = other.place(ACME)
        assert place is not None
        other.work.do(claims[-1][0].dropped, place, lambda: 300.0)
        return claim_all(register, claims)

    monkeypatch.setattr(UploadRegister, "claim_all", other_first)
    assert deliver_all(here, *bodies) == []
    assert [each["error"]["code"] for each in here.statuses()] == ["quota_exceeded"] * 10
    assert counted_originals(here) == [(10, 10 * len(BODY))]


def test_an_account_at_its_limit_of_originals_has_each_file_settled_by_itself(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.uploads.counters.MAX_KEPT_FILES", 4)
    here.account(ACME, CAPPED)
    assert deliver_all(here, *put(here)) == []
    assert len(here.originals()) == 4
    assert counted_originals(here) == [(4, 4 * len(BODY))]


@pytest.mark.parametrize("after", [False, True])
def test_a_process_that_dies_at_any_write_leaves_each_file_refused_once(here: World, after: bool) -> None:
    here.account(ACME, CAPPED)
    here.account(GLOBEX, WELL)
    here.drop("other", BODY, GLOBEX)
    for writes in range(30):
        names = [f"{after}-{writes}-{number}" for number in range(10)]
        bodies = put(here, names=names)
        here.mortal.writes_left, here.mortal.writes, here.mortal.after = writes, 0, after
        died = False
        try:
            back = deliver_all(here, *bodies)
        except KilledError:
            died = True
        here.mortal.writes_left = None
        here.later += 400
        if died:
            back = deliver_all(here, *bodies)
        assert back == []
        found = [each for each in here.statuses() if f"/{after}-{writes}-" in each["key"]]
        assert [each["state"] for each in found] == ["failed"] * 10
        if not died:
            break
    else:
        raise AssertionError("more writes than expected")
    assert writes >= 3
    assert here.status("other", GLOBEX)["state"] == "done"
