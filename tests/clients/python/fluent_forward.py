"""fluent-logger: COUNT records in Fluentd's forward protocol, to the forwarder at HOST and PORT."""

import json
import os

from fluent import sender

run, count = os.environ["RUN"], int(os.environ["COUNT"])
forwarder = sender.FluentSender(
    "shop", host=os.environ["HOST"], port=int(os.environ["PORT"]), nanosecond_precision=True
)
for number in range(count):
    fields = {"message": f"line {number}", "level": "warning", "run": run, "event_id": str(number)}
    assert forwarder.emit("cart", fields), forwarder.last_error
forwarder.close()
print(json.dumps({"sent": count}))
