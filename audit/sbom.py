"""The bill of materials of each zip: `python -m audit.sbom` writes build/<folder>.cdx.json (CycloneDX 1.6).

Made from the lock file and the licences of the installed packages. It names no time and no machine, so the
same lock file makes the same bytes.
"""

import json
import re
import sys
import tomllib
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audit.licences import ALLOWED, UNKNOWN, licence_of, licences
from audit.locks import Package, packages
from infra import build

SPDX = ALLOWED - {"BSD"}

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "astralog.cloud")


def write_all(target: Path = build.TARGET) -> list[Path]:
    """Write one bill beside each zip that `infra.build` has built below `target`."""
    version = tomllib.loads((build.ROOT / "pyproject.toml").read_text())["project"]["version"]
    return [_write(folder, target, version) for folder in build.FOLDERS]


def _write(folder: str, target: Path, version: str) -> Path:
    lock = build.ROOT / "functions" / folder / "requirements.txt"
    bill = bill_of_materials(folder, version, packages(lock), licences(target / folder))
    file = target / f"{folder}.cdx.json"
    file.write_text(json.dumps(bill, indent=2, sort_keys=True) + "\n")
    return file


def bill_of_materials(
    folder: str, version: str, pinned: list[Package], found: Mapping[tuple[str, str], str]
) -> dict[str, Any]:
    """The bill of one zip as CycloneDX JSON. `found`: (package, version) -> SPDX expression."""
    components = [_component(each, licence_of(each, found)) for each in pinned]
    root = f"astralog-{folder}@{version}"
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": f"astralog-{folder}",
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": components,
        "dependencies": [{"ref": root, "dependsOn": [each["bom-ref"] for each in components]}],
    }
    return {**bill, "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, json.dumps(bill, sort_keys=True))}"}


def _component(package: Package, licence: str) -> dict[str, Any]:
    """`hashes`: of all files of this version, for any platform; the installer accepts any of them."""
    url = f"pkg:pypi/{package.name}@{package.version}"
    return {
        "type": "library",
        "bom-ref": url,
        "purl": url,
        "name": package.name,
        "version": package.version,
        "hashes": [{"alg": "SHA-256", "content": each} for each in package.sha256],
        "licenses": _licences(licence),
    }


def _licences(licence: str) -> list[dict[str, Any]]:
    """An SPDX id, an SPDX expression, or a name, if SPDX does not have all of it."""
    if licence == UNKNOWN:
        return []
    if licence in SPDX:
        return [{"license": {"id": licence}}]
    if set(re.findall(r"[^\s()]+", licence)) <= SPDX | {"AND", "OR"}:
        return [{"expression": licence}]
    return [{"license": {"name": licence}}]


def main() -> None:
    for file in write_all():
        sys.stdout.write(f"{file.relative_to(build.ROOT)}\n")


if __name__ == "__main__":
    main()
