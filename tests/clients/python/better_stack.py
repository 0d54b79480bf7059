"""logtail-python, as its README configures it."""

import json
import logging
import os

from logtail import LogtailHandler

handler = LogtailHandler(source_token=os.environ["KEY"], host=os.environ["URL"], drop_extra_events=False)
logger = logging.getLogger("shop")
logger.addHandler(handler)
logger.setLevel(logging.INFO)
for number in range(int(os.environ["COUNT"])):
    logger.warning("%s %d", os.environ["RUN"], number, extra={"order": number})
handler.flush()
print(json.dumps({"sent": int(os.environ["COUNT"])}))
