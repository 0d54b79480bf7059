"""Lock files have versions and hashes, what ships may ship, and a bill lists what is in a zip."""

import json
import subprocess
from pathlib import Path

import pytest

from audit.__main__ import NPM_LOCKS
from audit.licences import ALLOWED, UNKNOWN, is_allowed, licence_findings, licences
from audit.locks import Package, lock_findings, npm_findings, packages
from audit.sbom import bill_of_materials, write_all
from audit.scanners import TOOLS
from infra import build

LOCKS = sorted(build.ROOT.glob("functions/*/requirements.txt"))

HASH = "0" * 64


def lock(folder: Path, text: str) -> Path:
    file = folder / "requirements.txt"
    file.write_text(text)
    return file


@pytest.mark.parametrize("file", LOCKS, ids=lambda file: file.parent.name)
def test_each_entry_of_a_lock_file_is_a_package_with_hashes(file: Path) -> None:
    pinned = packages(file)

    assert len(pinned) == file.read_text().count("==") - file.read_text().count("; python")
    assert all(each.sha256 for each in pinned)
    assert lock_findings(build.ROOT, file) == []


@pytest.mark.parametrize(
    "text",
    [
        "six==1.17.0\n",
        f"six>=1.17 --hash=sha256:{HASH}\n",
        "six @ git+ssh://example.org/six\n",
        "six==1.17.0 \\\n    --hash=md5:00\n",
    ],
)
def test_an_entry_without_version_or_hash_is_found(tmp_path: Path, text: str) -> None:
    assert [each.rule for each in lock_findings(tmp_path, lock(tmp_path, text))] == ["unpinned"]


@pytest.mark.parametrize("line", ["--index-url https://pypi.example.org/simple", "-i http://x"])
def test_the_address_of_an_index_is_found(tmp_path: Path, line: str) -> None:
    text = f"{line}\nsix==1.17.0 --hash=sha256:{HASH}\n"

    assert [each.rule for each in lock_findings(tmp_path, lock(tmp_path, text))] == ["index-address"]


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("Apache-2.0 OR GPL-3.0-only", True),
        ("GPL-3.0-only OR Apache-2.0", True),
        ("MIT AND AGPL-3.0-or-later", False),
        ("(MIT OR GPL-2.0-only) AND BSD-3-Clause", True),
        ("(MIT AND GPL-2.0-only) OR (LGPL-2.1-only)", False),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-3.0-only WITH Classpath-exception-2.0", False),
        ("LGPL-3.0-only", False),
        (UNKNOWN, False),
        ("", False),
        ("MIT MIT", False),
        ("MIT AND", False),
        ("(MIT", False),
    ],
)
def test_an_expression_is_allowed_if_a_choice_of_allowed_licences_satisfies_it(
    expression: str, *, allowed: bool
) -> None:
    assert is_allowed(expression) is allowed


@pytest.mark.parametrize(
    ("metadata", "expression"),
    [
        ("License-Expression: BSD-3-Clause", "BSD-3-Clause"),
        ("License: Apache License 2.0", "Apache-2.0"),
        ("License: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License", "MIT"),
        (
            "Classifier: License :: OSI Approved :: MIT License\n"
            "Classifier: License :: OSI Approved :: BSD License",
            "MIT AND BSD",
        ),
        (
            "Classifier: License :: OSI Approved\n"
            "Classifier: License :: OSI Approved :: GNU Affero General Public License v3",
            "License :: OSI Approved :: GNU Affero General Public License v3",
        ),
        ("License: 3-Clause BSD License", "BSD-3-Clause"),
        ("Summary: a package without a licence", UNKNOWN),
    ],
)
def test_a_licence_is_read_from_the_metadata_of_the_installed_package(
    tmp_path: Path, metadata: str, expression: str
) -> None:
    folder = tmp_path / "some_package-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: Some.Package\nVersion: 1.0\n{metadata}\n\n"
    )

    assert licences(tmp_path) == {("some-package", "1.0"): expression}


def test_a_package_that_may_not_ship_or_is_not_installed_is_found(tmp_path: Path) -> None:
    file = lock(tmp_path, "".join(f"{name}==1.0 --hash=sha256:{HASH}\n" for name in ("a", "b", "c")))
    installed = {("a", "1.0"): "MIT", ("b", "1.0"): "AGPL-3.0-only", ("c", "2.0"): "MIT"}

    assert [each.path for each in licence_findings(tmp_path, file, installed)] == [
        "requirements.txt:b", "requirements.txt:c",
    ]  # fmt: skip


