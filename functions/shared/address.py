"""Where a ClickHouse is; light, so that a module can know of one without loading its client."""

import json
from dataclasses import dataclass, field

from functions.shared.secret_text import SecretText


@dataclass(frozen=True, slots=True)
class Address:
    """Where a ClickHouse is and how to sign in. Not hashable, for its password is not."""

    host: str
    port: int
    secure: bool
    user: str = field(repr=False)
    password: SecretText
    database: str

    @classmethod
    def from_json(cls, text: str) -> "Address":
        """Read the JSON object of that form that the stack's secret holds."""
        fields = json.loads(text)
        return cls(**{**fields, "password": SecretText(fields["password"])})
