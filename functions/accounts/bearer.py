"""The access token that a person called with."""

from functions.shared.access import Principal
from functions.shared.http import Event, request
from functions.shared.secret_text import SecretText


def access_token(caller: Principal, event: Event) -> SecretText | None:
    """The caller's token, which the authorizer has verified; None for a key."""
    if caller.subject is None:
        return None
    _, _, token = " ".join(request(event).headers.get("authorization", "").split()).partition(" ")
    return SecretText(token)
