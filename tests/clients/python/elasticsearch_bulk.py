"""elasticsearch-py: COUNT documents by `helpers.bulk` or `streaming_bulk`, one in a thousand of them bad."""

import json
import os
from collections.abc import Iterator

from elasticsearch import Elasticsearch, helpers

RUN, COUNT = os.environ["RUN"], int(os.environ["COUNT"])


def documents() -> Iterator[dict[str, object]]:
    for number in range(COUNT):
        yield {
            "_op_type": "create" if number % 2 else "index",
            "_index": "logs-shop-2026.11.29",
            "@timestamp": "2026-11-29T10:00:00.123456789Z",
            "message": f"line {number}",
            "log.level": "warning",
            "run": RUN,
            "event_id": str(number),
            **({"timestamp": "never"} if number % 1000 == 7 else {}),
        }


client = Elasticsearch(os.environ["URL"], basic_auth=("astralog", os.environ["KEY"]))
assert client.ping()
version = client.info()["version"]["number"]
if os.environ["HELPER"] == "bulk":
    good, failures = helpers.bulk(client, documents(), raise_on_error=False, stats_only=False)
    failed = [next(iter(failure.values())) for failure in failures]
else:
    results = list(helpers.streaming_bulk(client, documents(), raise_on_error=False, chunk_size=2000))
    good = sum(is_good for is_good, _ in results)
    failed = [next(iter(result.values())) for is_good, result in results if not is_good]
print(json.dumps({"version": version, "good": good, "failed": failed}))
