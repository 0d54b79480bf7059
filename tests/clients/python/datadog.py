"""datadog-api-client, with a body in gzip and one without."""

import json
import os

from datadog_api_client import ApiClient, Configuration
from datadog_api_client.v2.api.logs_api import LogsApi
from datadog_api_client.v2.model.content_encoding import ContentEncoding
from datadog_api_client.v2.model.http_log import HTTPLog
from datadog_api_client.v2.model.http_log_item import HTTPLogItem

configuration = Configuration(host=os.environ["URL"])
configuration.server_index = None
configuration.api_key["apiKeyAuth"] = os.environ["KEY"]
count, run = int(os.environ["COUNT"]), os.environ["RUN"]
items = [
    HTTPLogItem(message=f"{run} {number}", service="shop", ddtags="env:prod", status="warn")
    for number in range(count)
]
answers = []
with ApiClient(configuration) as client:
    logs = LogsApi(client)
    answers.append(str(logs.submit_log(HTTPLog(items[: count // 2]))))
    more = {"content_encoding": ContentEncoding.GZIP}
    answers.append(str(logs.submit_log(HTTPLog(items[count // 2 :]), **more)))
print(json.dumps({"sent": count, "answers": answers}))
