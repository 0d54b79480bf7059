"""Write the document where it is served from: `build/openapi.json`."""

import os
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from openapi.declared import documented_routes
from openapi.document import ROOT, document

TARGET = ROOT / "build" / "openapi.json"


def made() -> dict[str, Any]:
    """The document of this version.

    Raises
    ------
    UndocumentedRouteError
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return document(documented_routes(), project["version"])


def write(target: Path = TARGET) -> None:
    """Replace the file atomically: stacks and builds of one clone share it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.encode(made()))
    Path(name).chmod(0o644)
    Path(name).replace(target)
