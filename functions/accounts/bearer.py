"""The access token in a person's request."""

from functions.shared.access import Principal
from functions.shared.http import Event, request
from functions.shared.secret_text import SecretText


def access_token(caller: Principal, event: Event) -> SecretText | None:
    """The caller's access token, already verified by the authorizer; None for an API key."""
    if caller.subject is None:
        return None
    _, _, token = " ".join(request(event).headers.get("authorization", "").split()).partition(" ")
    return SecretText(token)
