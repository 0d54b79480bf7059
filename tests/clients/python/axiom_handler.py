"""axiom-py's logging handler: COUNT records in batches of 1,000 or a second; prints when it logged them."""

import json
import logging
import os
from datetime import UTC, datetime

from axiom_py import Client
from axiom_py.logging import AxiomHandler


def now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}000"


client = Client(os.environ["KEY"], url=os.environ["URL"])
handler = AxiomHandler(client, "shop", interval=0.05)
logger = logging.getLogger("shop.cart")
logger.propagate = False
logger.addHandler(handler)
first = now()
for number in range(int(os.environ["COUNT"])):
    logger.error(f"line {number}", extra={"run": os.environ["RUN"], "event_id": str(number)})
last = now()
client.shutdown_hook()
print(json.dumps({"first": first, "last": last}))
