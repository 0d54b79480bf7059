"""The authorizer's verdicts, and how long it caches what it read."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from functions.accounts import keys, routes, ttl_cache
from functions.accounts.authorizer import CACHE_SECONDS, Authorizer
from functions.accounts.directory import Account, Key
from functions.accounts.failures import MOST
from functions.accounts.person import Person
from functions.accounts.tokens import BadTokenError, Claims, KeysUnavailableError
from functions.shared.access import Principal, principal
from functions.shared.accounts.account_status import AccountStatus
from functions.shared.errors import HttpError
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
NOW = 1_800_000_000.0
NEXT_WEEK = 1_800_600_000
HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"


@dataclass
class MemoryDirectory:
    """A directory in memory that counts what it is asked."""

    keys: dict[str, Key] = field(default_factory=dict)
    asked: int = 0
    noted: list[str] = field(default_factory=list)
    down: bool = False
    gone: set[str] = field(default_factory=set)

    def key(self, key_hash: str) -> Key | None:
        self.asked += 1
        if self.down:
            raise StoreUnavailableError("down")
        return self.keys.get(key_hash)

    def account(self, tenant: TenantId) -> Account | None:
        if tenant in self.gone:
            return None
        plan = "byoc" if tenant == GLOBEX else "managed_30"
        capped_until = 2**33 if tenant == GLOBEX else None
        status = AccountStatus(plan, 30, 1_000_000, capped_until=capped_until)
        return Account(tenant, status, managed_until=NEXT_WEEK if tenant == GLOBEX else 0)

    def note_use(self, key_hash: str, _now: int) -> None:
        if self.down:
            raise StoreUnavailableError("down")
        self.noted.append(key_hash)

    def add(self, tenant: TenantId, *scopes: str, **fields: Any) -> str:
        text = keys.generate()
        self.keys[keys.hash_of(text)] = Key(tenant, f"k-{tenant}", frozenset(scopes), "default", **fields)
        return text


@dataclass
class Crowd:
    """People in memory, by subject."""

    people: dict[str, Person] = field(default_factory=dict)
    asked: int = 0

    def get(self, subject: str, _now: float) -> Person | None:
        self.asked += 1
        return self.people.get(subject)

    def add(self, subject: str, tenant: TenantId) -> None:
        self.people[subject] = Person(
            subject,
            tenant,
            "A name",
            "a@example.com",
            "2026-11-01",
            "2026-11-23T00:00:00Z",
            False,
            "confirmed",
        )


class Tokens:
    """Verifies tokens `eyJ.<subject>.good<session>`, and fails to fetch keys for `eyJ.<subject>.unheard`."""

    def verify(self, token: str) -> Claims:
        _, subject, signature = token.split(".")
        if signature == "unheard":
            raise KeysUnavailableError("no keys")
        if not signature.startswith("good"):
            raise BadTokenError("bad")
        return Claims(subject, f"session-{signature}", int(NOW), int(NOW) + 3600)


@dataclass
class Count:
    """Failures by address."""

    failed: dict[str, int] = field(default_factory=dict)

    def count_failure(self, address: str, _now: float) -> bool:
        self.failed[address] = self.failed.get(address, 0) + 1
        return self.failed[address] > MOST

    def seconds_left(self, _now: float) -> int:
        return 123


@dataclass
class Gate:
    """An authorizer and what it asks."""

    directory: MemoryDirectory = field(default_factory=MemoryDirectory)
    crowd: Crowd = field(default_factory=Crowd)
    count: Count = field(default_factory=Count)
    authority: Authorizer = field(init=False)

    def __post_init__(self) -> None:
        self.authority = Authorizer(self.directory, self.crowd, Tokens(), self.count)  # type: ignore[arg-type]

    def ask(self, key: str, now: float = NOW, address: str = HERE) -> dict[str, str]:
        return self.authority.context({"authorization": f"Bearer {key}"}, now, address)

    def caller(self, key: str, now: float = NOW, address: str = HERE) -> Principal:
        return as_principal(self.ask(key, now, address))


def as_principal(context: dict[str, str]) -> Principal:
    return principal({"requestContext": {"authorizer": {"lambda": context}}})


def rejection_of(context: dict[str, str]) -> HttpError:
    with pytest.raises(HttpError) as caught:
        as_principal(context)
    return caught.value


def token(subject: str, signature: str = "good") -> str:
    return f"eyJh.{subject}.{signature}"


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(ttl_cache.time, "monotonic", lambda: now[0])
    return now


def test_a_good_key_says_who_is_calling(gate: Gate) -> None:
    first, second = (
        gate.caller(gate.directory.add(ACME, "ingest")),
        gate.caller(gate.directory.add(GLOBEX, "read")),
    )
    assert (first.tenant, first.scopes, first.refusal) == (ACME, {"ingest"}, "")
    assert (second.tenant, second.scopes, second.refusal) == (GLOBEX, {"read"}, "quota_exceeded")
    assert (first.retention_days, first.bytes_per_second, first.project_id) == (30, 1_000_000, "default")
    assert (first.actor, first.plan, first.byoc, first.subject) == ("key:k-acme", "managed_30", False, None)
    assert (second.actor, second.plan, second.byoc) == ("key:k-globex", "byoc", True)
    assert (first.managed_until, second.managed_until) == (0, NEXT_WEEK)
    assert [second.has_managed_rows(at) for at in (NEXT_WEEK - 1, NEXT_WEEK)] == [True, False]
    assert first.has_managed_rows(NEXT_WEEK), "an account that is not BYOC has no other store"


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer nonsense"}, {"authorization": f"Bearer {keys.generate()}"}],
)
def test_without_a_known_key_the_answer_is_401(gate: Gate, headers: dict[str, str]) -> None:
    answer = rejection_of(gate.authority.context(headers, NOW, HERE))
    assert (answer.status, answer.code) == (401, "unauthorized")


def test_a_typing_error_costs_no_look_up(gate: Gate) -> None:
    gate.ask(keys.generate()[:-1] + "?")
    assert gate.directory.asked == 0


def test_an_expired_key_is_refused_even_from_the_cache(gate: Gate) -> None:
    text = gate.directory.add(ACME, "ingest", expires_at=int(NOW) + 1)
    assert gate.ask(text)["verdict"] == "ok"
    answer = rejection_of(gate.ask(text, NOW + 2))
    assert (answer.status, answer.code) == (401, "key_expired")


def test_a_scope_that_the_key_lacks_is_403_and_admin_has_all(gate: Gate) -> None:
    reader, admin = (
        gate.caller(gate.directory.add(ACME, "read")),
        gate.caller(gate.directory.add(ACME, "admin")),
    )
    assert admin.require("ingest") is admin
    with pytest.raises(HttpError) as caught:
        reader.require("ingest")
    assert (caught.value.status, caught.value.code) == (403, "forbidden_scope")


@pytest.mark.parametrize("how", ["marked as revoked", "gone", "account gone"])
def test_a_revoked_key_is_noticed_within_a_minute(gate: Gate, clock: list[float], how: str) -> None:
    text, other = gate.directory.add(ACME, "ingest"), gate.directory.add(GLOBEX, "ingest")
    assert gate.ask(text)["verdict"] == "ok"
    key_hash = keys.hash_of(text)
    if how == "marked as revoked":
        gate.directory.keys[key_hash] = replace(gate.directory.keys[key_hash], revoked_at=int(NOW))
    elif how == "gone":
        del gate.directory.keys[key_hash]
    else:
        gate.directory.gone.add(ACME)
    clock[0] += CACHE_SECONDS
    assert CACHE_SECONDS <= 60
    assert gate.ask(text)["verdict"] == "unknown_key"
    assert gate.ask(other)["verdict"] == "ok"


def test_what_is_known_is_asked_once_unknown_keys_too(gate: Gate) -> None:
    for text in (gate.directory.add(ACME, "ingest"), keys.generate()):
        gate.directory.asked = 0
        for _ in range(5):
            gate.ask(text)
        assert gate.directory.asked == 1


def test_use_is_noted_once_an_hour_and_never_costs_the_request(gate: Gate) -> None:
    text = gate.directory.add(ACME, "ingest")
    for hours in (0, 0, 1):
        gate.ask(text, NOW + hours * 3600)
    assert len(gate.directory.noted) == 2
    gate.directory.down = True
    assert gate.ask(text, NOW + 3 * 3600)["verdict"] == "ok"


def test_when_the_directory_is_down_the_request_is_not_let_through(gate: Gate) -> None:
    gate.directory.down = True
    with pytest.raises(StoreUnavailableError):
        gate.ask(gate.directory.add(ACME, "ingest"))


def test_a_person_may_do_what_an_admin_key_may(gate: Gate) -> None:
    gate.crowd.add("s-acme", ACME)
    gate.crowd.add("s-globex", GLOBEX)
    mine, theirs = gate.caller(token("s-acme")), gate.caller(token("s-globex"))
    assert (mine.tenant, mine.actor, mine.subject, mine.scopes) == (
        ACME,
        "person:s-acme",
        "s-acme",
        {"admin"},
    )
    assert (theirs.tenant, theirs.byoc) == (GLOBEX, True)
    assert mine.key_id == ""
    assert gate.directory.asked == 0


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", " BEARER "])
def test_a_token_comes_as_a_bearer(gate: Gate, scheme: str) -> None:
    gate.crowd.add("s-acme", ACME)
    header = {"authorization": f"{scheme} {token('s-acme')} "}
    assert gate.authority.context(header, NOW, HERE)["verdict"] == "ok"


def test_of_two_credentials_one_counts_and_the_gate_and_the_route_agree_which(gate: Gate) -> None:
    """HTTP API joins headers of one name by commas; `Authorization` goes before all others."""
    gate.crowd.add("s-acme", ACME)
    mine, theirs = gate.directory.add(ACME, "read"), gate.directory.add(GLOBEX, "admin")

    def tenant(**headers: str) -> str:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return gate.authority.context(named, NOW, HERE).get("tenant_id", "refused")

    assert tenant(authorization=f"Bearer {mine},Bearer {theirs}") == "refused"
    assert tenant(authorization=f"Bearer {mine}, Bearer {mine}") == "refused"
    assert tenant(authorization=f"Bearer {token('s-acme')},Bearer {theirs}") == "refused"
    assert tenant(authorization=f"Bearer {mine} {theirs}") == "refused"
    assert tenant(authorization=f"Bearer {mine}", x_api_key=theirs) == ACME
    assert tenant(authorization=f"Bearer {token('s-acme')}", x_api_key=theirs, dd_api_key=theirs) == ACME
    assert tenant(authorization="Bearer nonsense", x_api_key=theirs) == "refused"
    assert tenant(authorization=" ", x_api_key=mine, dd_api_key=theirs) == ACME
    assert tenant(x_api_key=f"{mine},{theirs}") == "refused"


@pytest.mark.parametrize(
    ("scopes", "left"),
    [("ingest", {"ingest"}), ("ingest read", {"ingest"}), ("admin", {"ingest"}), ("read", set())],
)
def test_a_key_in_the_query_can_send_and_do_nothing_else(gate: Gate, scopes: str, left: set[str]) -> None:
    """URLs are logged by proxies and kept in histories; headers are not."""
    mine, theirs = (gate.directory.add(tenant, *scopes.split()) for tenant in (ACME, GLOBEX))
    for name in ("key", "api_key", "dd-api-key"):
        found = as_principal(gate.authority.context({}, NOW, HERE, {name: mine}))
        assert (found.tenant, found.scopes) == (ACME, left)
    in_both = as_principal(gate.authority.context({"x-api-key": theirs}, NOW, HERE, {"key": mine}))
    assert (in_both.tenant, in_both.scopes) == (GLOBEX, set(scopes.split()))
    assert gate.authority.context({}, NOW, HERE, {"key": keys.generate()})["verdict"] == "unknown_key"
    assert gate.authority.context({}, NOW, HERE, {"key": "x"})["verdict"] == "malformed_key"


@pytest.mark.parametrize("space", [" ", "  ", "\t", " \t "])
def test_the_route_finds_the_token_that_the_gate_has_verified(gate: Gate, space: str) -> None:
    gate.crowd.add("s-acme", ACME)
    headers = {"authorization": f"bearer{space}{token('s-acme')} "}
    verdict = gate.authority.context(headers, NOW, HERE)
    event = {
        "headers": headers,
        "requestContext": {"http": {"method": "GET"}, "requestId": "r", "authorizer": {"lambda": verdict}},
    }
    found = routes._access_token(principal(event), event)
    assert found
    assert found.reveal() == token("s-acme")


def test_a_person_whose_account_is_gone_is_refused_within_a_minute(gate: Gate, clock: list[float]) -> None:
    gate.crowd.add("s-acme", ACME)
    gate.crowd.add("s-globex", GLOBEX)
    assert gate.ask(token("s-acme"))["verdict"] == "ok"
    gate.directory.gone.add(ACME)
    clock[0] += CACHE_SECONDS
    assert gate.ask(token("s-acme"))["verdict"] == "refused_token"
    assert gate.ask(token("s-globex"))["verdict"] == "ok"


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": token("s-acme")},
        {"authorization": f"Splunk {token('s-acme')}"},
        {"x-api-key": token("s-acme")},
    ],
)
def test_nowhere_else_is_a_token_looked_for(gate: Gate, headers: dict[str, str]) -> None:
    gate.crowd.add("s-acme", ACME)
    assert gate.authority.context(headers, NOW, HERE)["verdict"] == "malformed_key"


def test_a_refused_token_is_401_and_says_what_to_do(gate: Gate) -> None:
    gate.crowd.add("s-acme", ACME)
    for text in (token("s-acme", "forged"), token("s-acme", ""), token("s-nobody")):
        answer = rejection_of(gate.ask(text))
        assert (answer.status, answer.code) == (401, "unauthorized")
        assert "log in again" in answer.message
    assert gate.count.failed == {}


def test_an_unconfirmed_person_is_unknown(gate: Gate) -> None:
    gate.crowd.add("s-acme", ACME)
    gate.crowd.people["s-acme"] = replace(gate.crowd.people["s-acme"], state="unconfirmed")
    assert gate.ask(token("s-acme"))["verdict"] == "refused_token"


def test_a_person_is_looked_up_once_but_every_token_is_verified(gate: Gate, clock: list[float]) -> None:
    gate.crowd.add("s-acme", ACME)
    for _ in range(5):
        assert gate.ask(token("s-acme"))["verdict"] == "ok"
    assert gate.crowd.asked == 1
    assert gate.ask(token("s-acme", "ended"))["verdict"] == "refused_token"
    gate.crowd.people.clear()
    clock[0] += CACHE_SECONDS
    assert gate.ask(token("s-acme"))["verdict"] == "refused_token"


def test_when_nothing_can_be_said_of_a_token_the_request_is_not_let_through(gate: Gate) -> None:
    with pytest.raises(KeysUnavailableError):
        gate.ask(token("s-acme", "unheard"))


@pytest.mark.parametrize("bad", [keys.generate, lambda: "nonsense"], ids=["unknown", "malformed"])
def test_who_tries_keys_is_stopped_and_a_good_key_from_there_is_not(
    gate: Gate, bad: Callable[[], str]
) -> None:
    good = gate.directory.add(ACME, "ingest")
    for _ in range(MOST):
        assert rejection_of(gate.ask(bad())).status == 401
    answer = rejection_of(gate.ask(bad()))
    assert (answer.status, answer.code, answer.retry_after_seconds) == (429, "too_many_attempts", 60)
    assert gate.ask(good)["verdict"] == "ok"
    assert rejection_of(gate.ask(bad(), address=ELSEWHERE)).status == 401


def test_an_expired_key_is_no_guess(gate: Gate) -> None:
    text = gate.directory.add(ACME, "ingest", expires_at=int(NOW))
    for _ in range(MOST + 1):
        assert gate.ask(text)["verdict"] == "key_expired"
    assert gate.count.failed == {}


def test_keys_alone_load_no_cryptography() -> None:
    """A cold start with an API key pays for no token: not at import, not at the first key."""
    script = """
