"""What forwarders and webhooks have in common that read nothing but the status: our own answers, and waits.

They retry at 429 and 5xx and drop at most of 4xx; some switch a webhook off after many of those.
"""

from functions.ingest.protocols.contract import IngestResult, LogRequest, described, nothing_accepted
from functions.ingest.protocols.json import JsonProtocol
from functions.ingest.protocols.refusals import Cause, retry_after, status_for
from functions.shared.errors import HttpError
from functions.shared.http import Answer, answer

_STATUSES = {Cause.OVER_QUOTA: 429, Cause.CLOSED: 403}


class ForwarderProtocol(JsonProtocol):
    """Answers of our own API with `success_status`; a body without events is a success."""

    success_status = 200

    def accepted(self, result: IngestResult, request: LogRequest) -> Answer:
        if result.rejected and not result.rows:
            raise nothing_accepted(result)
        return answer(self.success_status, {"status": "accepted", **described(result)})

    def rejected(self, error: HttpError, request: LogRequest) -> Answer:
        response = super().rejected(error, request)
        response["headers"] |= retry_after(error)
        return {**response, "statusCode": status_for(error, _STATUSES)}


def access_line(method: str, host: str, path: str, status: str) -> str:
    """The message of a request that has no other: `GET example.com/path 200`."""
    return " ".join(part for part in (method, host + path, status) if part)
