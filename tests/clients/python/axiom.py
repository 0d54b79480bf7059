"""axiom-py: one event to the path of Axiom's API; prints the error."""

import json
import os

from axiom_py import AxiomError, Client

client = Client(os.environ["KEY"], url=os.environ["URL"])
try:
    client.ingest_events("shop", [{"message": os.environ["RUN"]}])
    found = {"status": 200}
except AxiomError as error:
    found = {"status": error.status, "text": str(error)}
print(json.dumps(found))
