"""`GET /openapi.json`: the OpenAPI document, which is made at build time (package `openapi`).

The file is read and compressed once for each execution environment, at the first request.
"""

import base64
import gzip
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from functions.shared.http import Answer, Event

MAX_AGE_SECONDS = 3600
_LEVEL = 9


@dataclass(frozen=True, slots=True)
class OpenApiDocument:
    """The document as JSON, plain and in gzip; `etag` identifies it in either form."""

    text: str
    compressed: str
    etag: str

    def answer_to(self, event: Event) -> Answer:
        """200 with the document, or 304 when the client has it."""
        headers = event.get("headers") or {}
        caching = {
            "etag": self.etag,
            "cache-control": f"public, max-age={MAX_AGE_SECONDS}",
            "vary": "accept-encoding",
        }
        if self.etag in _tags(headers.get("if-none-match", "")):
            return {"statusCode": 304, "headers": caching, "body": ""}
        answered = {**caching, "content-type": "application/json", "access-control-allow-origin": "*"}
        if "gzip" in headers.get("accept-encoding", "").lower():
            answered["content-encoding"] = "gzip"
            return {"statusCode": 200, "headers": answered, "body": self.compressed, "isBase64Encoded": True}
        return {"statusCode": 200, "headers": answered, "body": self.text}


@cache
def read_document(path: str) -> OpenApiDocument:
    """The document in the file at `path`."""
    content = Path(path).read_bytes()
    return OpenApiDocument(
        text=content.decode(),
        compressed=base64.b64encode(gzip.compress(content, _LEVEL, mtime=0)).decode(),
        etag=f'W/"{sha256(content).hexdigest()[:16]}"',
    )


def _tags(if_none_match: str) -> set[str]:
    return {each.strip() for each in if_none_match.split(",")}
