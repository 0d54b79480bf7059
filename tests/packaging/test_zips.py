"""Each zip has all that its functions import, what its requirements pin, and nothing else; it stays small."""

import json
import re
import sys
import tarfile
import zipfile
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from infra import build, bytecode
from infra.archive import write_zip
from infra.topology import FUNCTIONS, OPENAPI_PATH, PAGE_FILES, UNKNOWN_ROUTES, Function, function
from openapi.build import made
from tests.packaging.imports import reached, resolves

MB = 1_000_000

LAMBDAS_LIMIT_BYTES = 250 * MB
UNPACKED_LIMIT_BYTES = {"ingest": 48 * MB}
"""Ingest carries the packages of BYOC credentials and of protocols, and loads them when they are needed."""

PURE = {"notices", "page"}
"""Folders whose packages are Python alone."""

AARCH64 = 183
"""The number of the machine in a header of ELF."""

Zips = dict[str, build.Zip]
Trees = dict[str, Path]

every_function = pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)
every_folder = pytest.mark.parametrize("folder", build.FOLDERS)


@every_folder
def test_a_zip_unpacks_to_less_than_its_limit(built: Zips, trees: Trees, folder: str) -> None:
    """Compiled modules count for Lambda's limit alone: a machine without Lambda's Python makes none."""
    compiled = sum(each.stat().st_size for each in trees[folder].rglob("*.pyc"))

    assert built[folder].unpacked_bytes <= LAMBDAS_LIMIT_BYTES
    assert built[folder].unpacked_bytes - compiled <= UNPACKED_LIMIT_BYTES.get(folder, LAMBDAS_LIMIT_BYTES)


@every_folder
def test_each_module_of_a_zip_is_compiled_if_this_machine_has_lambdas_python(
    trees: Trees, folder: str
) -> None:
    tree = trees[folder]
    compiled = {each.parent.parent / f"{each.name.partition('.')[0]}.py" for each in tree.rglob("*.pyc")}
    modules = set(tree.rglob("*.py"))

    assert compiled == (modules if bytecode.interpreter(build.LAMBDA.python) else set())


@every_function
def test_everything_a_handler_reaches_is_in_its_zip(trees: Trees, spec: Function) -> None:
    tree = trees[spec.folder]
    ours, foreign = _reached(spec)
    packages = {name for name in foreign if name.split(".")[0] not in sys.stdlib_module_names}

    assert [name for name in sorted(ours) if not resolves(tree, name)] == []
    assert [name for name in sorted(packages) if not resolves(tree, name)] == []


@every_folder
def test_every_service_that_is_called_is_described_in_the_zip(trees: Trees, folder: str) -> None:
    described = {each.name for each in (trees[folder] / "botocore" / "data").glob("*/")}
    sources = "".join(each.read_text() for each in (trees[folder] / "functions").rglob("*.py"))
    called = set(re.findall(r"""\bclient\(\s*"([\w-]+)\"""", sources))

    assert not described or called <= described


@every_folder
def test_a_zip_holds_no_function_but_its_own(trees: Trees, folder: str) -> None:
    parts = {each.name for each in (trees[folder] / "functions").iterdir() if each.is_dir()}

    assert parts == {"shared", folder}


@every_folder
def test_a_zip_holds_exactly_the_packages_that_are_pinned(trees: Trees, folder: str) -> None:
    text = (build.ROOT / "functions" / folder / "requirements.txt").read_text()
    pinned = {_normal(name): version for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.M)}
    installed = dict(_name_and_version(each) for each in trees[folder].glob("*.dist-info"))

    assert pinned
    assert installed == pinned


@every_folder
def test_compiled_modules_are_for_lambdas_machine(trees: Trees, folder: str) -> None:
    """Modules by their names, and these and the libraries beside them by what they are."""
    compiled = [each for each in trees[folder].rglob("*.so*") if each.is_file()]
    modules = [each.name for each in compiled if not each.name.startswith("lib")]

    assert compiled or folder in PURE
    assert [name for name in modules if not re.search(r"(cpython-313-aarch64|abi3)", name)] == []
    assert [each.name for each in compiled if _machine(each) != AARCH64] == []


@every_folder
def test_a_zip_is_its_tree_and_carries_no_ballast(trees: Trees, folder: str) -> None:
    tree = trees[folder]
    with zipfile.ZipFile(build.TARGET / f"{folder}.zip") as archive:
        names = archive.namelist()

    assert names == sorted(each.relative_to(tree).as_posix() for each in tree.rglob("*") if each.is_file())
    ballast = re.compile(r"\.pyi$|\.dist-info/RECORD$|^bin/|^[^/]+/tests?/|requirements\.txt$")
    assert [name for name in names if ballast.search(name)] == []


def test_the_zip_of_the_function_that_serves_the_openapi_document_has_it(trees: Trees) -> None:
    having = [folder for folder in build.FOLDERS if (trees[folder] / OPENAPI_PATH).exists()]

    assert having == [function(UNKNOWN_ROUTES).folder]
    packed = json.loads((trees[having[0]] / OPENAPI_PATH).read_bytes())
    assert _lines(packed) == _lines(made())


