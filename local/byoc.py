"""The BYOC account's bucket and database, which are on this machine but belong to the customer.

They are configured as the owner would do it, by PUT /v1/destination with the account's own key.
"""

import secrets
from dataclasses import dataclass, field
from typing import Any

import aiohttp

PUT_TIMEOUT_SECONDS = 60


class DestinationRefusedError(Exception):
    """The API rejected the destination; the message holds its answer, which has no secrets."""


@dataclass(frozen=True, slots=True)
class ByocDestination:
    """Names and credentials; the same for the life of the stack."""

    bucket: str = "initech-logs"
    access_key_id: str = "AKIALOCALINITECH0001"
    secret_access_key: str = field(default_factory=lambda: secrets.token_urlsafe(30), repr=False)
    user: str = "initech"
    password: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)
    database: str = "initech"


async def configure(api: str, admin_key: str, destination: dict[str, Any]) -> None:
    """Configure the destination by the API, which tests each step before it accepts.

    Raises
    ------
    DestinationRefusedError: the API rejected it.
    """
    timeout = aiohttp.ClientTimeout(total=PUT_TIMEOUT_SECONDS)
    headers = {"authorization": f"Bearer {admin_key}"}
    async with (
        aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
        session.put(f"{api}/v1/destination", json=destination) as answer,
    ):
        if answer.status != 200:
            raise DestinationRefusedError(f"{answer.status}: {await answer.text()}")