def test_an_npm_package_needs_a_hash_and_an_allowed_licence(tmp_path: Path) -> None:
    file = tmp_path / "package-lock.json"
    entries = {
        "": {"license": "Apache-2.0"},
        "node_modules/good": {"integrity": "sha512-x", "license": "MIT"},
        "node_modules/unpinned": {"license": "MIT"},
        "node_modules/copyleft": {"integrity": "sha512-x", "license": "GPL-3.0"},
    }
    file.write_text(json.dumps({"packages": entries}))

    assert [(each.rule, each.path) for each in npm_findings(tmp_path, file, ALLOWED)] == [
        ("unpinned", "package-lock.json:node_modules/unpinned"),
        ("not-allowed", "package-lock.json:node_modules/copyleft"),
    ]


@pytest.mark.parametrize("file", LOCKS, ids=lambda file: file.parent.name)
def test_a_bill_lists_every_package_of_the_lock_file_and_nothing_else(file: Path) -> None:
    pinned = packages(file)
    bill = bill_of_materials(file.parent.name, "1.2.3", pinned, {})

    assert [each["purl"] for each in bill["components"]] == [
        f"pkg:pypi/{each.name}@{each.version}" for each in pinned
    ]
    assert bill["dependencies"][0]["dependsOn"] == [each["bom-ref"] for each in bill["components"]]
    assert {each["alg"] for one in bill["components"] for each in one["hashes"]} == {"SHA-256"}


def test_each_zip_has_a_bill_with_the_licences_of_what_is_installed(tmp_path: Path) -> None:
    package = packages(build.ROOT / "functions" / "migrate" / "requirements.txt")[0]
    metadata = tmp_path / "migrate" / "installed.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text(f"Name: {package.name}\nVersion: {package.version}\nLicense-Expression: MIT\n\n")

    files = write_all(tmp_path)

    assert [file.name for file in files] == [f"{folder}.cdx.json" for folder in build.FOLDERS]
    first = json.loads((tmp_path / "migrate.cdx.json").read_text())["components"][0]
    assert (first["name"], first["licenses"]) == (package.name, [{"license": {"id": "MIT"}}])
    before = [file.read_bytes() for file in files]
    assert [file.read_bytes() for file in write_all(tmp_path)] == before


VALIDATE = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(sys.stdin.read())
sys.exit(repr(fault) if fault else 0)
"""


@pytest.mark.parametrize("broken", [False, True])
def test_a_bill_follows_the_schema_of_cyclonedx(*, broken: bool) -> None:
    """The validator is of .venv-audit, which `make test` and `make audit` set up."""
    licences_of_all_forms = ("MIT", "MIT OR Apache-2.0", "BSD AND MIT", UNKNOWN)
    pinned = [Package(f"package-{number}", "1.0", (HASH,)) for number in range(4)]
    found = {(each.name, "1.0"): form for each, form in zip(pinned, licences_of_all_forms, strict=True)}
    bill = bill_of_materials("sync", "1.0", pinned, found)
    if broken:
        bill["components"][0]["hashes"][0]["alg"] = "SHA-0"
    command = [str(TOOLS / "python"), "-c", VALIDATE]

    ran = subprocess.run(command, input=json.dumps(bill), capture_output=True, text=True, check=False)

    assert (ran.returncode == 0) is not broken, ran.stderr


def test_the_same_lock_file_makes_the_same_bill_and_another_makes_another_serial_number() -> None:
    six, other = Package("six", "1.17.0", (HASH,)), Package("six", "1.17.1", (HASH,))
    found = {("six", "1.17.0"): "MIT"}
    bill = bill_of_materials("sync", "1.0", [six], found)

    assert bill == bill_of_materials("sync", "1.0", [six], found)
    assert bill["serialNumber"] != bill_of_materials("sync", "1.0", [other], found)["serialNumber"]
    assert bill["serialNumber"] != bill_of_materials("query", "1.0", [six], found)["serialNumber"]


@pytest.mark.parametrize(
    ("licence", "shown"),
    [
        ("MIT", [{"license": {"id": "MIT"}}]),
        ("Apache-2.0 OR BSD-3-Clause", [{"expression": "Apache-2.0 OR BSD-3-Clause"}]),
        ("BSD OR Apache-2.0", [{"license": {"name": "BSD OR Apache-2.0"}}]),
        ("BSD", [{"license": {"name": "BSD"}}]),
        (UNKNOWN, []),
    ],
)
def test_a_licence_is_an_spdx_id_or_expression_or_a_name(
    licence: str, shown: list[dict[str, object]]
) -> None:
    package = Package("some-package", "1.0", (HASH,))
    bill = bill_of_materials("sync", "1.0", [package], {("some-package", "1.0"): licence})

    assert bill["components"][0]["licenses"] == shown


def test_no_package_of_the_dashboard_asks_for_more_than_notices() -> None:
    lock = build.ROOT / "web" / "package-lock.json"
    assert lock in NPM_LOCKS
    assert npm_findings(build.ROOT, lock, ALLOWED) == []