def test_the_zip_of_the_function_that_serves_the_dashboard_has_its_built_files(trees: Trees) -> None:
    having = [folder for folder in build.FOLDERS if (trees[folder] / PAGE_FILES).exists()]
    packed = {each.name: each.read_bytes() for each in (trees["page"] / PAGE_FILES).rglob("*.*")}

    assert having == ["page"]
    assert packed == {each.name: each.read_bytes() for each in build.DASHBOARD.rglob("*.*")}


@every_folder
def test_a_zip_has_no_declarations_of_routes(trees: Trees, folder: str) -> None:
    declarations = (trees[folder] / "functions").rglob("openapi*")
    assert [each.name for each in declarations if each.name in ("openapi", "openapi.py")] == []


def test_a_zip_built_twice_has_the_same_bytes(built: Zips, tmp_path: Path) -> None:
    again = build.build("ingest", tmp_path)

    assert again.made
    assert again.sha256 == built["ingest"].sha256


def test_two_zips_with_files_in_common_are_those_that_zipfile_would_write(tmp_path: Path) -> None:
    """What they have in common is deflated once."""
    library = b"def answer():\n    return 42\n" * 1000
    trees = {
        "one": {"library.py": library, "empty.py": b"", "copy.py": library},
        "two": {"library.py": library, "own/own.py": b"own = 1\n"},
    }
    for name, files in trees.items():
        for path, content in files.items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_bytes(content)
        write_zip(tmp_path / name, tmp_path / f"{name}.zip")

    for name, files in trees.items():
        expected = BytesIO()
        with zipfile.ZipFile(expected, "w") as plain:
            for path in sorted(files):
                entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
                entry.create_system, entry.external_attr = 3, 0o644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                plain.writestr(entry, files[path])
        assert (tmp_path / f"{name}.zip").read_bytes() == expected.getvalue()


def test_a_zip_whose_inputs_are_unchanged_is_not_made_again(built: Zips) -> None:
    assert {each.name: each.sha256 for each in build.build_all() if not each.made} == {
        each.name: each.sha256 for each in built.values()
    }


def test_a_package_that_would_have_to_be_compiled_stops_the_build(tmp_path: Path) -> None:
    archive = tmp_path / "wheelless-1.tar.gz"
    project = b'[project]\nname = "wheelless"\nversion = "1"\n'
    with tarfile.open(archive, "w:gz") as packed:
        described = tarfile.TarInfo("wheelless-1/pyproject.toml")
        described.size = len(project)
        packed.addfile(described, BytesIO(project))
    requirement = _required("wheelless", archive, sha256(archive.read_bytes()).hexdigest())

    with pytest.raises(build.BuildError, match="wheelless"):
        build.install(requirement, tmp_path / "tree")


@pytest.mark.parametrize("pinned", [True, False])
def test_a_wheel_is_unpacked_if_it_has_the_hash_that_is_pinned_and_no_other(
    tmp_path: Path, pinned: bool
) -> None:
    wheel = _wheel(tmp_path)
    digest = sha256(wheel.read_bytes() if pinned else b"another").hexdigest()
    requirement = _required("small", wheel, digest)

    if pinned:
        build.install(requirement, tmp_path / "tree")
        assert (tmp_path / "tree" / "small.py").exists()
    else:
        with pytest.raises(build.BuildError, match=r"(?i)hash mismatch"):
            build.install(requirement, tmp_path / "tree")
        assert not (tmp_path / "tree" / "small.py").exists()


def test_a_requirement_without_a_hash_stops_the_build(tmp_path: Path) -> None:
    requirement = _required("small", _wheel(tmp_path), None)

    with pytest.raises(build.BuildError, match="hash"):
        build.install(requirement, tmp_path / "tree")


def _required(name: str, package: Path, digest: str | None) -> Path:
    """A file of requirements that asks for `package` alone."""
    file = package.with_name("requirements.txt")
    file.write_text(f"{name} @ {package.as_uri()}" + (f" --hash=sha256:{digest}" if digest else "") + "\n")
    return file


def _wheel(folder: Path) -> Path:
    """A wheel of one empty module."""
    about = "small-1.dist-info"
    files = {
        "small.py": "",
        f"{about}/METADATA": "Metadata-Version: 2.1\nName: small\nVersion: 1\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/RECORD": f"small.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n{about}/RECORD,,\n",
    }
    wheel = folder / "small-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as packed:
        for name, text in files.items():
            packed.writestr(name, text)
    return wheel


def _name_and_version(dist_info: Path) -> tuple[str, str]:
    name, _, version = dist_info.name.removesuffix(".dist-info").partition("-")
    return _normal(name), version


def _machine(library: Path) -> int:
    with library.open("rb") as file:
        return int.from_bytes(file.read(20)[18:20], "little")


def _reached(spec: Function) -> tuple[set[str], set[str]]:
    """All that the handler reaches, and the protocols of its routes, which it imports by name."""
    protocols = {name for route in spec.routes for name in route.protocols}
    modules = [spec.handler.rpartition(".")[0], *(f"functions.ingest.protocols.{name}" for name in protocols)]
    ours, foreign = zip(*(reached(build.ROOT, module) for module in modules), strict=True)
    return set().union(*ours), set().union(*foreign)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _lines(document: dict[str, Any]) -> list[str]:
    """Of which a failure shows the first that differs."""
    return json.dumps(document, indent=1, sort_keys=True).splitlines()
