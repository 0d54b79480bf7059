"""How often somebody may try: passwords, codes, and mails to be sent.

Every try is counted before it is made and taken back when it succeeds, so tries made at once cannot slip
through together. Three counters, each for a window of fixed length:

pair      one network address at one account
address   one network address over all accounts; of IPv6 a subscriber's whole network counts as one
account   one account over all addresses; it stops only addresses that have not signed in there within
          KNOWN_DAYS, so that no stranger locks the owner out of the usual place

Successes have a limit too, far above what people do: GOOD_TRIES of a pair, and SESSION_USES of a person's
sessions (refreshed, ended). One customer cannot use up the requests that the identity provider takes of all.

A try that is stopped costs one write. Made-up accounts cost two counters each, at most ADDRESS_TRIES times in
a window of one network; the gateway's throttles bound all networks together.

Nobody's address is stored: a counter's key is the SHA-256 of what it counts and of its window, and DynamoDB
forgets it when the window is over.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from functions.accounts.network import network
from functions.shared import journal
from functions.shared.dynamo.answers import StoreUnavailableError, answered, open_client
from functions.shared.errors import RefusalError

QUARTER_HOUR = 900
HOUR = 3600
KNOWN_DAYS = 30
SECONDS_A_DAY = 86_400

PAIR_TRIES = 10
GOOD_TRIES = 100
SESSION_USES = 300
ADDRESS_TRIES = 50
ACCOUNT_TRIES = {"password": 100, "code": 100, "mail": 20}
"""By what is tried; every mail is one in somebody's inbox."""


@dataclass(frozen=True, slots=True)
class Counter:
    """One window of one counter: its key in the table, when it ends (Unix seconds), and how much it takes."""

    key: str
    ends_at: int
    most: int


class Attempts:
    """Counts tries in DynamoDB."""

    def __init__(self, table: str, dynamodb: Any = None, *, address_tries: int = ADDRESS_TRIES) -> None:
        self._table = table
        self._client = dynamodb or open_client()
        self._address_tries = address_tries

    def begin(self, what: str, address: str, account: str, now: float) -> "Attempt":
        """Count one try of `what`, a name in ACCOUNT_TRIES, from `address` at `account`.

        A try that one counter stops is not counted by the next: one address cannot use up an account.

        Raises
        ------
        RefusalError: 429 with the seconds to the window's end, or 503 when it cannot be counted: nobody gets
            unlimited tries from an outage.
        """
        address = network(address)
        whole = _counter(f"{what}|address|{address}", QUARTER_HOUR, now, self._address_tries)
        pair = _counter(f"{what}|pair|{address}|{account}", QUARTER_HOUR, now, PAIR_TRIES)
        over_all = _counter(f"{what}|account|{account}", HOUR, now, ACCOUNT_TRIES[what])
        known = _digest(f"known|{address}|{account}")
        try:
            self._admit(whole, now)
            self._admit_pair(pair, now)
            if self._count(over_all) > over_all.most and not self._is_known(known, now):
                raise _too_many(over_all, now)
        except StoreUnavailableError:
            raise RefusalError(
                503, "try_again", "This cannot be done right now: try again.", retry_after_seconds=2
            ) from None
        return Attempt(self, pair, (whole, over_all), known)

    def admit_session(self, subject: str, now: float) -> None:
        """Count one use of a person's sessions, whatever becomes of it.

        Raises
        ------
        RefusalError: 429 with the seconds to the window's end.
        StoreUnavailableError
        """
        self._admit(_counter(f"session|person|{subject}", QUARTER_HOUR, now, SESSION_USES), now)

    def settle(self, attempt: "Attempt", now: float, *, remember: bool) -> None:
        """What `Attempt.succeeded` does."""
        with answered():
            self._client.update_item(
                TableName=self._table,
                Key=_key(attempt.pair.key),
                UpdateExpression="ADD good :one SET tries = :none, forget_at = :end",
                ExpressionAttributeValues={
                    ":one": {"N": "1"},
                    ":none": {"N": "0"},
                    ":end": {"N": str(attempt.pair.ends_at)},
                },
            )
        for counter in attempt.others:
            self._count(counter, -1)
        if remember:
            forget_at = {"N": str(int(now) + KNOWN_DAYS * SECONDS_A_DAY)}
            item = {**_key(attempt.known), "forget_at": forget_at}
            with answered():
                self._client.put_item(TableName=self._table, Item=item)

    def _admit(self, counter: Counter, now: float) -> None:
        if self._count(counter) > counter.most:
            raise _too_many(counter, now)

    def _admit_pair(self, pair: Counter, now: float) -> None:
        counted = self._updated(pair, 1)
        good = int(counted.get("good", {}).get("N", "0"))
        if int(counted["tries"]["N"]) > pair.most or good >= GOOD_TRIES:
            raise _too_many(pair, now)

    def _count(self, counter: Counter, by: int = 1) -> int:
        return int(self._updated(counter, by)["tries"]["N"])

    def _updated(self, counter: Counter, by: int) -> dict[str, Any]:
        with answered():
            updated = self._client.update_item(
                TableName=self._table,
                Key=_key(counter.key),
                UpdateExpression="ADD tries :by SET forget_at = :end",
                ExpressionAttributeValues={":by": {"N": str(by)}, ":end": {"N": str(counter.ends_at)}},
                ReturnValues="ALL_NEW",
            )
        attributes: dict[str, Any] = updated["Attributes"]
        return attributes

    def _is_known(self, key: str, now: float) -> bool:
        """DynamoDB forgets late, so the date is looked at."""
        with answered():
            found = self._client.get_item(TableName=self._table, Key=_key(key), ConsistentRead=True)
        return "Item" in found and int(found["Item"]["forget_at"]["N"]) > now


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try that was counted."""

    attempts: Attempts
    pair: Counter
    others: tuple[Counter, ...]
    known: str

    def succeeded(self, now: float, *, remember: bool = False) -> None:
        """It was right: forget the pair's failures and take this try back from the other counters.

        The others keep what failed: an attacker's own account must not clear the counter of his address.
        `remember`: the address is a usual place of the account from now on. Never raises: what was right
        stays right when it cannot be noted.
        """
        try:
            self.attempts.settle(self, now, remember=remember)
        except StoreUnavailableError:
            journal.write("attempt_not_taken_back", reason="DynamoDB did not answer")


def _counter(what: str, seconds: int, now: float, most: int) -> Counter:
    window = int(now) // seconds
    return Counter(_digest(f"{what}|{window}"), (window + 1) * seconds, most)


def _too_many(counter: Counter, now: float) -> RefusalError:
    wait = max(1, counter.ends_at - int(now))
    return RefusalError(
        429, "too_many_attempts", f"Too many attempts: wait {wait} seconds.", retry_after_seconds=wait
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _key(counter: str) -> dict[str, Any]:
    return {"counter": {"S": counter}}
