"""docs/keys.md."""

from rehearsal.api_client import expect
from rehearsal.deployed import Deployed

PROVES = (
    "A key has its scopes only, is rotated with and without overlap, and revoked by its own account only."
)
EVENT = {"events": [{"message": "must not be stored"}]}


def run(here: Deployed) -> None:
    ada, bob = here.two
    reader = ada.new_key("reader", ("read",))
    refused = here.api.ask("POST /v1/drain", reader["key"], EVENT)
    expect(refused.status == 403, f"a key without the scope ingest sent logs: {refused.status}")
    _rotate(here)
    expect(
        here.api.ask(f"DELETE /v1/keys/{reader['id']}", bob.token).status == 404,
        "another account revoked a key",
    )
    revoked = ada.new_key("revoked")
    here.api.done(f"DELETE /v1/keys/{revoked['id']}", ada.token)
    status = here.api.ask("POST /v1/search", revoked["key"], {}).status
    expect(status == 401, f"a revoked key was answered with {status}")
    shown = {each["id"] for each in here.api.done("GET /v1/keys", bob.token)["keys"]}
    expect(revoked["id"] not in shown and reader["id"] not in shown, "an account lists another's keys")
    actions = [each["action"] for each in here.api.done("GET /v1/audit", ada.token)["entries"]]
    expect(len(actions) >= 4, f"the audit trail has {actions} only")


def _rotate(here: Deployed) -> None:
    """With an overlap of 0 the old key ends at once; with the default both work."""
    ada, _bob = here.two
    for overlap_hours, status in ((0, 401), (24, 200)):
        old = ada.new_key(f"overlap {overlap_hours}")
        new = here.api.done(f"POST /v1/keys/{old['id']}/rotate", ada.token, {"overlap_hours": overlap_hours})
        for key, wanted in ((old["key"], status), (new["key"], 200)):
            got = here.api.ask("POST /v1/search", key, {"limit": 1}).status
            expect(got == wanted, f"after a rotation with {overlap_hours} h of overlap: {got}, not {wanted}")
