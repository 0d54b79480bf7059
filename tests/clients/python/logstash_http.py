"""python-logstash-async over HTTP: JSON arrays, the key as the password."""

import json
import logging
import os
import tempfile

from logstash_async.handler import AsynchronousLogstashHandler
from logstash_async.transport import HttpTransport

transport = HttpTransport(
    os.environ["HOST"],
    int(os.environ["PORT"]),
    ssl_enable=False,
    path="v1/drain",
    username="astralog",
    password=os.environ["KEY"],
    timeout=10,
)
with tempfile.TemporaryDirectory() as folder:
    handler = AsynchronousLogstashHandler(
        os.environ["HOST"], int(os.environ["PORT"]), database_path=f"{folder}/queue.db", transport=transport
    )
    logger = logging.getLogger("shop")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    for number in range(int(os.environ["COUNT"])):
        logger.warning("%s %d", os.environ["RUN"], number, extra={"order": number})
    handler.flush()
    handler.close()
    logging.shutdown()
print(json.dumps({"sent": int(os.environ["COUNT"])}))
