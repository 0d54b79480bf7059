"""Documentation of the routes of logs, the health check and this document; see functions.shared.openapi.

A protocol that is not our own is described by what its clients send and get; its page in docs/clients has the
rest. Bodies may be compressed (`Content-Encoding: gzip`, `deflate` or `zstd`) on all routes of logs.
"""

from functions.ingest.openapi import (
    axiom,
    datadog,
    elastic,
    firehose,
    forwarders,
    logtail,
    loki,
    otlp,
    own,
    splunk,
)
from functions.shared.openapi import Operations

OPERATIONS: Operations = {
    **own.OPERATIONS,
    **elastic.OPERATIONS,
    **loki.OPERATIONS,
    **splunk.OPERATIONS,
    **datadog.OPERATIONS,
    **axiom.OPERATIONS,
    **forwarders.OPERATIONS,
    **otlp.OPERATIONS,
    **logtail.OPERATIONS,
    **firehose.OPERATIONS,
}
