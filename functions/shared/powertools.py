"""Log lines and metrics by Powertools for AWS Lambda, in every function that is not on the ingest path.

A handler under `@instrumented` makes its process write with Powertools' Logger and Metrics what
functions.shared.journal would write by itself, and adds the request's id to each line. Ingest and the
authorizer do without (docs/adr/0007); tests/contract/test_log_lines.py holds both writers to the same lines.
"""

import logging
from collections.abc import Callable
from functools import cache, wraps
from typing import Any, TypeVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.logging.types import LogRecord
from aws_lambda_powertools.metrics import EphemeralMetrics

from functions.shared import journal
from functions.shared.journal import DIMENSION, Fields, Metrics

Event = dict[str, Any]
T = TypeVar("T")

SERVICE = "astralog"


class AllowlistFormatter(LambdaPowertoolsFormatter):
    """Formats a record as our line; raises ValueError for a key that is not in journal.FIELDS.

    So nothing gets into a line that the list does not allow, by whatever method of Logger: not the text or
    the trace of an exception, and no key appended to every line.
    """

    def __init__(self) -> None:
        # An event is a name, also when it could be read as JSON.
        super().__init__(
            json_deserializer=str,
            log_record_order=["message"],
            serialize_stacktrace=False,
            level=None,
            location=None,
            timestamp=None,
            xray_trace_id=None,
        )

    def append_keys(self, **additional_keys: Any) -> None:
        """Append keys, except those that Logger appends by itself."""
        own = {"service", "sampling_rate"}
        super().append_keys(**{name: value for name, value in additional_keys.items() if name not in own})

    def serialize(self, log: LogRecord) -> str:
        fields: dict[str, Any] = {**log}
        event = fields.pop("message")
        journal.refuse_unknown(fields)
        return journal.encode({"event": event, "at_ms": journal.now_ms(), **fields})


class StdoutHandler(logging.Handler):
    """Writes to standard output. An error raises at the call, where logging's own handlers print it."""

    def emit(self, record: logging.LogRecord) -> None:
        journal.write_text(self.format(record))


@cache
def _logger() -> Logger:
    logger = Logger(
        service=SERVICE, level="INFO", logger_handler=StdoutHandler(), logger_formatter=AllowlistFormatter()
    )
    # The root logger of a Lambda function writes each record, too.
    logging.getLogger(SERVICE).propagate = False
    return logger


class PowertoolsWriter:
    """The LineWriter of Powertools' Logger and Metrics; all instances write with one Logger."""

    def __init__(self) -> None:
        self.logger = _logger()

    def write(self, event: str, fields: Fields) -> None:
        self.logger.info(event, extra=fields)

    def measure(self, function: str, metrics: Metrics, fields: Fields) -> None:
        # One object a line: the one that Powertools shares in a process is not thread-safe.
        line = EphemeralMetrics(namespace=journal.namespace(), service="")
        line.add_dimension(DIMENSION, function)
        for name, (value, unit) in metrics.items():
            if journal.is_published(value, unit):
                # For several values the first stands: all of them are written below.
                line.add_metric(name, unit, value[0] if isinstance(value, list) else value)
            else:
                line.add_metadata(name, value)
        for name, field in fields.items():
            line.add_metadata(name, field)
        # Powertools makes a list of each value, and prints a line and its end apart.
        values = {name: value for name, (value, _) in metrics.items()}
        journal.write_line({**line.serialize_metric_set(), **values})


def instrumented(handler: Callable[[Event, Any], T]) -> Callable[[Event, Any], T]:
    """Write the lines of this process with Powertools, each with the id of its request."""
    journal.use(PowertoolsWriter())
    journal.silence_libraries()

    @wraps(handler)
    def instrumented_handler(event: Event, context: Any) -> T:
        with journal.bound(_request_id(event, context)):
            return handler(event, context)

    return instrumented_handler


def _request_id(event: Event, context: Any) -> str:
    """The id in the gateway's response and in our errors, else Lambda's id of the invocation."""
    from_gateway = event.get("requestContext", {}).get("requestId")
    return str(from_gateway or getattr(context, "aws_request_id", ""))