import sys
from functions.accounts import authorizer, keys
from functions.accounts.tokens import AccessTokenVerifier
class Nothing:
    def key(self, key_hash): return None
    def count_failure(self, address, now): return False
gate = authorizer.Authorizer(Nothing(), None, AccessTokenVerifier("https://i", "c", "https://k"), Nothing())
assert gate.context({"x-api-key": keys.generate()}, 0, "")["verdict"] == "unknown_key"
assert not {"joserfc", "cryptography"} & {name.partition(".")[0] for name in sys.modules}
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_a_session_that_has_ended_is_refused_within_the_cache_time(gate: Gate, clock: list[float]) -> None:
    """The sign-in was at NOW; what ends earlier ones leaves it, what ends it is noticed by then."""
    gate.crowd.add("s-acme", ACME)
    gate.crowd.add("s-globex", GLOBEX)
    mine = gate.crowd.people["s-acme"]
    for before, verdict in ((int(NOW), "ok"), (int(NOW) + 1, "refused_token")):
        gate.crowd.people["s-acme"] = replace(mine, sessions_ended_at=before)
        clock[0] += CACHE_SECONDS
        assert gate.ask(token("s-acme"))["verdict"] == verdict
        assert gate.ask(token("s-globex"))["verdict"] == "ok"
    assert CACHE_SECONDS <= 30


