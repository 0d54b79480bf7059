"""Signatures of webhooks: an HMAC of the raw body, whose secret is the API key that the request brings.

The key alone admits the request. A signature, when there is one, shows that the body arrived unchanged.
"""

import hmac

from functions.ingest.protocols.contract import LogRequest
from functions.shared.errors import HttpError


def verify_signature(request: LogRequest, sent: str, digest: str) -> None:
    """Compare `sent`, hexadecimal, with the HMAC of the body; nothing to do when it is empty.

    Raises
    ------
    HttpError: 401.
    """
    if not sent:
        return
    expected = hmac.new(request.sent_key.encode(), request.body, digest).hexdigest()
    if not hmac.compare_digest(expected.encode(), sent.strip().lower().encode()):
        raise HttpError(
            401,
            "unauthorized",
            "The signature does not fit the body: use the API key as the webhook's secret.",
        )
