"""A cap, or the end of an account, in the middle of a file; and what an account may have open and keep."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.shared.accounts.account_status import AccountStatus
from functions.shared.events.staged_key import StagedKey
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId, dropin_prefix, staged_prefix
from functions.uploads import counters, file_processor, gate
from functions.uploads.counters import KEPT_DAYS, KeptOriginals, OpenUploads, StagedBytes, UploadRate
from functions.uploads.files import DONE, Upload
from functions.uploads.register import UploadRegister
from tests.unit.uploads.test_routes import announce, ask
from tests.unit.uploads.world import ACME, GLOBEX, World

FAR = 4_000_000_000
LINES = [f"line {number}" for number in range(1000)]
BODY = "".join(f"{line}\n" for line in LINES).encode()
REFUSED = {
    "quota_exceeded": AccountStatus("managed_30", 30, 10**7, capped_until=FAR),
    "payment_overdue": AccountStatus("managed_30", 30, 10**7, accepts_until=1, end_reason="payment_overdue"),
    "account_closing": AccountStatus("managed_30", 30, 10**7, accepts_until=1, end_reason="account_closing"),
}
WELL = AccountStatus("managed_30", 30, 10**7)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some hundred lines an object."""
    monkeypatch.setattr("functions.uploads.file_reader.PART_ROWS", 100)
    monkeypatch.setattr("functions.uploads.formats.windows.WINDOW_RECORDS", 50)


@pytest.fixture
def after_objects(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], Any]], None]:
    """Has something happen once so many objects were staged."""
    from functions.uploads import file_reader

    def plan(objects: int, happens: Callable[[], Any]) -> None:
        put, count = file_reader.put_package, [0]

        def counted(*arguments: Any) -> Any:
            done = put(*arguments)
            count[0] += 1
            if count[0] == objects:
                happens()
            return done

        monkeypatch.setattr(file_reader, "put_package", counted)

    return plan


def resume(here: World, name: str, tenant: TenantId = ACME, refusal: str = "") -> tuple[int, dict[str, Any]]:
    upload_id = here.status(name, tenant)["id"]
    route = "POST /v1/uploads/{id}/resume"
    return ask(here, route, tenant, upload_id=upload_id, refusal=refusal)


def staged(here: World, tenant: TenantId = ACME) -> list[str]:
    """The keys of the objects that were staged for the tenant."""
    return [each.key for each in here.staging.under(staged_prefix(tenant))]


def take_queued(here: World) -> list[str]:
    """What was sent to the queue by a route, taken off it."""
    bodies, here.sqs.bodies[:] = list(here.sqs.bodies), []
    return bodies


@pytest.mark.parametrize("code", REFUSED)
def test_a_file_stops_at_the_next_object_when_its_account_takes_no_logs_any_more(
    here: World, after_objects: Callable[[int, Callable[[], Any]], None], code: str
) -> None:
    after_objects(3, lambda: here.account(ACME, REFUSED[code]))
    shown = here.drop("x", BODY)
    other = here.drop("x", BODY, GLOBEX)

    assert (shown["state"], shown["error"]["code"]) == ("partly", code)
    assert len(staged(here)) == 3
    assert "POST /v1/uploads/{id}/resume" in shown["error"]["reason"]
    assert here.messages() == LINES[: shown["rows_stored"]]
    assert here.originals() == [dropin_prefix(ACME) + "x"], "what is not stored is still there"
    assert (other["state"], here.messages(GLOBEX)) == ("done", LINES)


@pytest.mark.parametrize("at", [0, 4])
def test_a_file_that_stopped_continues_when_it_is_resumed_and_nothing_is_doubled(
    here: World, after_objects: Callable[[int, Callable[[], Any]], None], at: int
) -> None:
    if at:
        after_objects(at, lambda: here.account(ACME, REFUSED["quota_exceeded"]))
    else:
        here.account(ACME, REFUSED["quota_exceeded"])
    message = here.put("x", BODY)
    assert here.deliver(message, message) == [], "a redelivery changes nothing"
    assert here.status("x")["state"] == ("partly" if at else "failed")
    assert resume(here, "x", refusal="quota_exceeded")[0] == 402
    assert resume(here, "x")[0] == 202
    assert here.deliver(*take_queued(here)) == []
    assert len(staged(here)) == at, "the account still takes no logs"

    here.account(ACME, WELL)
    assert resume(here, "x")[0] == 202
    assert here.deliver(*take_queued(here)) == []
    shown = here.status("x")
    assert (shown["state"], shown["rows_stored"], shown["error"]) == ("done", 1000, None)
    assert sorted(here.messages(), key=LINES.index) == LINES
    assert here.originals() == []
    assert resume(here, "x")[0] == 409


