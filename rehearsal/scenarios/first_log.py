"""docs/getting-started.md, by two customers."""

from rehearsal.api_client import expect
from rehearsal.deployed import Deployed

PROVES = "Two people sign up, send a log and find it; neither finds the other's."


def run(here: Deployed) -> None:
    health = here.api.ask("GET /health")
    expect(health.status == 200, f"GET /health answered {health.status}")
    for name in ("ada", "bob"):
        here.joins(name)
    for customer in here.two:
        customer.send(3, "hello")
    for customer in here.two:
        customer.finds_exactly(customer.sent)
    unknown = here.api.ask("GET /v1/nothing")
    expect(unknown.status == 404, f"an unknown path answered {unknown.status}")
    keyless = here.api.ask("POST /v1/drain", "", {"events": [{"message": "no key"}]})
    expect(keyless.status == 401, f"logs without a key were answered with {keyless.status}")
