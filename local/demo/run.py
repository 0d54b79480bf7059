"""One run of the demo: send, wait until all is stored, find all lines again, run three searches."""

import time
from datetime import UTC, datetime

from local.demo.client import Client
from local.demo.figures import Figures
from local.demo.machine import machine_sources
from local.demo.output import DemoOutput
from local.demo.own_lines import own_source
from local.demo.questions import Answered, ask
from local.demo.sandbox import Sandbox
from local.demo.sending import CLIENTS, Sent, send
from local.demo.shop import shop_source
from local.demo.source import Event, Source
from local.demo.verification import Missing, pages, stored, wait_until_stored
from local.stack import ACCOUNTS

MACHINE_SHARE = 0.4
OWN_SHARE = 0.1
"""Highest shares of all lines; the shop's lines are the rest."""


class Run:
    """Send `lines` lines through one stack."""

    def __init__(self, stack: Sandbox, lines: int, output: DemoOutput) -> None:
        self._stack = stack
        self._lines = lines
        self._output = output
        self._reader = Client(stack.api, stack.keys["read"])
        self._sources: list[Source] = []
        self._sent = Sent()

    def figures(self) -> Figures:
        """Run the demo.

        Raises
        ------
        ApiError: the API rejected a request permanently.
        """
        began = time.monotonic()
        self._send_all()
        ingested = time.monotonic()
        stored_rows = self._wait()
        synced = time.monotonic()
        found = self._find_all()
        paged = time.monotonic()
        answers = self._ask()
        self._reader.close()
        return Figures(
            sources={source.origin: len(source.events) for source in self._sources},
            sent=len(self._events),
            accepted=self._sent.accepted,
            rejected=self._sent.rejected,
            stored=stored_rows,
            found=found,
            requests=self._sent.requests,
            retries=self._sent.retries,
            wire_bytes=self._sent.wire_bytes,
            ingest_seconds=ingested - began,
            sync_seconds=synced - began,
            paging_seconds=paged - synced,
            total_seconds=time.monotonic() - began,
            searches={answer.title: len(answer.events) for answer in answers},
        )

    @property
    def _events(self) -> list[Event]:
        return [event for source in self._sources for event in source.events]

    def _send_all(self) -> None:
        """Send the machine's lines first: handling them produces the stack's own lines."""
        self._output.say(
            f"Sending with {CLIENTS} clients at once, as JSON, NDJSON with gzip, array with zstd"
        )
        self._send(machine_sources(int(self._lines * MACHINE_SHARE), datetime.now(UTC)))
        own = own_source(self._stack.logs, int(self._lines * OWN_SHARE))
        left = self._lines - len(self._events) - len(own.events)
        self._send([own, shop_source(left, datetime.now(UTC))])

    def _send(self, sources: list[Source]) -> None:
        self._output.sources(sources)
        self._sources += sources
        events = [event for source in sources for event in source.events]
        with self._output.progress("accepted", len(events)) as more:
            self._sent += send(events, self._stack.api, self._stack.keys["ingest"], more)

    def _wait(self) -> int:
        with self._output.progress("stored in ClickHouse", self._sent.accepted) as more:
            return wait_until_stored(self._count, self._sent.accepted, more)

    def _count(self) -> int | None:
        return stored(self._stack.clickhouse, ACCOUNTS[0])

    def _find_all(self) -> int:
        missing = Missing(self._events)
        found = 0
        with self._output.progress("found by search", len(self._events)) as more:
            for page in pages(self._reader, datetime.now(UTC)):
                struck = missing.strike(page)
                found += struck
                more(struck)
        return found

    def _ask(self) -> list[Answered]:
        answers = ask(self._reader, datetime.now(UTC))
        self._output.answers(answers)
        return answers
