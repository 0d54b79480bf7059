"""The authorizer's verdicts, and how long it believes what it was told."""

from dataclasses import dataclass, field

import pytest

from functions.accounts import authorizer, keys
from functions.accounts.authorizer import CACHE_SECONDS, Authorizer
from functions.accounts.directory import Account, DirectoryUnavailableError, Key
from functions.shared.access import principal
from functions.shared.errors import RefusalError
from functions.shared.tenancy import TenantId

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
NOW = 1_800_000_000.0


@dataclass
class Shelf:
    """A directory in memory that counts what it is asked."""

    keys: dict[str, Key] = field(default_factory=dict)
    asked: int = 0
    noted: list[str] = field(default_factory=list)
    down: bool = False

    def key(self, key_hash: str) -> Key | None:
        self.asked += 1
        if self.down:
            raise DirectoryUnavailableError("down")
        return self.keys.get(key_hash)

    def account(self, tenant: TenantId) -> Account | None:
        return Account(tenant, "managed_30", 30, 1_000_000, over_quota=tenant == GLOBEX)

    def note_use(self, key_hash: str, _now: int) -> None:
        if self.down:
            raise DirectoryUnavailableError("down")
        self.noted.append(key_hash)

    def add(self, tenant: TenantId, *scopes: str, expires_at: int | None = None) -> str:
        text = keys.mint()
        self.keys[keys.hash_of(text)] = Key(tenant, f"k-{tenant}", frozenset(scopes), "default", expires_at)
        return text


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(authorizer.time, "monotonic", lambda: now[0])
    return now


def ask(authority: Authorizer, key: str) -> dict[str, str]:
    return authority.context({"authorization": f"Bearer {key}"}, NOW)


def caller(context: dict[str, str]) -> object:
    return principal({"requestContext": {"authorizer": {"lambda": context}}})


def test_a_good_key_says_who_is_calling(shelf: Shelf) -> None:
    authority = Authorizer(shelf)  # type: ignore[arg-type]
    first = principal(
        {"requestContext": {"authorizer": {"lambda": ask(authority, shelf.add(ACME, "ingest"))}}}
    )
    second = principal(
        {"requestContext": {"authorizer": {"lambda": ask(authority, shelf.add(GLOBEX, "read"))}}}
    )
    assert (first.tenant, first.scopes, first.over_quota) == (ACME, {"ingest"}, False)
    assert (second.tenant, second.scopes, second.over_quota) == (GLOBEX, {"read"}, True)
    assert (first.retention_days, first.bytes_per_second, first.project_id) == (30, 1_000_000, "default")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "unauthorized"),
        ({"authorization": "Bearer nonsense"}, "unauthorized"),
        ({"authorization": f"Bearer {keys.mint()}"}, "unauthorized"),
    ],
)
def test_without_a_known_key_the_answer_is_401(shelf: Shelf, headers: dict[str, str], code: str) -> None:
    with pytest.raises(RefusalError) as caught:
        caller(Authorizer(shelf).context(headers, NOW))  # type: ignore[arg-type]
    assert (caught.value.status, caught.value.code) == (401, code)


def test_a_typing_error_costs_no_look_up(shelf: Shelf) -> None:
    ask(Authorizer(shelf), keys.mint()[:-1] + "?")  # type: ignore[arg-type]
    assert shelf.asked == 0


def test_an_expired_key_is_refused_even_from_the_cache(shelf: Shelf) -> None:
    authority = Authorizer(shelf)  # type: ignore[arg-type]
    text = shelf.add(ACME, "ingest", expires_at=int(NOW) + 1)
    assert ask(authority, text)["verdict"] == "ok"
    later = authority.context({"authorization": text}, NOW + 2)
    with pytest.raises(RefusalError) as caught:
        caller(later)
    assert (caught.value.status, caught.value.code) == (401, "key_expired")


def test_a_scope_that_the_key_lacks_is_403_and_admin_has_all(shelf: Shelf) -> None:
    authority = Authorizer(shelf)  # type: ignore[arg-type]
    reader = principal(
        {"requestContext": {"authorizer": {"lambda": ask(authority, shelf.add(ACME, "read"))}}}
    )
    admin = principal(
        {"requestContext": {"authorizer": {"lambda": ask(authority, shelf.add(ACME, "admin"))}}}
    )
    assert admin.require("ingest") is admin
    with pytest.raises(RefusalError) as caught:
        reader.require("ingest")
    assert (caught.value.status, caught.value.code) == (403, "forbidden_scope")


def test_a_revoked_key_is_noticed_within_a_minute(shelf: Shelf, clock: list[float]) -> None:
    authority = Authorizer(shelf)  # type: ignore[arg-type]
    text = shelf.add(ACME, "ingest")
    assert ask(authority, text)["verdict"] == "ok"
    shelf.keys.clear()
    clock[0] += CACHE_SECONDS + 1
    assert CACHE_SECONDS <= 60
    assert ask(authority, text)["verdict"] == "unknown_key"


def test_what_is_known_is_asked_once_unknown_keys_too(shelf: Shelf) -> None:
    authority = Authorizer(shelf)  # type: ignore[arg-type]
    for text in (shelf.add(ACME, "ingest"), keys.mint()):
        shelf.asked = 0
        for _ in range(5):
            ask(authority, text)
        assert shelf.asked == 1


def test_use_is_noted_once_an_hour_and_never_costs_the_request(shelf: Shelf) -> None:
    authority = Authorizer(shelf)  # type: ignore[arg-type]
    text = shelf.add(ACME, "ingest")
    for hours in (0, 0, 1):
        authority.context({"authorization": text}, NOW + hours * 3600)
    assert len(shelf.noted) == 2
    shelf.down = True
    assert authority.context({"authorization": text}, NOW + 3 * 3600)["verdict"] == "ok"


def test_when_the_directory_is_down_the_request_is_not_let_through(shelf: Shelf) -> None:
    shelf.down = True
    with pytest.raises(DirectoryUnavailableError):
        ask(Authorizer(shelf), shelf.add(ACME, "ingest"))  # type: ignore[arg-type]
