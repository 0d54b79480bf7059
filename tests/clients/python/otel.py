"""OpenTelemetry's Python SDK: records through its batch processor and exporter."""

import json
import logging
import os

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource

NAME, COUNT = os.environ["NAME"], int(os.environ["COUNT"])
LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)

provider = LoggerProvider(resource=Resource.create({"service.name": NAME, "host.name": "h1", "replicas": 3}))
exporter = OTLPLogExporter(
    endpoint=os.environ["URL"] + "/v1/logs",
    headers={"authorization": f"Bearer {os.environ['KEY']}"},
    compression=Compression.Gzip if os.environ.get("GZIP") else Compression.NoCompression,
)
provider.add_log_record_processor(BatchLogRecordProcessor(exporter, max_queue_size=max(COUNT, 512)))
logger = logging.getLogger("shop.cart")
logger.setLevel(logging.DEBUG)
logger.propagate = False
logger.addHandler(LoggingHandler(logger_provider=provider))
for number in range(COUNT):
    logger.log(
        LEVELS[number % len(LEVELS)],
        "record %d",
        number,
        extra={"number": number, "ratio": number / 2, "even": number % 2 == 0, "tags": ["a", "b"]},
    )
provider.force_flush(60_000)
provider.shutdown()
print(json.dumps({"sent": COUNT}))
