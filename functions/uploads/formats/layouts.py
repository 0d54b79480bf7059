"""Layouts of log lines without a formal format: where each has its time, level and service.

A layout is a pattern for the beginning of a line, and the meaning of its groups. The message is always the
whole line: nothing is removed from it, the fields that are found are added.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from functions.shared.events.levels import SYSLOG
from functions.shared.events.names import LEVEL_KEYS
from functions.uploads.columns import level_of_status
from functions.uploads.formats.log_times import YearGuess, at, second
from functions.uploads.formats.log_times import epoch as epoch_time
from functions.uploads.numbers import number


@dataclass(slots=True)
class LineFields:
    """The fields found in a line; `timestamp` in the format of rows, `original` as in the line.

    `level` is a word, perhaps an unknown one; `rest_at`: where the text after the fields begins.
    """

    timestamp: str
    original: str
    level: str
    service: str
    metadata: dict[str, Any]
    rest_at: int


Layout = Callable[[str, YearGuess], LineFields | None]

_MONTH = r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_CLOCK = r"(\d\d:\d\d:\d\d)"
_LEVELS = (
    r"TRACE|VERBOSE|DEBUG|INFO|INFORMATION|NOTICE|WARN|WARNING|ERROR|ERR|SEVERE|CRITICAL|CRIT|ALERT|FATAL|"
    r"EMERG|EMERGENCY|PANIC"
)
_AFTER_KEY = "|".join(f"(?<={key}=)" for key in LEVEL_KEYS)
_WORD = re.compile(
    rf"(?:^|[\s\[(|<,:=\"-])(?:(?:{'|'.join(LEVEL_KEYS)})=\"?)?({_LEVELS}|"
    rf"(?:{_AFTER_KEY}|(?<=level=\"))\w+)(?=$|[\s\])|>,:\";-])"
)
_NEAR_CHARACTERS = 100

_ISO = re.compile(
    r"(\d{4})([-/.])(\d\d)\2(\d\d)[T ]" + _CLOCK + r"(?:[.,:](\d{1,9}))?\s?(Z\b|UTC\b|[+-]\d\d:?\d\d\b)?"
)
_FILE_FIRST = re.compile(r"((?P<service>[A-Za-z][\w-]*)\.log\S*) ")
_ISO_AFTER = re.compile(
    rf"[\])]?[\s,|-]*(?:(?P<pid>\d+)\s+)?(?:\[?(?P<level>{_LEVELS}|[A-Z][a-z]+(?=\s))\]?\s*[:|-]?\s+)?"
    r"(?:\[(?P<thread>[^\]]{1,100})\]\s+)?(?P<logger>[A-Za-z_$][\w$]*(?:\.[\w$]+)+)?(?=[\s:])"
)
_REQUEST = re.compile(r"\[(req-[0-9a-f-]{36})\b")
_ISO_WITHIN = 120


def iso(line: str, _years: YearGuess) -> LineFields | None:
    """ISO 8601 and variants near the beginning: loggers of Java, Python and OpenStack, containers."""
    found = _ISO.search(line, 0, _ISO_WITHIN)
    if not found:
        return None
    year, _, month, day, clock, fraction, zone = found.groups()
    timestamp = at(second(year, month, day, clock), fraction or "", zone or "")
    if not timestamp:
        return None
    begins, ends = found.span()
    level, service, rest_at = "", "", ends
    metadata: dict[str, Any] = {}
    if begins and (file := _FILE_FIRST.match(line)) and file.end() == begins:
        service, metadata["file"] = file["service"], file[1]
    if after := _ISO_AFTER.match(line, ends):
        rest_at = after.end()
        pid, level, thread, logger = after.groups("")
        if pid:
            metadata["pid"] = number(pid)
        if thread:
            metadata["thread"] = thread
        if logger and (level or thread):
            metadata["logger"] = logger
    if "[req-" in line and (request := _REQUEST.search(line, ends, ends + _ISO_WITHIN)):
        metadata["request_id"] = request[1]
    return LineFields(timestamp, found[0].strip(), level, service, metadata, rest_at)


_ASCTIME = re.compile(
    rf"\[?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) {_MONTH} +(\d{{1,2}}) {_CLOCK}(?:\.(\d{{1,9}}))? (\d{{4}})\]?"
)
_APACHE_AFTER = re.compile(
    r" \[(?:(?P<module>[\w-]+):)?(?P<level>[a-z]+\d?)\](?: \[pid (?P<pid>\d+)[^\]]*\])?"
    r"(?: \[client (?P<client>[^\]]+)\])?"
)


def asctime(line: str, _years: YearGuess) -> LineFields | None:
    """`Sun Dec 04 04:47:44 2005`, in brackets as in Apache's error log, or bare."""
    found = _ASCTIME.match(line)
    if not found:
        return None
    month, day, clock, fraction, year = found.groups()
    timestamp = at(second(year, month, day, clock), fraction or "")
    if not timestamp:
        return None
    after = _APACHE_AFTER.match(line, found.end()) if line[0] == "[" else None
    if not after:
        return LineFields(timestamp, found[0], "", "", {}, found.end())
    metadata = {name: after[name] for name in ("module", "client") if after[name]}
    if after["pid"]:
        metadata["pid"] = number(after["pid"])
    return LineFields(
        timestamp, found[0].strip("[]"), after["level"].rstrip("0123456789"), "apache", metadata, after.end()
    )


