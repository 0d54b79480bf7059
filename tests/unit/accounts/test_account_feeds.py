"""The audit trail and the announcements, as an account reads them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.shared.accounts.announcements import KEEP_DAYS
from functions.shared.accounts.audit import Origin
from functions.shared.tenancy import TenantId
from tests.unit.accounts.account_service import World, decoded

CALLER = Origin("key:key_1", "192.0.2.7", "curl/8")


def audit(here: World, tenant: str, **query: str) -> tuple[int, Any]:
    answer = here.ask("GET /v1/audit", tenant, query=query)
    return answer["statusCode"], decoded(answer)


def announced(here: World, tenant: str, **query: str) -> list[str]:
    answer = here.ask("GET /v1/announcements", tenant, query=query)
    assert answer["statusCode"] == 200, answer["body"]
    return [each["id"] for each in decoded(answer)["announcements"]]


def fill(here: World, tenant: TenantId, count: int) -> None:
    for number in range(count):
        here.now += 1
        here.account_service.audit.append(tenant, CALLER, "key.created", f"key_{number}")


def test_an_entry_says_who_did_what_when_and_from_where(
    here: World, acme: TenantId, globex: TenantId
) -> None:
    here.ask("POST /v1/keys", acme, {"scopes": ["read"]}, person=True)
    (entry,) = audit(here, acme)[1]["entries"]
    assert len(entry.pop("id")) == 26
    assert entry.pop("subject").startswith("key_")
    assert entry == {
        "at": "2027-01-15T08:00:00.000Z",
        "actor": f"person:person-{acme}",
        "action": "key.created",
        "from": "192.0.2.7",
        "user_agent": ("curl/8 " * 60)[:200],
    }
    assert audit(here, globex)[1]["entries"] == []


def test_pages_are_newest_first_and_neither_skip_nor_repeat_while_entries_arrive(
    here: World, acme: TenantId, globex: TenantId
) -> None:
    fill(here, acme, 25)
    fill(here, globex, 3)
    seen: list[str] = []
    page = audit(here, acme, limit="10")[1]
    while True:
        seen += [each["subject"] for each in page["entries"]]
        if page["next_cursor"] is None:
            break
        fill(here, acme, 1)
        page = audit(here, acme, limit="10", cursor=page["next_cursor"])[1]
    assert seen == [f"key_{number}" for number in range(24, -1, -1)]


def test_the_last_page_has_no_cursor_even_when_it_is_full(here: World, acme: TenantId) -> None:
    fill(here, acme, 2)
    assert audit(here, acme, limit="2")[1]["next_cursor"] is None
    assert audit(here, acme, limit="1")[1]["next_cursor"]


def test_anothers_cursor_shows_ones_own_entries_alone(here: World, acme: TenantId, globex: TenantId) -> None:
    fill(here, acme, 1)
    fill(here, globex, 2)
    cursor = audit(here, globex, limit="1")[1]["next_cursor"]
    assert [each["subject"] for each in audit(here, acme, cursor=cursor)[1]["entries"]] == ["key_0"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"limit": "0"}, "invalid_limit"),
        ({"limit": "101"}, "invalid_limit"),
        ({"limit": "ten"}, "invalid_limit"),
        ({"limit": "٣"}, "invalid_limit"),
        ({"cursor": ""}, "invalid_cursor"),
        ({"cursor": "x" * 25 + "!"}, "invalid_cursor"),
    ],
)
def test_a_page_that_is_none_is_400(here: World, acme: TenantId, query: dict[str, str], code: str) -> None:
    status, body = audit(here, acme, **query)
    assert (status, body["code"]) == (400, code)


def test_an_entry_is_never_overwritten(here: World, acme: TenantId) -> None:
    entry = here.account_service.audit.entry(acme, CALLER, "key.created", "key_1")
    here.client.transact_write_items(TransactItems=[entry])
    again = {"Put": {**entry["Put"], "Item": {**entry["Put"]["Item"], "actor": {"S": "nobody"}}}}
    with pytest.raises(here.client.exceptions.TransactionCanceledException):
        here.client.transact_write_items(TransactItems=[again])
    assert audit(here, acme)[1]["entries"][0]["actor"] == "key:key_1"


def test_a_user_agent_that_is_no_text_does_no_harm(here: World, acme: TenantId) -> None:
    here.account_service.audit.append(
        acme, Origin("key:k", "192.0.2.7", "x" * 199 + "\ud800y"), "key.created", "key_1"
    )
    assert audit(here, acme)[1]["entries"][0]["user_agent"] == "x" * 199 + "?"


@pytest.mark.parametrize("route", ["GET /v1/audit", "GET /v1/announcements"])
def test_feeds_are_for_admins_alone(here: World, acme: TenantId, route: str) -> None:
    answer = here.ask(route, acme, scopes="read")
    assert (answer["statusCode"], decoded(answer)["code"]) == (403, "forbidden_scope")


@pytest.fixture
def announcements_published(here: World, acme: TenantId, globex: TenantId) -> None:
    """An announcement to all, then one to each."""
    announcements = here.account_service.announcements
    for tenant, name in ((None, "all"), (acme, "mine"), (globex, "theirs")):
        here.now += 1
        announcements.publish(tenant, f"{name}-{acme}", "notice", "A title", "A text.")


@pytest.mark.usefixtures("announcements_published")
def test_announcements_are_ones_own_and_everybodys_newest_first(
    here: World, acme: TenantId, globex: TenantId
) -> None:
    def announcement_ids(tenant: str) -> list[str]:
        return [each for each in announced(here, tenant) if each.endswith(acme)]

    assert announcement_ids(acme) == [f"mine-{acme}", f"all-{acme}"]
    assert announcement_ids(globex) == [f"theirs-{acme}", f"all-{acme}"]


@pytest.mark.usefixtures("announcements_published")
def test_only_what_came_after_a_moment_is_shown(here: World, acme: TenantId) -> None:
    second = datetime.fromtimestamp(here.now - 1, UTC)
    assert announced(here, acme, since=second.isoformat()) == []
    first = second - timedelta(seconds=1)
    offset = first.astimezone().isoformat()
    assert announced(here, acme, since=first.isoformat()) == announced(here, acme, since=offset)
    assert announced(here, acme, since=first.isoformat())[0] == f"mine-{acme}"
    answer = here.ask("GET /v1/announcements", acme, query={"since": "yesterday"})
    assert decoded(answer)["code"] == "invalid_since"


def test_the_first_to_use_an_id_wins(here: World, acme: TenantId) -> None:
    announcements = here.account_service.announcements
    assert announcements.publish(acme, "outage-1", "outage", "First", "Text.")
    assert not announcements.publish(acme, "outage-1", "outage", "Second", "Text.")
    own = [each for each in announcements.list(acme) if each["id"] == "outage-1"]
    assert [each["title"] for each in own] == ["First"]


def test_an_announcement_is_forgotten_when_its_time_has_come(here: World, acme: TenantId) -> None:
    here.account_service.announcements.publish(acme, "old", "notice", "A title", "A text.")
    here.now += KEEP_DAYS * 86_400 - 1
    assert "old" in announced(here, acme)
    here.now += 1
    assert "old" not in announced(here, acme)


def test_what_counts_from_a_later_day_says_so_and_is_shown_long_after_it(here: World, acme: TenantId) -> None:
    begins = datetime.fromtimestamp(here.now, UTC).date() + timedelta(days=200)
    here.account_service.announcements.publish(acme, "terms", "policy", "New terms", "A text.", begins)
    here.account_service.announcements.publish(acme, "now", "notice", "A title", "A text.")
    body = decoded(here.ask("GET /v1/announcements", acme))
    own = {each["id"]: each["effective_on"] for each in body["announcements"]}
    assert (own["terms"], own["now"]) == (begins.isoformat(), None)
    here.now += (200 + KEEP_DAYS - 1) * 86_400
    assert "terms" in announced(here, acme)
    here.now += 86_400
    assert "terms" not in announced(here, acme)


def test_an_account_called_all_gets_nothing_of_others(here: World, acme: TenantId) -> None:
    everybody = here.account("all")
    here.account_service.announcements.publish(everybody, "for-all-alone", "notice", "A title", "A text.")
    assert "for-all-alone" in announced(here, everybody)
    assert "for-all-alone" not in announced(here, acme)
