"""The dashboard: its page and its files.

Trigger: API Gateway, without a key: the paths of the dashboard's pages, and of its files.
Promise: every path of a page returns the same HTML, whose script shows that page; a file whose name has a
hash of its content may be cached for ever. All have the headers of functions/page/headers.py. The function
reads nothing but the files in its zip, has no permission, and does not look at cookies or bodies.
On failure: 404 `not_found` for a file that this version does not have, or when the dashboard is not built.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from functions.page.bucket_origin import bucket_origin
from functions.page.files import ENTRY, PageFile, read_files
from functions.page.headers import content_security_policy
from functions.shared.errors import HttpError
from functions.shared.http import Answer, Event, answering
from functions.shared.powertools import instrumented
from functions.shared.settings import load


@dataclass(frozen=True, slots=True)
class Settings:
    """`page_files`: the folder of the built files, relative to the working directory.

    `drop_bucket`: the bucket into which the page puts files, by presigned URLs.
    """

    page_files: str
    drop_bucket: str


@cache
def _files() -> dict[str, PageFile]:
    return read_files(Path(load(Settings).page_files))


@cache
def _policy() -> str:
    return content_security_policy(bucket_origin(load(Settings).drop_bucket))


@instrumented
@answering
def handler(event: Event) -> Answer:
    """Handle one request; see the module's docstring."""
    file = _files().get(_name_of(event))
    if file is None:
        raise HttpError(404, "not_found", "There is no such file in this version: load the page again.")
    return file.answer_to(event.get("headers") or {}, _policy())


def _name_of(event: Event) -> str:
    """The file of a request: its own path, if there is such a file, and else the page's."""
    path = str(event.get("rawPath", "/")).lstrip("/")
    is_page = path not in _files() and not event["routeKey"].endswith("{file}")
    return ENTRY if is_page else path
