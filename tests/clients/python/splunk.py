"""splunk-handler, as its README configures it."""

import json
import logging
import os

from splunk_handler import SplunkHandler

handler = SplunkHandler(
    host=os.environ["HOST"],
    port=int(os.environ["PORT"]),
    token=os.environ["KEY"],
    index="main",
    protocol="http",
    verify=False,
    flush_interval=1.0,
    retry_count=5,
)
logger = logging.getLogger("shop")
logger.addHandler(handler)
logger.setLevel(logging.INFO)
for number in range(int(os.environ["COUNT"])):
    logger.warning("%s %d", os.environ["RUN"], number)
handler.wait_until_empty()
handler.force_flush()
print(json.dumps({"sent": int(os.environ["COUNT"])}))
