"""Metrics of accepted requests, and one log line for each rejected request.

The line names the tenant, the error code and counts, and nothing of the events, so that a customer's question
"why are my logs missing" has an answer. A request without a valid key has no tenant, and leaves no line.
"""

from functions.ingest.accept import Accepted
from functions.ingest.rate_limit import RequestWork
from functions.shared import journal
from functions.shared.access import Principal
from functions.shared.http import code_of


def measure_accepted(accepted: Accepted, caller: Principal, key: str, took_ms: int) -> None:
    """Write the metrics of a request whose rows are staged under `key`."""
    journal.measure(
        "ingest",
        {
            "AcceptedEvents": (accepted.result.rows, "Count"),
            "RejectedEvents": (accepted.result.rejected, "Count"),
            "AcceptedBytes": (accepted.raw_bytes, "Bytes"),
            "RequestMs": (took_ms, "Milliseconds"),
        },
        tenant_id=caller.tenant,
        key=key,
    )


def log_rejection(error: Exception, caller: Principal, accepted: Accepted, work: RequestWork) -> None:
    """Write the line of a request of which nothing is stored because of `error`.

    `rows` counts its good records and `rejected` its bad ones, as far as it was read; `bytes` is decoded.
    """
    journal.write(
        "request_rejected",
        tenant_id=caller.tenant,
        code=code_of(error),
        rows=accepted.result.rows,
        rejected=accepted.result.rejected,
        bytes=work.decoded_bytes,
    )
