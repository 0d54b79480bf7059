"""Rate limits for passwords, codes and requested mails.

Every attempt is counted before it is made and uncounted when it succeeds, so concurrent attempts cannot
exceed a limit. There are three counters, each with a window of fixed length:

pair      one network address at one account
address   one network address over all accounts; an IPv6 subscriber's whole network counts as one address
account   one account over all addresses; it blocks only addresses without a sign-in to this account within
          KNOWN_DAYS, so a stranger cannot lock the owner out of the usual place

Successes are limited too, far above normal use: GOOD_TRIES for a pair, and SESSION_USES for a person's
sessions (refresh, log out). One customer cannot use up Cognito's request quota, which all customers share.

A blocked attempt costs one write. An attempt at a made-up account costs two counters, for at most
ADDRESS_TRIES attempts in a window of one network; the gateway's throttles limit all networks together.

No address is stored: a counter's key is the SHA-256 of its subject and window, and DynamoDB TTL deletes it
after the window.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from functions.accounts.network import network
from functions.shared import journal
from functions.shared.errors import HttpError
from functions.shared.tables.attempts import AttemptsItem
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tables.table import Table

QUARTER_HOUR = 900
HOUR = 3600
KNOWN_DAYS = 30
SECONDS_A_DAY = 86_400

PAIR_TRIES = 10
GOOD_TRIES = 100
SESSION_USES = 300
ADDRESS_TRIES = 50
ACCOUNT_TRIES = {"password": 100, "code": 100, "mail": 20}
"""Limits by kind of attempt; `mail` is low because every mail reaches an inbox."""


@dataclass(frozen=True, slots=True)
class Counter:
    """One window of one counter: its key in the table, its end (Unix seconds) and its limit."""

    key: str
    ends_at: int
    most: int


class AttemptLimiter:
    """Counts attempts in DynamoDB."""

    def __init__(self, table: str, dynamodb: Any = None, *, address_tries: int = ADDRESS_TRIES) -> None:
        self._counters = Table(AttemptsItem, table, dynamodb)
        self._address_tries = address_tries

    def begin(self, what: str, address: str, account: str, now: float) -> "Attempt":
        """Count one attempt of kind `what`, a name in ACCOUNT_TRIES, from `address` at `account`.

        An attempt that one counter blocks is not counted by the next: one address cannot use up an account's
        limit.

        Raises
        ------
        HttpError: 429 with the seconds until the window ends.
        StoreUnavailableError: the attempt cannot be counted, so an outage does not allow unlimited attempts.
        """
        address = network(address)
        whole = _counter(f"{what}|address|{address}", QUARTER_HOUR, now, self._address_tries)
        pair = _counter(f"{what}|pair|{address}|{account}", QUARTER_HOUR, now, PAIR_TRIES)
        over_all = _counter(f"{what}|account|{account}", HOUR, now, ACCOUNT_TRIES[what])
        known = _digest(f"known|{address}|{account}")
        self._admit(whole, now)
        self._admit_pair(pair, now)
        if self._count(over_all) > over_all.most and not self._is_known(known, now):
            raise _too_many(over_all, now)
        return Attempt(self, pair, (whole, over_all), known)

    def admit_session(self, subject: str, now: float) -> None:
        """Count one use of a person's sessions, whether it succeeds or fails.

        Raises
        ------
        HttpError: 429 with the seconds until the window ends.
        StoreUnavailableError
        """
        self._admit(_counter(f"session|person|{subject}", QUARTER_HOUR, now, SESSION_USES), now)

    def save_success(self, attempt: "Attempt", now: float, *, remember: bool) -> None:
        """Implements `Attempt.record_success`."""
        self._counters.update(
            attempt.pair.key,
            AttemptsItem.good.add(1),
            AttemptsItem.tries.set(0),
            AttemptsItem.forget_at.set(attempt.pair.ends_at),
        )
        for counter in attempt.others:
            self._count(counter, -1)
        if remember:
            forget_at = int(now) + KNOWN_DAYS * SECONDS_A_DAY
            self._counters.put(AttemptsItem(attempt.known, forget_at=forget_at))

    def _admit(self, counter: Counter, now: float) -> None:
        if self._count(counter) > counter.most:
            raise _too_many(counter, now)

    def _admit_pair(self, pair: Counter, now: float) -> None:
        counted = self._update(pair, 1)
        if counted.tries > pair.most or (counted.good or 0) >= GOOD_TRIES:
            raise _too_many(pair, now)

    def _count(self, counter: Counter, by: int = 1) -> int:
        return self._update(counter, by).tries

    def _update(self, counter: Counter, by: int) -> AttemptsItem:
        return self._counters.update_and_get(
            counter.key, AttemptsItem.tries.add(by), AttemptsItem.forget_at.set(counter.ends_at)
        )

    def _is_known(self, key: str, now: float) -> bool:
        """Check the date as well: DynamoDB TTL deletes late."""
        found = self._counters.get(key)
        return found is not None and found.forget_at > now


@dataclass(frozen=True, slots=True)
class Attempt:
    """A counted attempt."""

    attempts: AttemptLimiter
    pair: Counter
    others: tuple[Counter, ...]
    known: str

    def record_success(self, now: float, *, remember: bool = False) -> None:
        """Record success: reset the pair's failures and uncount this attempt in the other counters.

        The other counters keep earlier failures: an attacker's own account must not clear the counter of the
        attacker's address. `remember`: treat the address as a usual place of the account from now on. Never
        raises: a successful attempt succeeds even if it cannot be recorded.
        """
        try:
            self.attempts.save_success(self, now, remember=remember)
        except StoreUnavailableError:
            journal.write("attempt_not_taken_back", reason="DynamoDB did not answer")


def _counter(what: str, seconds: int, now: float, most: int) -> Counter:
    window = int(now) // seconds
    return Counter(_digest(f"{what}|{window}"), (window + 1) * seconds, most)


def _too_many(counter: Counter, now: float) -> HttpError:
    wait = max(1, counter.ends_at - int(now))
    return HttpError(
        429, "too_many_attempts", f"Too many attempts: wait {wait} seconds.", retry_after_seconds=wait
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
