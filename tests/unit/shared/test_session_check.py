"""An action that lasts reads its person again, whatever the authorizer has cached."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.shared.access import Principal
from functions.shared.accounts.session_check import SessionCheck
from functions.shared.accounts.session_ends import UNDERWAY_SECONDS
from functions.shared.errors import HttpError
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId

NOON = 1_800_000_000


class PeopleTable:
    """The table of people, by subject."""

    def __init__(self, **items: dict[str, Any]) -> None:
        self.items = items
        self.asked: list[dict[str, Any]] = []

    def get_item(self, **call: Any) -> dict[str, Any]:
        self.asked.append(call)
        item = self.items.get(call["Key"]["subject"]["S"])
        return {} if item is None else {"Item": {**call["Key"], **item}}


def caller(name: str, kind: str = "person") -> Principal:
    return Principal(
        TenantId(name),
        "",
        "p",
        frozenset({"admin"}),
        30,
        1,
        "",
        f"{kind}:{name}",
        "trial",
        f"of-{name}",
        NOON - 60,
    )


def is_open(people: PeopleTable, name: str) -> bool:
    try:
        SessionCheck("people", people).require_open(caller(name), NOON)
    except HttpError as refusal:
        return refusal.status != 401
    return True


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({}, True),
        ({"sessions_ended_at": {"N": str(NOON - 60)}}, True),
        ({"sessions_ended_at": {"N": str(NOON - 59)}}, False),
        ({"ended_sessions": {"SS": [f"{NOON}-of-globex"]}}, True),
        ({"ended_sessions": {"SS": [f"{NOON}-of-acme"]}}, False),
        ({"owed": {"SS": [f"{NOON - 1}-in-progress"]}}, True),
        ({"owed": {"SS": [f"{NOON - UNDERWAY_SECONDS - 9}-unfinished"]}}, True),
        (
            {
                "owed": {"SS": [f"{NOON - UNDERWAY_SECONDS - 1}-unfinished"]},
                "sessions_ended_at": {"N": str(NOON)},
            },
            False,
        ),
        (None, False),
    ],
)
def test_the_ends_of_one_persons_sessions_are_theirs_alone(
    item: dict[str, Any] | None, expected: bool
) -> None:
    people = PeopleTable(globex={}, **({} if item is None else {"acme": item}))
    assert is_open(people, "acme") is expected
    assert is_open(people, "globex")
    assert all(each["ConsistentRead"] for each in people.asked)


def test_an_unfinished_reset_ends_the_sessions_from_before_it() -> None:
    began = NOON - UNDERWAY_SECONDS - 1
    early = Principal(
        TenantId("acme"), "", "p", frozenset(), 30, 1, "", "person:acme", "trial", "s", began - 1
    )
    people = PeopleTable(acme={"owed": {"SS": [f"{began}-unfinished"]}})
    with pytest.raises(HttpError):
        SessionCheck("people", people).require_open(early, NOON)


def test_a_key_has_no_session_and_nothing_is_read() -> None:
    people = PeopleTable()
    SessionCheck("people", people).require_open(caller("acme", "key"), NOON)
    assert people.asked == []


def test_without_the_table_the_session_is_not_taken_as_open() -> None:
    class Silent:
        def get_item(self, **_: Any) -> Any:
            raise ClientError({"Error": {"Code": "InternalServerError"}}, "GetItem")

    with pytest.raises(StoreUnavailableError):
        SessionCheck("people", Silent()).require_open(caller("acme"), NOON)
