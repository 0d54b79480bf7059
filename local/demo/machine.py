"""This machine's own log lines: package manager and system logs in /var/log, where readable.

They are sent only to the stack on the same machine.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from local.demo.source import Event, Source

FOLDER = Path("/var/log")
NAMES = (
    "dpkg.log",
    "apt/term.log",
    "apt/history.log",
    "alternatives.log",
    "dnf.log",
    "pacman.log",
    "cloud-init.log",
    "install.log",
    "syslog",
    "messages",
)
"""Logs of Debian's, Fedora's and Arch's package managers, cloud images, macOS, and the system."""

MAX_TAIL_BYTES = 4 * 1024 * 1024
MAX_LINE_CHARACTERS = 2000

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ]{1,2}(\d\d:\d\d:\d\d)")
_LEVELS = (
    ("error", re.compile(r"\b(?:error|failed|failure)\b", re.IGNORECASE)),
    ("warn", re.compile(r"\b(?:warn|warning)\b", re.IGNORECASE)),
)
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


def machine_sources(limit: int, now: datetime, folder: Path = FOLDER) -> list[Source]:
    """The newest lines of each file in turn, at most `limit` in all; unreadable files are skipped."""
    sources: list[Source] = []
    for name in NAMES:
        events = list(_events(folder / name, now))[-limit:] if limit else []
        if events:
            sources.append(Source(str(folder / name), events))
            limit -= len(events)
    return sources


def _events(path: Path, now: datetime) -> Iterator[Event]:
    """A line without a timestamp gets that of the line before."""
    timestamp: str | None = None
    for line in _lines(path):
        timestamp = _time(line, now) or timestamp
        event: Event = {
            "message": line,
            "level": _level(line),
            "service": path.stem,
            "project_id": "machine",
            "metadata": {"file": str(path)},
        }
        yield {**event, "timestamp": timestamp} if timestamp else event


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - MAX_TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return
    lines = text.splitlines()
    # A tail begins in the middle of a line.
    for line in lines[size > MAX_TAIL_BYTES :]:
        if line.strip():
            yield line[:MAX_LINE_CHARACTERS]


def _time(line: str, now: datetime) -> str | None:
    """A line's timestamp, read as local time of this machine; None if it is implausible."""
    match = _TIME.search(line)
    if not match:
        return None
    try:
        moment = datetime.fromisoformat(f"{match[1]}T{match[2]}").astimezone()
    except ValueError:
        return None
    return moment.isoformat() if _EARLIEST < moment <= now else None


def _level(line: str) -> str:
    return next((level for level, words in _LEVELS if words.search(line)), "info")
