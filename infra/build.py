"""Build the function zips: `python -m infra.build [--json]` writes build/<folder>/ and build/<folder>.zip.

A zip holds the pinned packages, as wheels for Lambda's platform, `functions/shared/` and the function's own
folder, without `openapi.py` or `openapi/`: they declare routes for the OpenAPI document, which the zip of the
function that serves it has. The dashboard's zip has the files that `make web` builds. Needs neither AWS nor
Docker. Wheels come from uv's cache, or else from the package index.
An unchanged zip is not built again. With a Python of Lambda's version on this machine, all modules are
compiled (infra.bytecode); without one, the zips work, but start slowly.

With `--architecture` or `--python` the zips are for another platform, in a folder of their own:
build/<architecture>-<Python version>/.
"""

import argparse
import fcntl
import functools
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from infra import archive, bytecode
from infra.topology import (
    ARCHITECTURE,
    FUNCTIONS,
    OPENAPI_PATH,
    PAGE_FILES,
    PYTHON,
    UNKNOWN_ROUTES,
    function,
)

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "build"

FOLDERS = tuple(sorted({function.folder for function in FUNCTIONS}))

SERVES_OPENAPI = function(UNKNOWN_ROUTES).folder
SERVES_DASHBOARD = function("page").folder
DASHBOARD = ROOT / "web" / "dist"
DECLARATIONS = frozenset({"openapi", "openapi.py"})
"""A module or a package."""

MB = 1_000_000


class BuildError(RuntimeError):
    """A zip cannot be built; the message is uv's."""


MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
"""Lambda's name of an architecture -> its name in the tags of wheels."""


@dataclass(frozen=True, slots=True)
class Platform:
    """Where the zips run: Lambda's name of the architecture, and the Python version, such as `3.13`."""

    architecture: str
    python: str

    @property
    def wheels(self) -> str:
        """The platform in uv's terms. Lambda's Amazon Linux 2023 has glibc 2.34."""
        return f"{MACHINES[self.architecture]}-manylinux_2_28"

    @property
    def folder(self) -> Path:
        """Where its zips are built: `build/`, or for all but Lambda's own a folder in it."""
        return TARGET if self == LAMBDA else TARGET / f"{self.architecture}-{self.python}"


LAMBDA = Platform(ARCHITECTURE, PYTHON.removeprefix("python"))
"""The platform of the deployed functions."""


@dataclass(frozen=True, slots=True)
class Zip:
    """One built zip. `made` is false if it was up to date."""

    name: str
    unpacked_bytes: int
    zip_bytes: int
    sha256: str
    made: bool


def build_all(target: Path | None = None, platform: Platform = LAMBDA) -> list[Zip]:
    """Bring every zip below `target` up to date; by default the folder of the platform.

    Raises
    ------
    BuildError: a pinned package has no wheel for the platform, or cannot be downloaded; a route has no
        declaration; or the dashboard is not built.
    """
    target = target or platform.folder
    target.mkdir(parents=True, exist_ok=True)
    with (target / ".lock").open("w") as lock, ThreadPoolExecutor() as pool:
        # Tests and a deployment may build at the same time.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return list(pool.map(lambda folder: build(folder, target, platform), FOLDERS))


def build(folder: str, target: Path, platform: Platform = LAMBDA) -> Zip:
    """Bring one folder's zip up to date; raises as `build_all` does."""
    tree, packed, stamp = target / folder, target / f"{folder}.zip", target / f"{folder}.inputs"
    inputs = _digest(folder, platform)
    made = not (tree.exists() and packed.exists() and stamp.exists() and stamp.read_text() == inputs)
    if made:
        stamp.unlink(missing_ok=True)
        shutil.rmtree(tree, ignore_errors=True)
        install(ROOT / "functions" / folder / "requirements.txt", tree, platform)
        _copy_sources(folder, tree)
        if folder == SERVES_OPENAPI:
            (tree / OPENAPI_PATH).write_bytes(_openapi_document())
        if folder == SERVES_DASHBOARD:
            _copy_dashboard(tree / PAGE_FILES)
        archive.prune(tree)
        if compiler := bytecode.interpreter(platform.python):
            bytecode.compile_tree(tree, compiler)
        archive.write_zip(tree, packed)
        stamp.write_text(inputs)
    sha256 = hashlib.sha256(packed.read_bytes()).hexdigest()
    return Zip(folder, archive.unpacked_bytes(tree), packed.stat().st_size, sha256, made)


def _sources(folder: str) -> Iterator[Path]:
    """The source files of a zip, relative to the root."""
    functions = ROOT / "functions"
    yield Path("functions/__init__.py")
    for part in (functions / "shared", functions / folder):
        for file in sorted(part.rglob("*")):
            path = file.relative_to(ROOT)
            if file.is_file() and "__pycache__" not in path.parts and not DECLARATIONS & set(path.parts):
                yield path