_SYSLOG = re.compile(
    rf"(?:<(?P<priority>\d{{1,3}})>)?{_MONTH} +(\d{{1,2}}) {_CLOCK}(?:\.(\d{{1,9}}))? (?P<host>\S+) "
    r"(?:(?P<process>[^\s:\[(]{1,64})(?:\((?P<module>[^)]{1,64})\))?(?:\[(?P<pid>\d+)\])?:)?"
)
_FIRST_WORD = re.compile(r" (error|warning|fatal|debug|info|crit|alert|emerg):")


def syslog(line: str, years: YearGuess) -> LineFields | None:
    """RFC 3164, as in /var/log: no year, a host, a process and its number."""
    found = _SYSLOG.match(line)
    if not found:
        return None
    month, day, clock, fraction = found.group(2, 3, 4, 5)
    timestamp = at(second(years.of(month, day) or "0", month, day, clock), fraction or "")
    if not timestamp:
        return None
    metadata: dict[str, Any] = {"host": found["host"]}
    if found["module"]:
        metadata["module"] = found["module"]
    if found["pid"]:
        metadata["pid"] = number(found["pid"])
    level = _severity(found["priority"])
    if not level and (word := _FIRST_WORD.match(line, found.end())):
        level = word[1]
    return LineFields(
        timestamp, f"{month} {day} {clock}", level, found["process"] or "", metadata, found.end()
    )


def _severity(priority: str | None) -> str:
    return SYSLOG[int(priority) % len(SYSLOG)] if priority else ""


_RFC5424 = re.compile(
    r"<(?P<priority>\d{1,3})>\d{1,2} (\d{4})-(\d\d)-(\d\d)T" + _CLOCK + r"(?:\.(\d{1,9}))?"
    r"(Z|[+-]\d\d:\d\d) (?P<host>\S+) (?P<service>\S+) (?P<pid>\S+) (?P<message_id>\S+)"
)


def rfc5424(line: str, _years: YearGuess) -> LineFields | None:
    """Syslog according to RFC 5424."""
    found = _RFC5424.match(line)
    if not found:
        return None
    year, month, day, clock, fraction, zone = found.groups()[1:7]
    timestamp = at(second(year, month, day, clock), fraction or "", zone)
    if not timestamp:
        return None
    named = {name: found[name] for name in ("host", "pid", "message_id") if found[name] != "-"}
    service = "" if found["service"] == "-" else found["service"]
    original = line[line.index(" ") + 1 : found.start("host") - 1]
    return LineFields(timestamp, original, _severity(found["priority"]), service, named, found.end())


