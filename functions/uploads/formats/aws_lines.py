"""AWS logs with one record a line: ALB, VPC Flow Logs, CloudFront, and W3C logs in general.

Columns and their order are those of AWS's documentation; a column that a newer version adds at the end is
kept under its number. `-` is no value. Values keep their type: numbers are numbers, account ids are text.
"""

import re
from abc import abstractmethod

from functions.shared.events import timestamps
from functions.shared.events.judge import RejectedEvent
from functions.shared.events.row import ReceiptContext, Row
from functions.uploads.columns import Metadata, level_of_status
from functions.uploads.formats.contract import MAX_COLUMN_NAME_CHARACTERS, RecordBatch, State
from functions.uploads.formats.lines import LineFormat, text_lines
from functions.uploads.formats.log_times import epoch
from functions.uploads.numbers import number

_PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmp6"}


class _Records(LineFormat):
    """Lines of columns; each subclass converts its lines to rows."""

    def convert(self, body: bytes, batch: RecordBatch) -> None:
        rows: list[Row] = []
        for line in text_lines(body):
            if not line or line.isspace() or self.is_directive(line):
                continue
            row = self.row(line)
            if isinstance(row, RejectedEvent):
                batch.refuse(self.index + len(rows) + batch.refused, row)
            else:
                rows.append(row)
        batch.rows += rows

    def is_directive(self, line: str) -> bool:  # noqa: ARG002 - those that have some look
        """Whether the line describes the lines after it, and is itself no record."""
        return False

    @abstractmethod
    def row(self, line: str) -> Row | RejectedEvent:
        """The row of a record, or why there is none."""

    def time(self, text: str, metadata: Metadata) -> str:
        """A time in the format of rows; a value that is no time stays in the metadata."""
        moment = timestamps.from_text(text)
        if moment is None:
            metadata["time"] = text
            return ""
        return self.columns.moment(moment, text, metadata)


ALB = re.compile(r"(?:https?|h2|grpcs|wss?) \d{4}-\d\d-\d\dT[\d:.]+Z \S+ \S+ \S+ [\d.-]+ [\d.-]+ [\d.-]+ ")
_ALB_NAMES = (
    "type", "time", "elb", "client", "target", "request_processing_time", "target_processing_time",
    "response_processing_time", "elb_status_code", "target_status_code", "received_bytes", "sent_bytes",
    "request", "user_agent", "ssl_cipher", "ssl_protocol", "target_group_arn", "trace_id", "domain_name",
    "chosen_cert_arn", "matched_rule_priority", "request_creation_time", "actions_executed", "redirect_url",
    "error_reason", "target_port_list", "target_status_code_list", "classification",
    "classification_reason", "conn_trace_id", "transformed_host", "transformed_uri",
    "request_transform_status",
)  # fmt: skip
_ALB_NUMBERS = frozenset(
    {
        "request_processing_time", "target_processing_time", "response_processing_time", "elb_status_code",
        "target_status_code", "received_bytes", "sent_bytes", "matched_rule_priority",
    }
)  # fmt: skip
_ALB_LEAST, _ALB_MOST = 12, 1000
"""Limits on the columns of a line; a column beyond the known names gets a generated name."""

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')


class AlbLog(_Records):
    """The Format of an Application Load Balancer's access log."""

    name = "alb"

    def row(self, line: str) -> Row | RejectedEvent:
        values = [quoted or bare for quoted, bare in _QUOTED.findall(line)]
        if not _ALB_LEAST <= len(values) <= _ALB_MOST or not ALB.match(line):
            return _ragged(len(values), len(_ALB_NAMES))
        fields = _named(_ALB_NAMES, values)
        metadata: Metadata = {
            name: number(value) if name in _ALB_NUMBERS else value for name, value in fields.items()
        }
        timestamp = self.time(metadata.pop("time"), metadata)
        status = fields.get("elb_status_code", "")
        return self.columns.row(
            f"{fields.get('request', '-')} {status}",
            timestamp,
            level_of_status(status),
            metadata.pop("elb", ""),
            metadata,
            trace_id=_root(fields.get("trace_id", "")),
        )


def _root(trace: str) -> str:
    """The trace id in an X-Ray header, which may contain more."""
    return next((part.removeprefix("Root=") for part in trace.split(";") if part.startswith("Root=")), trace)


FLOW_DEFAULT = (
    "version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol",
    "packets", "bytes", "start", "end", "action", "log-status",
)  # fmt: skip
FLOW_NAMES = frozenset(
    {
        *FLOW_DEFAULT, "vpc-id", "subnet-id", "instance-id", "tcp-flags", "type", "pkt-srcaddr",
        "pkt-dstaddr", "region", "az-id", "sublocation-type", "sublocation-id", "pkt-src-aws-service",
        "pkt-dst-aws-service", "flow-direction", "traffic-path", "ecs-cluster-arn", "ecs-cluster-name",
        "ecs-container-instance-arn", "ecs-container-instance-id", "ecs-container-id",
        "ecs-second-container-id", "ecs-service-name", "ecs-task-definition-arn", "ecs-task-arn",
        "ecs-task-id", "reject-reason", "resource-id", "encryption-status",
    }
)  # fmt: skip
FLOW_LINE = re.compile(
    r"[2-9] (?:\d{12}|unknown) eni-\S+ \S+ \S+ \S+ \S+ \S+ \S+ \S+ \d{10} \d{10} (?:ACCEPT|REJECT|-) "
    r"(?:OK|NODATA|SKIPDATA)\s*"
)
_FLOW_NUMBERS = frozenset(
    {
        "version", "srcport", "dstport", "protocol", "packets", "bytes", "start", "end", "tcp-flags",
        "traffic-path",
    }
)  # fmt: skip