def test_a_continued_file_of_an_account_that_takes_no_logs_stops_with_what_was_staged(here: World) -> None:
    here.seconds = 0.0
    message = here.put("x", BODY)
    here._invoke(message, 1)
    (following,) = here.sqs.bodies
    here.sqs.bodies.clear()
    here.account(ACME, REFUSED["payment_overdue"])
    assert here.deliver(following) == []

    shown = here.status("x")
    assert (shown["state"], shown["error"]["code"]) == ("partly", "payment_overdue")
    assert len(staged(here)) == 1
    assert here.messages() == LINES[: shown["rows_stored"]]


def test_only_its_own_account_resumes_a_file(here: World) -> None:
    here.account(ACME, REFUSED["quota_exceeded"])
    shown = here.drop("x", BODY)
    route = "POST /v1/uploads/{id}/resume"
    assert ask(here, route, GLOBEX, upload_id=shown["id"])[0] == 404
    assert ask(here, route, ACME, "read", upload_id=shown["id"])[0] == 403
    assert here.sqs.bodies == []


def test_a_file_that_stopped_is_not_resumed_once_its_rows_have_expired(
    here: World, after_objects: Callable[[int, Callable[[], Any]], None]
) -> None:
    """They would bear the old time of receipt, and be removed as soon as they are stored."""
    after_objects(1, lambda: here.account(ACME, REFUSED["quota_exceeded"]))
    here.drop("x", BODY)
    here.later = 32 * 86_400
    assert resume(here, "x")[0] == 409


def test_what_is_staged_and_not_metered_counts_against_the_cap(here: World) -> None:
    """Billing has counted nothing yet; two files together pass the cap by an object each at the most."""
    here.drop("probe", BODY)
    object_bytes = max(StagedKey.parse(key).raw_bytes for key in staged(here))
    left = 5 * object_bytes
    here.account(ACME, AccountStatus("managed_30", 30, 10**7, cap_left_bytes=left, cap_left_until=FAR))
    here.drop("first", BODY, GLOBEX)

    first, second = here.put("a", BODY), here.put("b", BODY)
    for message in (first, second):
        here.deliver(message)
    assert left <= StagedBytes(*here.table).recent(ACME) <= left + 2 * object_bytes
    assert here.status("a")["state"] == "reading"
    assert [seconds >= gate.WAIT_SECONDS for _, seconds in here.sqs.delayed] == [True, True]
    assert [each.dropped.key for each in here.backlog()] == [f"{dropin_prefix(ACME)}b"]
    assert here.status("first", GLOBEX)["state"] == "done"

    here.later += 300
    here.account(ACME, REFUSED["quota_exceeded"])
    waiting, here.sqs.delayed[:] = [body for body, _ in here.sqs.delayed], []
    assert here.deliver(*waiting) == []
    assert here.status("a")["error"]["code"] == here.status("b")["error"]["code"] == "quota_exceeded"

    here.account(ACME, WELL)
    for name in ("a", "b"):
        assert resume(here, name)[0] == 202
    assert here.deliver(*take_queued(here)) == []
    assert [here.status(name)["rows_stored"] for name in ("a", "b")] == [1000, 1000]
    assert sorted(here.messages()) == sorted(LINES * 3)


def test_a_cap_of_a_period_that_is_over_delays_no_file(here: World) -> None:
    here.account(
        ACME, AccountStatus("managed_30", 30, 10**7, capped_until=1, cap_left_bytes=0, cap_left_until=1)
    )
    assert here.drop("x", BODY)["state"] == "done"


def test_an_account_announces_a_bounded_number_of_files_that_have_not_come(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "MAX_OPEN_UPLOADS", 3)
    shown = [announce(here) for _ in range(3)]
    for _ in range(2):
        status, answer = ask(here, "POST /v1/uploads", body={"filename": "x", "size": 5})
        assert (status, answer["code"]) == (429, "too_many_open_uploads")
    assert len(here.statuses()) == 3
    announce(here, GLOBEX)

    message = here.put(shown[0]["key"].removeprefix(dropin_prefix(ACME)), b"line\n")
    assert here.deliver(message, message) == []
    announce(here)
    assert ask(here, "POST /v1/uploads", body={"filename": "x", "size": 5})[0] == 429
    here.later = 3600
    announce(here)


