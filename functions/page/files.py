"""The built files of the dashboard, read and compressed once for each execution environment.

A request names a file of this table or none: no path from outside reaches the file system.
"""

import base64
import gzip
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from functions.page.headers import ASSET_CACHE, PAGE_CACHE, PAGE_HEADERS
from functions.shared.http import Answer

ASSETS = "assets/"
"""The folder of files whose names have a hash of their content."""

ENTRY = "index.html"
"""The file that every page begins with."""

TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
"""Media types that do not depend on the machine's table."""

_LEVEL = 9


@dataclass(frozen=True)
class PageFile:
    """One file. `name`: its path in the folder of files."""

    name: str
    content: bytes = field(repr=False)

    def answer_to(self, headers: Mapping[str, str], policy: str) -> Answer:
        """200 with the file, in gzip for a browser that accepts it; 304 when the browser has it.

        `policy`: the content security policy.
        """
        answered = {
            **PAGE_HEADERS,
            "content-security-policy": policy,
            "cache-control": ASSET_CACHE if self.name.startswith(ASSETS) else PAGE_CACHE,
            "etag": self._etag,
            "vary": "accept-encoding",
        }
        if self._etag in headers.get("if-none-match", ""):
            return {"statusCode": 304, "headers": answered, "body": ""}
        answered["content-type"] = self._media_type
        body = self._plain
        if "gzip" in headers.get("accept-encoding", "").lower():
            answered["content-encoding"], body = "gzip", self._compressed
        return {"statusCode": 200, "headers": answered, "body": body, "isBase64Encoded": True}

    @cached_property
    def _etag(self) -> str:
        return f'W/"{sha256(self.content).hexdigest()[:16]}"'

    @cached_property
    def _media_type(self) -> str:
        guessed = mimetypes.guess_type(self.name)[0] or "application/octet-stream"
        return TYPES.get(Path(self.name).suffix, guessed)

    @cached_property
    def _plain(self) -> str:
        return base64.b64encode(self.content).decode()

    @cached_property
    def _compressed(self) -> str:
        return base64.b64encode(gzip.compress(self.content, _LEVEL, mtime=0)).decode()


def read_files(folder: Path) -> dict[str, PageFile]:
    """Name -> file, of all files below `folder`; empty when the dashboard is not built."""
    files = (each for each in sorted(folder.rglob("*")) if each.is_file())
    names = {each.relative_to(folder).as_posix(): each for each in files}
    return {name: PageFile(name, file.read_bytes()) for name, file in names.items()}
