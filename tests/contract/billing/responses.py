"""What a test reads of a response of the billing routes."""

import json
from typing import Any

from tests.unit.billing.shop import Shop


def code_of(answer: Any) -> tuple[int, str]:
    """Its status, and the code of an error."""
    return answer["statusCode"], json.loads(answer["body"]).get("code", "")


def shown(here: Shop, tenant: str) -> Any:
    """What `GET /v1/billing` shows of the account."""
    return json.loads(here.ask("GET /v1/billing", tenant)["body"])
