"""The lock files: requirements with hashes, and npm's. Pure, but for reading them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from audit.findings import Finding

_ENTRY = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)(\[[^\]]*\])?==(?P<version>[^\s;\\]+)")
_SHA256 = re.compile(r"--hash=sha256:([0-9a-f]{64})\b")
_ADDRESS = re.compile(r"https?://|^\s*(-i|--index-url|--extra-index-url|--find-links)\b", re.MULTILINE)


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """One pinned package; `sha256`: the hex digests of its files, any of which may be installed."""

    name: str
    version: str
    sha256: tuple[str, ...]


def packages(lock: Path) -> list[Package]:
    """The packages of a file of requirements, by name."""
    return sorted(
        Package(_normal(match["name"]), match["version"], tuple(sorted(_SHA256.findall(entry))))
        for entry in _entries(lock.read_text())
        if (match := _ENTRY.match(entry))
    )


def lock_findings(root: Path, lock: Path) -> list[Finding]:
    """Entries without one version or without hashes, and addresses of package indexes."""
    text, name = lock.read_text(), lock.relative_to(root).as_posix()
    unpinned = [each for each in _entries(text) if not (_ENTRY.match(each) and _SHA256.search(each))]
    found = [
        Finding("locks", "unpinned", f"{name}:{each.split()[0]}", "no single version with hashes")
        for each in unpinned
    ]
    if _ADDRESS.search(text):
        found.append(Finding("locks", "index-address", name, "names the address of a package index"))
    return found


def npm_findings(root: Path, lock: Path, allowed: frozenset[str]) -> list[Finding]:
    """Entries of package-lock.json without an integrity hash, or with another licence than `allowed`."""
    name = lock.relative_to(root).as_posix()
    found = []
    for path, entry in json.loads(lock.read_text())["packages"].items():
        if not path:
            continue
        if not str(entry.get("integrity", "")).startswith("sha512-"):
            found.append(Finding("locks", "unpinned", f"{name}:{path}", "no SHA-512 hash"))
        if entry.get("license") not in allowed:
            licence = entry.get("license", "no licence")
            found.append(Finding("licences", "not-allowed", f"{name}:{path}", f"{licence} is not allowed"))
    return found


def _entries(text: str) -> Iterator[str]:
    """Each requirement with its hashes in one line; comments and options left out."""
    uncommented = re.sub(r"(^|\s)#.*$", "", text, flags=re.MULTILINE)
    for line in re.sub(r"\\\n", " ", uncommented).splitlines():
        if line.strip() and not line.startswith("-"):
            yield line.strip()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
