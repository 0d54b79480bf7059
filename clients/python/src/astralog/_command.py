"""`astralog search`, `astralog stats` and `astralog tail`: the account's logs in a terminal."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from astralog._reader import Reader, ReadError
from astralog._settings import endpoint_of, key_of
from astralog._shown import event_line, json_line, safe, table_lines
from astralog._version import __version__

UNREACHABLE, REJECTED, INTERRUPTED = 1, 2, 130
"""Exit statuses; 2 is also argparse's for wrong arguments."""

_ABOUT = """Read the logs of an AstraLog account.

The environment has the address and a key with the scope `read`: ASTRALOG_URL and ASTRALOG_KEY."""

_QUERY = """a query, such as 'level:error service:(api OR web) "timed out"'; quote it for the shell"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    asked = _parser().parse_args(_spelled(sys.argv[1:] if arguments is None else arguments))
    try:
        reader = Reader(endpoint_of(asked.url), key_of(None), notify=_notify)
    except ValueError as fault:
        _notify(str(fault))
        return REJECTED
    try:
        for line in asked.lines(reader, asked):
            sys.stdout.write(f"{line}\n")
            if asked.flush:
                sys.stdout.flush()
        sys.stdout.flush()
    except ReadError as fault:
        _notify(str(fault))
        return REJECTED if fault.status and 400 <= fault.status < 500 else UNREACHABLE
    except BrokenPipeError:  # the reader of the output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        reader.close()
    return 0


def _spelled(arguments: Sequence[str]) -> list[str]:
    """The arguments as argparse reads them: to it, the time `-2h` and the query `-user:bot` are options."""
    spelled: list[str] = []
    queries: list[str] = []
    rest = iter(arguments)
    for each in rest:
        if each == "--":
            queries += rest
        elif each in ("--from", "--to"):
            spelled.append("=".join([each, *islice(rest, 1)]))
        elif each.startswith("-") and not each.startswith("--") and each != "-h":
            queries.append(each)
        else:
            spelled.append(each)
    return [*spelled, "--", *queries] if queries else spelled


def _search(reader: Reader, asked: argparse.Namespace) -> Iterator[str]:
    body = {**_range(asked), "order": asked.order}
    events = reader.search(body, None if asked.all else asked.limit)
    return _lines(events, asked)


def _tail(reader: Reader, asked: argparse.Namespace) -> Iterator[str]:
    return _lines(reader.tail(asked.query), asked)


def _stats(reader: Reader, asked: argparse.Namespace) -> Iterator[str]:
    table = reader.stats(_range(asked))
    if asked.json:
        names = [column["name"] for column in table["columns"]]
        yield from (json_line(dict(zip(names, row))) for row in table["rows"])
    else:
        yield from table_lines(table)
    if table["truncated"]:
        _notify("The table has more rows than a response: add `| limit` or a narrower filter.")


def _lines(events: Iterator[dict[str, Any]], asked: argparse.Namespace) -> Iterator[str]:
    fields = [name for name in asked.fields.split(",") if name]
    return (json_line(event) if asked.json else event_line(event, fields) for event in events)


def _range(asked: argparse.Namespace) -> dict[str, Any]:
    given = {"query": asked.query, "from": asked.since, "to": asked.until, "time_zone": asked.time_zone}
    return {name: value for name, value in given.items() if value}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="astralog", description=_ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", help="the address of the service, instead of ASTRALOG_URL")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="search | stats | tail")
    search = commands.add_parser("search", help="print the events that match", description="Print events.")
    _add_query(search, _QUERY)
    _add_range(search)
    search.add_argument("--limit", type=_count, default=100, help="events at most (100)")
    search.add_argument("--all", action="store_true", help="all events of the range")
    search.add_argument("--order", choices=("desc", "asc"), default="desc", help="newest first (desc)")
    _add_fields(search)
    search.set_defaults(lines=_search, flush=False)
    stats = commands.add_parser(
        "stats", help="print the table that a query with pipes makes", description="Print a table."
    )
    _add_query(stats, "a query with pipes, such as 'level:error | stats count() by service'")
    _add_range(stats)
    stats.set_defaults(lines=_stats, flush=False)
    tail = commands.add_parser("tail", help="print events as they are stored", description="Follow events.")
    _add_query(tail, _QUERY)
    _add_fields(tail)
    tail.set_defaults(lines=_tail, flush=True)
    return parser


def _add_query(command: argparse.ArgumentParser, about: str) -> None:
    command.add_argument("query", nargs="?", default="", help=about)
    command.add_argument("--json", action="store_true", help="a JSON object on each line, for scripts")


def _add_range(command: argparse.ArgumentParser) -> None:
    command.add_argument("--from", dest="since", help="the first moment: -1h, now-1d/d, RFC 3339 (-24h)")
    command.add_argument("--to", dest="until", help="the moment after the last (now)")
    command.add_argument("--time-zone", help="the zone of days and dates, such as Europe/Berlin (UTC)")


def _add_fields(command: argparse.ArgumentParser) -> None:
    command.add_argument("--fields", default="", help="fields to print behind the message: status,user.id")


def _notify(line: str) -> None:
    sys.stderr.write(f"astralog: {safe(line)}\n")
    sys.stderr.flush()


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError("must be a whole number above 0")
    return int(text)
