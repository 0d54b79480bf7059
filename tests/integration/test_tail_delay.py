"""From the 202 of a request until a tail shows its events: all of a local stack, two accounts, under load."""

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from tests.integration.sending import batch, drain, ids, new_run
from tests.integration.stack import RunningStack, bearer

SECONDS = 300
LOST = 0.1
"""The share of responses that a viewer loses: it sends the same cursor again."""

POLLS_AFTER = 3
"""Each is a wait of ten seconds without an event, after the last one was sent."""

MEDIAN_SECONDS, P95_SECONDS = 3, 6


@dataclass
class Account:
    """`accepted`: event ids, with the time of their 202."""

    ingest: str
    read: str
    accepted: dict[str, float] = field(default_factory=dict)
    shown: Counter[str] = field(default_factory=Counter)
    delays: list[float] = field(default_factory=list)


def begin(stack: RunningStack, account: Account, run: str) -> dict[str, str]:
    """The parameters of a tail that starts now."""
    query = {"q": f"run:{run}", "wait": "0"}
    with stack.client() as client:
        answer = client.get("/v1/tail", params=query, headers=bearer(account.read))
    return {**query, "wait": "10", "cursor": answer.json()["cursor"]}


def view(stack: RunningStack, account: Account, query: dict[str, str], over: threading.Event) -> None:
    """Follow until all is shown that was accepted, and some polls longer."""
    chance, after = random.Random(account.read), 0
    with stack.client() as client:
        while after < POLLS_AFTER:
            answer = client.get("/v1/tail", params=query, headers=bearer(account.read))
            assert answer.status_code == 200, answer.text
            if chance.random() < LOST:
                continue
            found, now = answer.json(), time.monotonic()
            query["cursor"] = found["cursor"]
            found_ids = ids(found["events"])
            account.shown.update(found_ids)
            account.delays += [now - account.accepted.get(each, now) for each in found_ids]
            after += over.is_set() and not found_ids


def send(stack: RunningStack, accounts: list[Account], run: str, seconds: float) -> None:
    """Small requests of all accounts in turns, four a second."""
    ends, number = time.monotonic() + seconds, 0
    with stack.client() as client:
        while time.monotonic() < ends:
            for account in accounts:
                number += 1
                events = batch(run, f"{account.read[-6:]}-{number}", random.randint(1, 30))
                assert drain(client, account.ingest, events).status_code == 202
                account.accepted.update(dict.fromkeys(ids(events), time.monotonic()))
            time.sleep(0.25)


def followed(stack: RunningStack, seconds: float) -> str:
    """Send for so long while one viewer of each account follows; the delays as a sentence."""
    accounts = [Account(keys["ingest"], keys["read"]) for keys in (stack.keys, stack.second_keys)]
    run, over = new_run(), threading.Event()
    with ThreadPoolExecutor(len(accounts)) as pool:
        viewers = [pool.submit(view, stack, each, begin(stack, each, run), over) for each in accounts]
        send(stack, accounts, run, seconds)
        over.set()
        for each in viewers:
            each.result()
    for account in accounts:
        assert account.shown == Counter(list(account.accepted)), "each exactly once"
    delays = sorted(delay for account in accounts for delay in account.delays)
    median, p95 = delays[len(delays) // 2], delays[int(len(delays) * 0.95)]
    assert median <= MEDIAN_SECONDS, median
    assert p95 <= P95_SECONDS, p95
    return f"{len(delays)} events, 202 to shown: median {median:.2f} s, p95 {p95:.2f} s"


@pytest.mark.soak
def test_for_five_minutes_what_is_accepted_is_shown_once_and_soon(stack: RunningStack) -> None:
    print(followed(stack, SECONDS))
