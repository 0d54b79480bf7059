"""Reports of runs, stored for operators and auditors: figures, never a tenant, a key or an address.

Each is a JSON document, `<kind>/day=<YYYY-MM-DD>/<HHMMSS>-<id>.json`; the bucket's rules set its retention.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from functions.shared.buckets.contract import Bucket
from functions.shared.events.staged_key import time_ordered_id

_JSON = {"Content-Type": "application/json"}


class RunReports:
    """Reports in one bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def keep(self, kind: str, now: datetime, report: Mapping[str, Any]) -> str:
        """Store `report` and return its key. `kind` is the key's first part, such as `purges`.

        Raises
        ------
        BucketError
        """
        at = now.astimezone(UTC)
        key = f"{kind}/day={at.date()}/{at:%H%M%S}-{time_ordered_id()}.json"
        self._bucket.create(key, json.dumps({"at": at.isoformat(), **report}).encode(), _JSON)
        return key
