"""docs/api.md, search."""

from rehearsal.api_client import expect
from rehearsal.deployed import Deployed

PROVES = (
    "Words, phrases, conditions on metadata, levels, services and pages find an account's own events only."
)


def run(here: Deployed) -> None:
    ada, bob = here.two
    word = f"needle{ada.mark}"
    events = [
        {
            "message": f"{word} number {n}",
            "level": "error" if n % 2 else "info",
            "service": f"service-{n % 3}",
            "metadata": {"n": n, "user": {"id": f"u{n}"}},
        }
        for n in range(12)
    ]
    for customer in (ada, bob):
        here.api.done("POST /v1/drain?wait=true", customer.key, {"events": events})
        customer.sent += [str(event["message"]) for event in events]
    questions = (
        ({"q": word}, 12),
        ({"q": f'"{word} number" -7'}, 11),
        ({"q": word, "levels": ["error"]}, 6),
        ({"q": word, "services": ["service-1"]}, 4),
        ({"q": word, "where": [{"field": "metadata.n", "op": "gte", "value": 9}]}, 3),
        ({"q": word, "where": [{"field": "metadata.user.id", "op": "eq", "value": "u3"}]}, 1),
        ({"q": word, "limit": 5}, 12),
    )
    for asked, wanted in questions:
        for customer in (ada, bob):
            found = len(customer.find(**asked))
            expect(found == wanted, f"{customer.name} finds {found} events instead of {wanted} by {asked}")
    wrong = here.api.ask("POST /v1/search", ada.key, {"limit": 0})
    expect(wrong.status == 400, f"a search with a wrong field answered {wrong.status}")