def test_an_account_announces_and_resumes_a_bounded_number_of_files_in_a_short_time(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "MAX_FILES_A_WINDOW", 3)
    here.clock = lambda: 1_800_000_004.0
    here.account(ACME, REFUSED["quota_exceeded"])
    assert here.drop("stopped", BODY)["state"] == "failed"
    here.account(ACME, WELL)
    announce(here)
    announce(here)
    assert resume(here, "stopped")[0] == 202

    answered = ask(here, "POST /v1/uploads", body={"filename": "x", "size": 5}), resume(here, "stopped")
    assert [(status, answer["code"]) for status, answer in answered] == [(429, "too_many_uploads")] * 2
    assert len(take_queued(here)) == 1, "a refused resume publishes nothing"
    assert len(here.statuses()) == 3, "a refused announcement is not recorded"
    announce(here, GLOBEX)
    here.later = 6
    announce(here)


def test_the_rate_of_an_account_is_exact_and_names_the_time_to_wait(here: World) -> None:
    here.clock = lambda: 1_800_000_007.5
    rate = UploadRate(*here.table)
    assert [rate.take(ACME) for _ in range(counters.MAX_FILES_A_WINDOW)] == [0] * counters.MAX_FILES_A_WINDOW
    assert [rate.take(ACME), rate.take(GLOBEX)] == [3, 0]
    here.later = 3
    assert rate.take(ACME) == 0


def test_an_announcement_that_failed_is_not_counted(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "MAX_OPEN_UPLOADS", 1)

    def unavailable(_register: UploadRegister, _upload: Upload) -> None:
        raise StoreUnavailableError("DynamoDB: InternalServerError")

    with monkeypatch.context() as patch:
        patch.setattr(UploadRegister, "announce", unavailable)
        for _ in range(2):
            status, answer = ask(here, "POST /v1/uploads", body={"filename": "x", "size": 5})
            assert (status, answer["code"]) == (503, "try_again")

    announce(here)
    assert ask(here, "POST /v1/uploads", body={"filename": "x", "size": 5})[0] == 429
    announce(here, GLOBEX)


def test_the_bytes_of_announced_files_are_bounded_too(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "MAX_OPEN_BYTES", 12)
    announce(here), announce(here)
    assert ask(here, "POST /v1/uploads", body={"filename": "x", "size": 5})[0] == 429
    announce(here, size=2)
    announce(here, GLOBEX)


def test_a_counter_that_lost_an_announcement_never_falls_below_nothing(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "MAX_OPEN_UPLOADS", 20)
    open_uploads = OpenUploads(*here.table)
    open_uploads.release(ACME, 5, 7200)
    for _ in range(counters.MAX_OPEN_UPLOADS):
        assert open_uploads.take(ACME, 5, 7200)
    assert not open_uploads.take(ACME, 5, 7200)


def test_an_account_keeps_a_bounded_number_of_originals_and_what_is_more_is_deleted(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "MAX_KEPT_FILES", 2)
    for tenant in (ACME, GLOBEX):
        here.register.choose_originals(tenant, "keep")
    for name in ("a", "b", "c"):
        message = here.put(name, name.encode())
        assert here.deliver(message, message) == [], "a redelivery is not counted again"
    here.drop("a", b"a", GLOBEX)

    assert here.originals() == [
        f"{dropin_prefix(ACME)}a",
        f"{dropin_prefix(ACME)}b",
        f"{dropin_prefix(GLOBEX)}a",
    ]
    shown = here.status("c")
    assert (shown["state"], shown["original"], shown["error"]["code"]) == (
        DONE,
        "delete",
        file_processor.ORIGINAL_DELETED,
    )
    assert here.messages() == ["a", "b", "c"], "its rows are stored"


def test_originals_of_files_that_failed_count_too_and_their_bytes(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "MAX_KEPT_BYTES", 250)
    broken = b"PK\x03\x04" + bytes(100)
    states = [here.drop(name, broken) for name in ("a", "b", "c")]
    assert [each["state"] for each in states] == ["failed"] * 3
    assert len(here.originals()) == 2
    assert states[2]["error"]["code"] == "unsupported_format"
    assert "was deleted" in states[2]["error"]["reason"]

    here.account(GLOBEX, REFUSED["quota_exceeded"])
    assert here.drop("a", b"x" * 200, GLOBEX)["original"] == "delete"
    assert f"{dropin_prefix(GLOBEX)}a" in here.originals()
    here.account(GLOBEX, WELL)
    assert resume(here, "a", GLOBEX)[0] == 202
    here.deliver(*take_queued(here))
    assert KeptOriginals(*here.table).take(GLOBEX, 250), "what is read and deleted counts no more"


def test_originals_that_s3_has_deleted_count_no_more(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "MAX_KEPT_FILES", 1)
    kept = KeptOriginals(*here.table)
    assert kept.take(ACME, 5)
    assert not kept.take(ACME, 5)
    here.later = (KEPT_DAYS + 1) * 86_400
    assert kept.take(ACME, 5)