def _digest(folder: str, platform: Platform) -> str:
    """Digest of all inputs of the zip, including this build code."""
    compiler = bytecode.interpreter(platform.python)
    compiled = bytecode.version(compiler) if compiler else ""
    digest = hashlib.sha256(f"{platform.wheels} {platform.python} {compiled}".encode())
    recipe = (Path("infra/build.py"), Path("infra/archive.py"), Path("infra/bytecode.py"))
    for file in (*recipe, *_sources(folder)):
        content = (ROOT / file).read_bytes()
        digest.update(f"\0{file.as_posix()}\0{len(content)}\0".encode() + content)
    if folder == SERVES_OPENAPI:
        digest.update(b"\0" + _openapi_document())
    if folder == SERVES_DASHBOARD:
        for file in _dashboard():
            digest.update(f"\0{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()


@functools.cache
def _openapi_document() -> bytes:
    """The OpenAPI document. Another process makes it: this package describes functions and imports none."""
    made = subprocess.run(
        [sys.executable, "-m", "openapi"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        raise BuildError(f"openapi: {made.stderr.strip()}")
    return (TARGET / "openapi.json").read_bytes()


def _dashboard() -> list[Path]:
    """The built files of the dashboard."""
    files = sorted(file for file in DASHBOARD.rglob("*") if file.is_file())
    if not files:
        raise BuildError("page: the dashboard is not built; `make web` builds it (it needs Node.js)")
    return files


def _copy_dashboard(target: Path) -> None:
    for file in _dashboard():
        copied = target / file.relative_to(DASHBOARD)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copied)


def install(requirements: Path, tree: Path, platform: Platform = LAMBDA) -> None:
    """Unpack the pinned wheels into `tree`; a wheel for another platform or with another hash is an error."""
    command = [
        sys.executable, "-m", "uv", "pip", "install", "--quiet",
        "--python", sys.executable,
        "--python-platform", platform.wheels,
        "--python-version", platform.python,
        "--only-binary", ":all:",
        "--require-hashes",
        "--link-mode", "copy",
        "--target", str(tree),
        "--requirement", str(requirements),
    ]  # fmt: skip
    if platform.python != LAMBDA.python:
        command += ["--constraint", str(_more_pins(requirements, tree))]
    if subprocess.run([*command, "--offline"], capture_output=True, check=False).returncode == 0:
        return
    attempt = subprocess.run(command, capture_output=True, text=True, check=False)
    if attempt.returncode != 0:
        raise BuildError(f"{requirements.parent.name}: {attempt.stderr.strip()}")


def _more_pins(requirements: Path, tree: Path) -> Path:
    """A file with the project's pins of packages that are not in `requirements`.

    `requirements` is compiled for Lambda's Python; an older one needs a few packages more.
    """
    names = set(_pins(requirements))
    lines = [
        line for name, pin in _pins(ROOT / "requirements.txt").items() if name not in names for line in pin
    ]
    more = tree.with_suffix(".constraints")
    more.write_text("\n".join(lines) + "\n")
    return more


def _pins(requirements: Path) -> dict[str, list[str]]:
    """Package -> the lines of its pin, in a compiled file."""
    pins: dict[str, list[str]] = {}
    name = ""
    for line in requirements.read_text().splitlines():
        name = line.partition("==")[0] if line[:1].isalnum() else name
        pins.setdefault(name, []).append(line)
    return pins


def _copy_sources(folder: str, tree: Path) -> None:
    for file in _sources(folder):
        if file.name != "requirements.txt":
            (tree / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / file, tree / file)


def _table(zips: list[Zip]) -> str:
    rows = [f"{'function':<12}{'unpacked MB':>12}{'zip MB':>8}  "]
    for each in zips:
        state = "made" if each.made else "unchanged"
        rows.append(f"{each.name:<12}{each.unpacked_bytes / MB:>12.1f}{each.zip_bytes / MB:>8.1f}  {state}")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the function zips.")
    parser.add_argument("--json", action="store_true", help="print sizes and hashes as JSON")
    parser.add_argument("--architecture", choices=sorted(MACHINES), default=LAMBDA.architecture)
    parser.add_argument("--python", default=LAMBDA.python, help="the Python version (default: %(default)s)")
    arguments = parser.parse_args()
    platform = Platform(arguments.architecture, arguments.python)
    if bytecode.interpreter(platform.python) is None:
        sys.stderr.write(
            f"No Python {platform.python} on this machine: modules are not compiled, and functions start in "
            f"two to three times the time. 'uv python install {platform.python}' installs it.\n"
        )
    zips = build_all(platform=platform)
    if arguments.json:
        sys.stdout.write(json.dumps([asdict(each) for each in zips], indent=2) + "\n")
    else:
        sys.stdout.write(_table(zips) + "\n")


if __name__ == "__main__":
    main()
