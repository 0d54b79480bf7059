"""The address of a ClickHouse; light, so that importing it does not load the client."""

import json
from dataclasses import dataclass, field

from functions.shared.errors import SettingsError
from functions.shared.secret_text import SecretText


@dataclass(frozen=True, slots=True)
class ClickHouseAddress:
    """The address of a ClickHouse and its credentials. Not hashable, because the password is not."""

    host: str
    port: int
    secure: bool
    user: str = field(repr=False)
    password: SecretText
    database: str

    @classmethod
    def from_json(cls, text: str) -> "ClickHouseAddress":
        """Parse the JSON object in the stack's secret.

        Raises
        ------
        SettingsError: the object is not an address; the message repeats nothing of it.
        """
        try:
            fields = json.loads(text)
            return cls(**{**fields, "password": SecretText(fields["password"])})
        except (ValueError, KeyError, TypeError):
            pass
        names = ", ".join(cls.__dataclass_fields__)
        raise SettingsError(f"the secret of ClickHouse must be a JSON object with {names}")
