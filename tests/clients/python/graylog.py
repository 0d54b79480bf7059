"""graypy over HTTP: GELF, one message a request, compressed, the key in the path's query."""

import json
import logging
import os

import graypy

path = f"/v1/drain?key={os.environ['KEY']}"
handler = graypy.GELFHTTPHandler(os.environ["HOST"], int(os.environ["PORT"]), path=path)
logger = logging.getLogger("shop")
logger.addHandler(handler)
logger.setLevel(logging.INFO)
for number in range(int(os.environ["COUNT"])):
    logger.warning("%s %d", os.environ["RUN"], number, extra={"order": number})
print(json.dumps({"sent": int(os.environ["COUNT"])}))
