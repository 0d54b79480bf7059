"""The stack's own log lines, which its functions wrote while they handled earlier lines."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.demo.source import Event, Source


def own_source(logs: Path, limit: int) -> Source:
    """The newest `limit` structured lines of the log files in `logs`."""
    events = [event for path in sorted(logs.glob("*.log")) for event in _events(path)]
    return Source("this stack's own functions", events[-limit:])


def _events(path: Path) -> Iterator[Event]:
    for line in path.read_text(errors="replace").splitlines():
        entry = _entry(line)
        if entry:
            yield {
                "message": line,
                "service": path.stem,
                "project_id": "astralog",
                "timestamp": entry.get("at_ms") or entry["_aws"]["Timestamp"],
                "metadata": {name: value for name, value in entry.items() if name != "_aws"},
            }


def _entry(line: str) -> dict[str, Any] | None:
    """The line as functions.shared.journal wrote it; None for anything else, such as a partial line."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and ("at_ms" in entry or "_aws" in entry) else None
