"""The dashboard as CloudFront serves it: the built files of `web/dist`, and the page for other addresses."""

import mimetypes
from pathlib import Path

from aiohttp import web

from infra.topology.page import ASSET_CACHE, ASSETS, PAGE_CACHE, PAGE_HEADERS
from local.naming import PROJECT_ROOT

BUILT = PROJECT_ROOT / "web" / "dist"
ENTRY = "index.html"


class WebPage:
    """The files below `folder`, which `make web` builds; none of them when it is not built."""

    def __init__(self, folder: Path = BUILT) -> None:
        self._folder = folder.resolve()

    @property
    def is_built(self) -> bool:
        return (self._folder / ENTRY).is_file()

    def response_to(self, request: web.Request) -> web.StreamResponse | None:
        """The file, or the page for a browser that opens an address; None for requests to the API."""
        if request.method not in ("GET", "HEAD") or not self.is_built:
            return None
        name = request.path.lstrip("/")
        if self._is_file(name):
            return _file(self._folder / name, ASSET_CACHE if name.startswith(ASSETS) else PAGE_CACHE)
        if is_navigation(request):
            return _file(self._folder / ENTRY, PAGE_CACHE)
        return None

    def _is_file(self, name: str) -> bool:
        path = (self._folder / name).resolve()
        return path.is_relative_to(self._folder) and path.is_file()


def is_navigation(request: web.Request) -> bool:
    """Whether a browser opens an address outside the API; log clients ask for `/`, too, but for no HTML."""
    return "text/html" in request.headers.get("accept", "") and not request.path.startswith("/v1/")


def _file(path: Path, cache: str) -> web.StreamResponse:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    headers = {**PAGE_HEADERS, "cache-control": cache, "content-type": kind}
    return web.FileResponse(path, headers=headers)
