"""Errors that several operations have, as components: the document is a third shorter."""

import re
from collections import Counter
from hashlib import sha256
from typing import Any

import msgspec

REFERENCE = "#/components/responses/{name}"
MAX_NAME_CHARACTERS = 60
FIRST_ERROR = 400


def share_responses(paths: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Replace errors that occur more than once in `paths` by references; the components by name."""
    operations = [each for methods in paths.values() for each in methods.values()]
    errors = [
        (each["responses"], status)
        for each in operations
        for status in each["responses"]
        if int(status) >= FIRST_ERROR
    ]
    counts = Counter(_text(status, responses[status]) for responses, status in errors)
    components: dict[str, Any] = {}
    for responses, status in errors:
        text = _text(status, responses[status])
        if counts[text] > 1:
            name = _name(status, responses[status]["description"], text)
            components[name] = responses[status]
            responses[status] = {"$ref": REFERENCE.format(name=name)}
    return dict(sorted(components.items()))


def _text(status: str, response: Any) -> bytes:
    return status.encode() + msgspec.json.encode(response, order="deterministic")


def _name(status: str, description: str, text: bytes) -> str:
    """The status, the first words of the description, and a digest, because others may begin alike."""
    words = re.sub(r"\W+", "_", description).strip("_")[:MAX_NAME_CHARACTERS]
    return f"{status}_{words}_{sha256(text).hexdigest()[:6]}"
