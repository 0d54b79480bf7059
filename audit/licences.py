"""Licences of installed packages, from their metadata, and whether they may ship."""

import re
from collections.abc import Iterator, Mapping
from email.parser import HeaderParser
from pathlib import Path

from audit.findings import Finding
from audit.locks import Package, packages

ALLOWED = frozenset(
    {
        "0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0",
        "PSF-2.0", "Unlicense",
    }
)  # fmt: skip
"""SPDX ids that ask for notices at most. MPL-2.0 asks for the source of changed files; we change none.

`BSD`: a package that names the family and not the variant.
"""

SPELLINGS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache License 2.0": "Apache-2.0",
    "OSI Approved :: Apache Software License": "Apache-2.0",
    "OSI Approved :: BSD License": "BSD",
    "OSI Approved :: MIT License": "MIT",
    "OSI Approved :: MIT No Attribution License (MIT-0)": "MIT-0",
    "OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""Names in use before SPDX ids."""

UNKNOWN = "unknown"

_TOKEN = re.compile(r"[()]|[^\s()]+")


def licences(tree: Path) -> dict[tuple[str, str], str]:
    """(package, version) -> SPDX expression, of all packages installed in `tree`; `UNKNOWN` for none."""
    found = {}
    for metadata in sorted(tree.glob("*.dist-info/METADATA")):
        fields = HeaderParser().parsestr(metadata.read_text(errors="replace"))
        name = re.sub(r"[-_.]+", "-", fields["Name"]).lower()
        found[name, fields["Version"]] = _expression(
            fields["License-Expression"] or "", fields["License"] or "", fields.get_all("Classifier", [])
        )
    return found


def licence_findings(root: Path, lock: Path, found: Mapping[tuple[str, str], str]) -> list[Finding]:
    """Packages of a zip whose licence is not allowed, unknown, or not found because it is not installed."""
    name = lock.relative_to(root).as_posix()
    return [
        Finding("licences", "not-allowed", f"{name}:{each.name}", f"{licence} is not allowed")
        for each in packages(lock)
        if not is_allowed(licence := licence_of(each, found))
    ]


def licence_of(package: Package, found: Mapping[tuple[str, str], str]) -> str:
    """The package's SPDX expression."""
    return found.get((package.name, package.version), UNKNOWN)


def is_allowed(expression: str) -> bool:
    """Whether the SPDX expression leaves a choice of allowed licences. An exception (WITH) adds rights."""
    tokens = _TOKEN.findall(expression)
    try:
        allowed = _any_of(tokens)
    except IndexError:
        return False
    return allowed and not tokens


def _any_of(tokens: list[str]) -> bool:
    allowed = _all_of(tokens)
    while tokens and tokens[0] == "OR":
        tokens.pop(0)
        allowed = _all_of(tokens) or allowed
    return allowed


def _all_of(tokens: list[str]) -> bool:
    allowed = _one(tokens)
    while tokens and tokens[0] == "AND":
        tokens.pop(0)
        allowed = _one(tokens) and allowed
    return allowed


def _one(tokens: list[str]) -> bool:
    licence = tokens.pop(0)
    if licence == "(":
        allowed = _any_of(tokens)
        tokens.pop(0)
        return allowed
    if tokens and tokens[0] == "WITH":
        del tokens[:2]
    return licence in ALLOWED


def _expression(spdx: str, text: str, classifiers: list[str]) -> str:
    """The expression if there is one, else the classifiers, else the short free text.

    Classifiers do not say whether all of them apply or any: all must be allowed.
    """
    if spdx:
        return spdx
    named = list(_classified(classifiers))
    if named:
        return " AND ".join(named)
    return SPELLINGS.get(text, text) if text and "\n" not in text else UNKNOWN


def _classified(classifiers: list[str]) -> Iterator[str]:
    for each in classifiers:
        if each.startswith("License :: ") and each != "License :: OSI Approved":
            yield SPELLINGS.get(each.removeprefix("License :: "), each)
