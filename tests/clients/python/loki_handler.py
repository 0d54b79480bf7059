"""python-logging-loki: COUNT records through its handler, in both forms of a push."""

import json
import logging
import os

import logging_loki

errors: list[str] = []
logging.Handler.handleError = lambda _handler, record: errors.append(record.getMessage())
PATHS = {"0": "/api/prom/push", "1": "/loki/api/v1/push"}
VERSION = os.environ["VERSION"]

handler = logging_loki.LokiHandler(
    url=os.environ["URL"] + PATHS[VERSION],
    tags={"application": "shop", "run": os.environ["RUN"]},
    auth=("astralog", os.environ["KEY"]),
    version=VERSION,
)
logger = logging.getLogger("shop.cart")
logger.addHandler(handler)
for number in range(int(os.environ["COUNT"])):
    logger.error('line "%d"', number, extra={"tags": {"event_id": str(number)}})
print(json.dumps({"errors": errors}))
