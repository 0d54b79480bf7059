"""Log lines in the layouts of real programs, made here: Apache, Hadoop, syslog, OpenSSH, OpenStack.

Each comes with the time that it says itself, as rows have it; of syslog's, which has no year, at `FOUND`.
"""

import bz2
import csv
import gzip
import io
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
from backports import zstd

DISTINCT_LINES = [f"line {number} {random.Random(number).getrandbits(64):x}" for number in range(20_000)]
"""Lines of which no two are alike, in several buffers of any compression."""

Lines = list[tuple[str, str]]
"""A line and its own time."""

_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _moments(count: int, seed: int, start: datetime) -> list[datetime]:
    random_ = random.Random(seed)
    moments, now = [], start
    for _ in range(count):
        now += timedelta(milliseconds=random_.randrange(1, 90_000))
        moments.append(now)
    return moments


def _stamp(moment: datetime, digits: int) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{f'{moment.microsecond:06d}'[:digits]:0<9}Z"


def apache(count: int = 200) -> Lines:
    moments = _moments(count, 1, datetime(2005, 12, 4, 4, 47, 44, tzinfo=UTC))
    messages = (
        "[notice] workerEnv.init() ok /etc/httpd/conf/workers2.properties",
        "[error] mod_jk child in state 6",
        "[error] [client 222.166.160.184] Directory index forbidden by rule: /var/www/html/",
    )
    return [
        (
            f"[{_DAYS[each.weekday()]} {_NAMES[each.month - 1]} {each:%d %H:%M:%S %Y}] {messages[at % 3]}",
            _stamp(each, 0),
        )
        for at, each in enumerate(moments)
    ]


def hadoop(count: int = 200) -> Lines:
    moments = _moments(count, 2, datetime(2015, 10, 18, 18, 1, 47, tzinfo=UTC))
    return [
        (
            f"{each:%Y-%m-%d %H:%M:%S},{each.microsecond // 1000:03d} {('INFO', 'WARN', 'ERROR')[at % 3]} "
            f"[IPC Server handler {at % 30} on 62260] org.apache.hadoop.mapred.TaskAttemptListenerImpl: "
            f"Progress of TaskAttempt attempt_{at:06d} is : {at / 10:.2f}, {at} of {count}",
            _stamp(each, 3),
        )
        for at, each in enumerate(moments)
    ]


def _syslog(moment: datetime) -> str:
    return f"{_NAMES[moment.month - 1]} {moment.day:>2} {moment:%H:%M:%S}"


def linux(count: int = 200) -> Lines:
    moments = _moments(count, 3, _last_june())
    messages = (
        "sshd(pam_unix)[{at}]: authentication failure; logname= uid=0 euid=0 tty=NODEVssh rhost=218.188.2.4 ",
        "ftpd[{at}]: connection from 24.54.76.216 () at Fri Jun 17 07:07:00 2005 ",
        "kernel: klogd 1.4.1, log source = /proc/kmsg started.",
    )
    return [
        (f"{_syslog(each)} combo {messages[at % 3].format(at=at)}", _stamp(each, 0))
        for at, each in enumerate(moments)
    ]


def openssh(count: int = 200) -> Lines:
    moments = _moments(count, 4, _last_june() + timedelta(days=1))
    messages = (
        "Invalid user webmaster from 173.234.31.186",
        "error: Received disconnect from 103.99.0.122: 14: No more user authentication methods available.",
        "Failed password for root from 112.95.230.3 port 45378 ssh2",
    )
    return [
        (f"{_syslog(each)} LabSZ sshd[{24200 + at}]: {messages[at % 3]}", _stamp(each, 0))
        for at, each in enumerate(moments)
    ]


def openstack(count: int = 200) -> Lines:
    moments = _moments(count, 5, datetime(2017, 5, 16, tzinfo=UTC))
    return [
        (
            f"nova-{('api', 'compute')[at % 2]}.log.1.2017-05-16_13:53:08 {each:%Y-%m-%d %H:%M:%S}."
            f"{each.microsecond // 1000:03d} 25746 {('INFO', 'WARNING')[at % 2]} "
            f"nova.osapi_compute.wsgi.server [req-38101a0b-2096-447d-96ea-a692162415{at % 256:02x} 113d "
            f'- - -] 10.11.10.1 "GET /v2/54fadb412c4e/servers/detail HTTP/1.1" status: 200 len: {at} t: 1',
            _stamp(each, 3),
        )
        for at, each in enumerate(moments)
    ]


def _last_june() -> datetime:
    """The latest 14th of June that is over: what a line of that day and no year means."""
    now = datetime.now(UTC)
    june = datetime(now.year, 6, 14, 15, 16, 1, tzinfo=UTC)
    return june if june + timedelta(days=3) < now else june.replace(year=now.year - 1)


LAYOUTS: dict[str, Callable[[int], Lines]] = {
    "apache": apache,
    "hadoop": hadoop,
    "linux": linux,
    "openssh": openssh,
    "openstack": openstack,
}


def as_lines(lines: Lines) -> bytes:
    """As Windows' programs end their lines, the last one without."""
    return "\r\n".join(line for line, _ in lines).encode()


def as_csv(lines: Lines) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["timestamp", "message", "number"])
    writer.writerows([moment, line, at] for at, (line, moment) in enumerate(lines))
    return out.getvalue().encode()


def as_array(lines: Lines) -> bytes:
    return json.dumps(
        [{"timestamp": moment, "message": line, "number": at} for at, (line, moment) in enumerate(lines)],
        indent=2,
    ).encode()


def as_ndjson(lines: Lines) -> bytes:
    return "".join(
        json.dumps({"timestamp": moment, "message": line, "number": at}) + "\n"
        for at, (line, moment) in enumerate(lines)
    ).encode()


def as_concatenated(lines: Lines) -> bytes:
    return as_ndjson(lines).replace(b"}\n{", b"}{")


def as_parquet(lines: Lines) -> bytes:
    out = io.BytesIO()
    moments = [datetime.fromisoformat(moment) for _, moment in lines]
    columns = {
        "timestamp": pa.array(moments, pa.timestamp("ns", tz="UTC")),
        "message": [line for line, _ in lines],
        "number": range(len(lines)),
    }
    pq.write_table(pa.table({**columns, "number": pa.array(columns["number"])}), out, row_group_size=70)
    return out.getvalue()


FORMS: dict[str, Callable[[Lines], bytes]] = {
    "lines": as_lines,
    "csv": as_csv,
    "json array": as_array,
    "ndjson": as_ndjson,
    "concatenated": as_concatenated,
    "parquet": as_parquet,
}


def gzip_members(body: bytes) -> bytes:
    half = len(body) // 2
    return gzip.compress(body[:half]) + gzip.compress(body[half:])


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "none": lambda body: body,
    "gzip": gzip.compress,
    "gzip members": gzip_members,
    "zstd": lambda body: zstd.compress(body, 3),
    "zstd frames": lambda body: zstd.compress(body[:999], 1) + zstd.compress(body[999:], 9),
    "bzip2": bz2.compress,
    "bzip2 streams": lambda body: bz2.compress(body[:1234], 1) + bz2.compress(body[1234:], 9),
}
