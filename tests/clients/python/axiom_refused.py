"""axiom-py with a wrong key, and with CSV; prints the errors."""

import json
import os
from collections.abc import Callable

from axiom_py import AxiomError, Client
from axiom_py.client import ContentEncoding, ContentType

run = os.environ["RUN"]


def error_of(send: Callable[[], object]) -> dict[str, object]:
    try:
        send()
    except AxiomError as error:
        return {"status": error.status, "text": str(error)}
    return {"status": 200, "text": ""}


def client(key: str) -> Client:
    return Client(key, url=os.environ["URL"])


good, wrong = client(os.environ["KEY"]), client("xaat-wrong")
print(
    json.dumps(
        [
            error_of(lambda: wrong.ingest_events("shop", [{"message": run}])),
            error_of(
                lambda: good.ingest(
                    "shop", f"message\n{run}\n".encode(), ContentType.CSV, ContentEncoding.IDENTITY
                )
            ),
        ]
    )
)