_ACCESS = re.compile(
    rf"(?P<client>\S+) \S+ (?P<user>\S+) \[(\d\d)/{_MONTH}/(\d{{4}}):{_CLOCK} ([+-]\d{{4}})\]"
    r"(?: \"(?P<method>[A-Z]+) (?P<path>[^\s\"]++)[^\"]*+\" (?P<status>\d{3}) (?P<bytes>\d+|-))?"
)


def access(line: str, _years: YearGuess) -> LineFields | None:
    """The common log format of web servers, and its extensions."""
    found = _ACCESS.match(line)
    if not found:
        return None
    day, month, year, clock, zone = found.groups()[2:7]
    timestamp = at(second(year, month, day, clock), "", zone)
    if not timestamp:
        return None
    metadata: dict[str, Any] = {"client": found["client"]}
    if found["user"] != "-":
        metadata["user"] = found["user"]
    if found["status"]:
        metadata |= {"method": found["method"], "path": found["path"], "status": number(found["status"])}
        if found["bytes"] != "-":
            metadata["bytes"] = number(found["bytes"])
    level = level_of_status(found["status"] or "")
    return LineFields(
        timestamp, line[line.index("[") + 1 : line.index("]")], level, "", metadata, found.end()
    )


_SHORT = re.compile(r"(\d\d)/(\d\d)/(\d\d) " + _CLOCK + r"(?:[.,](\d{1,9}))? ")
_GLOG = re.compile(r"([IWEF])(\d\d)(\d\d) " + _CLOCK + r"\.(\d{6})\s+(?P<pid>\d+) (?P<source>[^\s\]]+)\]")
_DIGITS = re.compile(r"(\d\d)(\d\d)(\d\d) (\d\d)(\d\d)(\d\d) (?P<pid>\d+) ")
_GLOG_LEVELS = {"I": "info", "W": "warn", "E": "error", "F": "fatal"}


def short(line: str, years: YearGuess) -> LineFields | None:
    """Short layouts: Spark's `17/06/09 20:10:40`, glog's `W1123 10:00:00.123456`, HDFS's `081109 203615`."""
    if found := _SHORT.match(line):
        year, month, day, clock, fraction = found.groups()
        timestamp = at(second(f"20{year}", month, day, clock), fraction or "")
        return LineFields(timestamp, found[0].strip(), "", "", {}, found.end() - 1) if timestamp else None
    if found := _GLOG.match(line):
        letter, month, day, clock, fraction = found.groups()[:5]
        timestamp = at(second(years.of(month, day) or "0", month, day, clock), fraction)
        metadata = {"pid": number(found["pid"]), "source": found["source"]}
        level = _GLOG_LEVELS[letter]
        original = f"{month}{day} {clock}.{fraction}"
        return LineFields(timestamp, original, level, "", metadata, found.end()) if timestamp else None
    if found := _DIGITS.match(line):
        year, month, day, hour, minute, seconds = found.groups()[:6]
        timestamp = at(second(f"20{year}", month, day, f"{hour}:{minute}:{seconds}"))
        metadata = {"pid": number(found["pid"])}
        return LineFields(timestamp, line[:13], "", "", metadata, found.end() - 1) if timestamp else None
    return None


_EPOCH = re.compile(r"\[?(\d{10}(?:\.\d{1,9})?|\d{13}|\d{16}|\d{19})\]?(?=[\s|,])")


def epoch(line: str, _years: YearGuess) -> LineFields | None:
    """Seconds, milli-, micro- or nanoseconds since 1970 at the beginning of the line."""
    found = _EPOCH.match(line)
    timestamp = epoch_time(found[1]) if found else ""
    return LineFields(timestamp, found[1], "", "", {}, found.end()) if found and timestamp else None


LAYOUTS: tuple[Layout, ...] = (rfc5424, access, asctime, syslog, short, epoch, iso)
"""In the order in which they are tried: `iso` searches furthest into a line, so it is last."""


def level_word(line: str, start: int) -> str:
    """A level in capitals, or after `level=`, near `start`; empty when there is none."""
    found = _WORD.search(line, start, start + _NEAR_CHARACTERS)
    return found[1] if found else ""