class FlowLog(_Records):
    """The Format of VPC Flow Logs; the first line names the columns, else they are the default ones."""

    name = "vpc_flow"

    def __init__(self, receipt: ReceiptContext, state: State) -> None:
        super().__init__(receipt, state)
        self._names: tuple[str, ...] = tuple(state.get("names", FLOW_DEFAULT))

    def state(self) -> State:
        return {**super().state(), "names": list(self._names)}

    def is_directive(self, line: str) -> bool:
        names = line.split()
        is_header = FLOW_NAMES.issuperset(names)
        if is_header:
            self._names = tuple(names)
        return is_header

    def row(self, line: str) -> Row | RejectedEvent:
        values = line.split()
        if len(values) != len(self._names):
            return _ragged(len(values), len(self._names))
        fields = _named(self._names, values)
        metadata: Metadata = {
            name: number(value) if name in _FLOW_NUMBERS else value for name, value in fields.items()
        }
        timestamp = epoch(fields.get("start", ""))
        if timestamp:
            timestamp = self.columns.within(timestamp, fields["start"], metadata)
        level = "warn" if fields.get("action") == "REJECT" else "info"
        return self.columns.row(_flow(fields), timestamp, level, "vpc-flow-logs", metadata)


def _flow(fields: dict[str, str]) -> str:
    """`ACCEPT tcp 10.0.0.1:443 -> 10.0.0.2:51000`, or the log status if the record has no data."""
    if fields.get("log-status", "OK") != "OK":
        return f"{fields['log-status']} {fields.get('interface-id', '')}".strip()
    protocol = fields.get("protocol", "")
    source, target = (
        ":".join(filter(None, (fields.get(f"{end}addr"), fields.get(f"{end}port")))) for end in ("src", "dst")
    )
    parts = (fields.get("action"), _PROTOCOLS.get(protocol, protocol), source, "->", target)
    return " ".join(filter(None, parts))


_W3C_NUMBERS = frozenset(
    {
        "sc-bytes", "cs-bytes", "sc-status", "time-taken", "sc-content-len", "sc-range-start", "sc-range-end",
        "c-port", "time-to-first-byte", "fle-encrypted-fields", "s-port", "sc-substatus", "sc-win32-status",
    }
)  # fmt: skip


class W3cLog(_Records):
    """The Format of the W3C extended log, as CloudFront and IIS write it.

    `#Fields:` names the columns. CloudFront separates columns by tabs, others by blanks. Times are UTC.
    """

    def __init__(self, receipt: ReceiptContext, state: State) -> None:
        super().__init__(receipt, state)
        self._names: tuple[str, ...] = tuple(state.get("names", ()))

    @property
    def name(self) -> str:  # type: ignore[override]
        return "cloudfront" if "x-edge-location" in self._names else "w3c"

    def state(self) -> State:
        return {**super().state(), "names": list(self._names)}

    def is_directive(self, line: str) -> bool:
        if line.startswith("#Fields:"):
            self._names = column_names(line)
        return line.startswith("#")

    def row(self, line: str) -> Row | RejectedEvent:
        values = line.split("\t") if "\t" in line else line.split()
        if len(values) != len(self._names):
            return _ragged(len(values), len(self._names))
        fields = _named(self._names, values)
        metadata: Metadata = {
            name: number(value) if name in _W3C_NUMBERS else value for name, value in fields.items()
        }
        at = f"{metadata.pop('date', '')} {metadata.pop('time', '')}".strip()
        timestamp = self.time(at, metadata) if at else ""
        status = fields.get("sc-status", "")
        host = fields.get("x-host-header") or fields.get("cs(Host)") or fields.get("s-computername", "")
        place = f"{host}{fields.get('cs-uri-stem', '')}"
        message = " ".join(filter(None, (fields.get("cs-method"), place, status)))
        return self.columns.row(message, timestamp, level_of_status(status), host, metadata)


def column_names(line: str) -> tuple[str, ...]:
    """The names in a line `#Fields: …`, each cut off at MAX_COLUMN_NAME_CHARACTERS."""
    return tuple(name[:MAX_COLUMN_NAME_CHARACTERS] for name in line.removeprefix("#Fields:").split())


def _named(names: tuple[str, ...], values: list[str]) -> dict[str, str]:
    """The values that are not empty, by column name."""
    more = tuple(f"column_{number}" for number in range(len(names) + 1, len(values) + 1))
    return {
        name: value for name, value in zip((*names, *more), values, strict=False) if value not in ("-", "")
    }


def _ragged(has: int, names: int) -> RejectedEvent:
    return RejectedEvent("ragged_row", f"The line has {has} columns where {names} are named.")
