"""The demo's output: progress bars on a terminal, plain lines elsewhere."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from local.demo.figures import Figures
from local.demo.questions import Answered
from local.demo.source import Source

MAX_MESSAGE_CHARACTERS = 96

_CAPTION = "S3, SQS and DynamoDB are emulated here: use make bench to measure"

_NEXT = """
Where to go next
  make up          the same stack to play with, until Ctrl-C; it prints its keys and lines to try
  README.md        what this is, and how to send and search with curl
  docs/            api.md, local.md, architecture.md, delivery.md, deployment.md"""


class DemoOutput:
    """Writes to one console."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, text: str = "") -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def progress(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        """Yields a function to call, from any thread, with the number of items just done."""
        if not self._console.is_terminal:
            yield _Quarters(title, total, self.say).more
            return
        columns = (
            TextColumn("  {task.description:<24}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._console) as bars:
            bar = bars.add_task(title, total=total)
            yield lambda count: bars.advance(bar, count)

    def sources(self, sources: Sequence[Source]) -> None:
        for source in sources:
            self.say(f"  {len(source.events):>8,}  {source.origin}")

    def answers(self, answers: Sequence[Answered]) -> None:
        for answer in answers:
            self.say(f"\n{answer.title[:1].upper()}{answer.title[1:]}")
            self.say(f"  POST /v1/search {json.dumps(answer.asked, ensure_ascii=False)}")
            for event in answer.events:
                clock, message = event["timestamp"][11:23], event["message"][:MAX_MESSAGE_CHARACTERS]
                self.say(f"    {clock}  {event['level']:<5}  {event['service']:<9}  {message}")
            self.say(f"  {len(answer.events)} shown, {answer.elapsed_ms:.0f} ms in ClickHouse")

    def figures(self, figures: Figures) -> None:
        table = Table("lines", "", "seconds", "a second", caption=_CAPTION)
        for column in table.columns:
            column.justify = "right"
        table.columns[1].justify = "left"
        ingested, synced = f"{figures.ingested_a_second:,.0f}", f"{figures.synced_a_second:,.0f}"
        paged = f"{figures.found / figures.paging_seconds:,.0f}"
        wire = f"sent in {figures.requests:,} requests, {figures.wire_bytes / 1e6:,.1f} MB on the wire"
        table.add_row(f"{figures.sent:,}", wire, "", "")
        table.add_row(
            f"{figures.accepted:,}",
            "accepted: each in S3 before its 202",
            f"{figures.ingest_seconds:.1f}",
            ingested,
        )
        table.add_row(f"{figures.stored:,}", "stored in ClickHouse", f"{figures.sync_seconds:.1f}", synced)
        table.add_row(f"{figures.found:,}", "found unaltered", f"{figures.paging_seconds:.1f}", paged)
        self._console.print()
        self._console.print(table)

    def whats_next(self) -> None:
        self.say(_NEXT)


class _Quarters:
    """Progress in four lines."""

    def __init__(self, title: str, total: int, say: Callable[[str], None]) -> None:
        self._title, self._total, self._say = title, total, say
        self._done = 0
        self._turn = threading.Lock()

    def more(self, count: int) -> None:
        with self._turn:
            before, self._done = self._done, self._done + count
            if self._total and before * 4 // self._total != self._done * 4 // self._total:
                self._say(f"  {self._title}: {self._done:,} of {self._total:,}")
