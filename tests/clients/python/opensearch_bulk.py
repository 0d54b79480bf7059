"""opensearch-py: COUNT documents by `helpers.bulk` or `streaming_bulk`, one in a thousand of them bad."""

import json
import os
from collections.abc import Iterator

from opensearchpy import OpenSearch, helpers

RUN, COUNT = os.environ["RUN"], int(os.environ["COUNT"])


def documents() -> Iterator[dict[str, object]]:
    for number in range(COUNT):
        yield {
            "_index": "logs-shop-2026.11.29",
            "timestamp": "never" if number % 1000 == 7 else "2026-11-29T10:00:00.123456789Z",
            "message": f"line {number}",
            "level": "warning",
            "run": RUN,
            "event_id": str(number),
        }


client = OpenSearch(os.environ["URL"], http_auth=("astralog", os.environ["KEY"]), http_compress=True)
assert client.ping()
version = client.info()["version"]["number"]
if os.environ["HELPER"] == "bulk":
    good, failures = helpers.bulk(client, documents(), raise_on_error=False)
    failed = [next(iter(failure.values())) for failure in failures]
else:
    results = list(helpers.streaming_bulk(client, documents(), raise_on_error=False, chunk_size=2000))
    good = sum(is_good for is_good, _ in results)
    failed = [next(iter(result.values())) for is_good, result in results if not is_good]
print(json.dumps({"version": version, "good": good, "failed": failed}))
