"""Answer SQS record by record, with Powertools' batch processor."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, ExceptionInfo, FailureResponse
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from functions.shared import journal
from functions.shared.errors import AstralogError

__all__ = ["PartialItemFailureResponse", "SQSRecord", "process_records"]


class _RecordProcessor(BatchProcessor):
    """Reports failed records, also when all failed: the queue redelivers each after its own timeout."""

    def __init__(self) -> None:
        super().__init__(EventType.SQS, raise_on_entire_batch_failure=False)

    def failure_handler(self, record: Any, exception: ExceptionInfo) -> FailureResponse:
        fault = exception[1]
        if fault and not isinstance(fault, AstralogError):
            # By type and place, because its text may quote the message.
            place = journal.place_of(fault)
            journal.write("unexpected_error", error_type=type(fault).__name__, error_place=place)
        return super().failure_handler(record, exception)


def process_records(
    event: dict[str, Any], handle: Callable[[SQSRecord], object]
) -> PartialItemFailureResponse:
    """Call `handle` for each record of an SQS event; the response names the records for which it raised.

    They are redelivered. `handle` logs its own AstralogErrors; any other exception is logged here, and the
    other records are processed all the same.
    """
    processor = _RecordProcessor()
    # The processor passes the record by its name.
    with processor(event["Records"], lambda record: handle(record)):
        processor.process()
    return processor.response()
