"""The Python examples of docs/clients, run as they stand with the client that they are for."""

import re
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.clients.programs import run_python_text
from tests.integration.stack import RunningStack

PAGES = Path(__file__).parents[2] / "docs" / "clients"
MESSAGE = "disk is almost full"


def example_of(page: str) -> str:
    (text,) = re.findall(r"```python\n(.*?)```", (PAGES / f"{page}.md").read_text(), re.DOTALL)
    assert MESSAGE in text
    return str(text)


@pytest.mark.parametrize("page", ["splunk", "datadog", "logtail", "axiom"])
def test_the_example_of_a_page_stores_its_record(stack: RunningStack, page: str) -> None:
    address = urlsplit(stack.api)
    found = {}
    for key in (stack.keys["ingest"], stack.second_keys["ingest"]):
        run = uuid.uuid4().hex
        run_python_text(
            example_of(page).replace(MESSAGE, run),
            ASTRALOG_URL=stack.api,
            ASTRALOG_HOST=address.hostname or "",
            ASTRALOG_PORT=str(address.port),
            ASTRALOG_SCHEME=address.scheme,
            ASTRALOG_KEY=key,
        )
        stack.wait_until_settled()
        rows = stack.rows("SELECT tenant_id FROM events WHERE message = {run:String}", run=run)
        found[run] = [row["tenant_id"] for row in rows]
    first, second = found.values()
    assert (len(first), len(second)) == (1, 1)
    assert first != second