def test_a_session_that_ended_alone_leaves_the_persons_others(gate: Gate) -> None:
    gate.crowd.add("s-acme", ACME)
    ended = frozenset({f"{int(NOW) + 3600}-session-good1"})
    gate.crowd.people["s-acme"] = replace(gate.crowd.people["s-acme"], ended_sessions=ended)
    assert gate.ask(token("s-acme", "good1"))["verdict"] == "refused_token"
    assert gate.ask(token("s-acme", "good2"))["verdict"] == "ok"


def test_a_reset_that_may_have_failed_half_way_ends_sessions_after_a_minute(gate: Gate) -> None:
    gate.crowd.add("s-acme", ACME)
    open_resets = frozenset({f"{int(NOW) + 10}-0123456789abcdef"})
    gate.crowd.people["s-acme"] = replace(gate.crowd.people["s-acme"], open_resets=open_resets)
    assert gate.ask(token("s-acme"), NOW + 60)["verdict"] == "ok"
    assert gate.ask(token("s-acme"), NOW + 71)["verdict"] == "refused_token"


def test_the_route_learns_which_session_calls(gate: Gate) -> None:
    gate.crowd.add("s-acme", ACME)
    caller = gate.caller(token("s-acme"))
    assert (caller.session, caller.signed_in_at) == ("session-good", int(NOW))
    key = gate.caller(gate.directory.add(ACME, "admin"))
    assert (key.session, key.signed_in_at) == ("", 0)
