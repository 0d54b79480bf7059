"""The command line: `python -m infra.cost`; `--help` has the options."""

import argparse
import json
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from infra import topology
from infra.choices import from_context
from infra.cost.bill import Line, PriceList, as_json, as_text, notes, price_list, total
from infra.cost.idle import Templates, idle_lines
from infra.cost.per_gb import per_gb
from infra.cost.usage import Traffic, usage_lines


def main(arguments: Sequence[str]) -> None:
    """Write the bill of a month by line to standard output."""
    chosen = _parser().parse_args(arguments)
    if chosen.per_gb:
        sys.stdout.write("\n".join([*per_gb(chosen.gb_day, chosen.event_bytes, price_list()), ""]))
        return
    context = dict(each.split("=", 1) for each in chosen.context)
    prices = price_list()
    traffic = None if chosen.idle else Traffic(chosen.gb_day, chosen.events_per_request, chosen.event_bytes)
    idle = list(idle_lines(templates(context), from_context(context.get), prices))
    used = list(usage_lines(traffic, prices)) if traffic else []
    written = (
        as_document(prices, idle, used) if chosen.json else "\n".join(as_page(prices, idle, used, traffic))
    )
    sys.stdout.write(f"{written}\n")


def as_document(prices: PriceList, idle: list[Line], used: list[Line]) -> str:
    """The bill as JSON."""
    document = {
        "date": prices.day.isoformat(),
        "region": prices.region,
        "idle": as_json(idle),
        "usage": as_json(used),
        "idle_usd_a_month": total(idle),
        "usd_a_month": total([*idle, *used]),
    }
    return json.dumps(document, indent=2)


def as_page(prices: PriceList, idle: list[Line], used: list[Line], traffic: Traffic | None) -> Iterator[str]:
    """The bill as Markdown, line by line."""
    yield f"List prices of {prices.day} in {prices.region}, without free tiers, ClickHouse and mail.\n"
    yield from as_text("Idle", idle)
    yield from ("", *notes(idle))
    if traffic:
        yield f"\n{traffic.requests:,.0f} requests a month of {traffic.request_bytes:,} bytes:\n"
        yield from as_text("Traffic", used)
        a_gb = total(used) / traffic.gb_month
        yield f"\n${total([*idle, *used]):,.2f} a month; traffic costs ${a_gb:.3f} a GB."


def templates(context: dict[str, str]) -> Templates:
    """Synthesize the stacks; the content of the zips costs nothing, so they are empty."""
    from infra import app  # CDK takes seconds to import: only where it is used

    with tempfile.TemporaryDirectory() as folder:
        zips = Path(folder)
        for spec in topology.FUNCTIONS:
            with zipfile.ZipFile(zips / f"{spec.folder}.zip", "w") as archive:
                archive.writestr("placeholder", spec.folder)
        assembly = app.synthesize(zips, zips / "out", context)
        return tuple(stack.template for stack in assembly.stacks)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.cost", description=__doc__)
    parser.add_argument("--gb-day", type=float, default=1.0, help="raw logs a day, in GB (default 1)")
    parser.add_argument("--events-per-request", type=int, default=100, help="default 100")
    parser.add_argument("--event-bytes", type=int, default=421, help="of one event as JSON (default 421)")
    parser.add_argument("--per-gb", action="store_true", help="dollars a GB, for requests of several sizes")
    parser.add_argument("--idle", action="store_true", help="without traffic")
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "-c",
        dest="context",
        action="append",
        default=[],
        metavar="name=value",
        help="an option of deployment.md",
    )
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
