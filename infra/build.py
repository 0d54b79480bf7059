"""Build the function zips: `python -m infra.build [--json]` writes build/<folder>/ and build/<folder>.zip.

A zip holds the pinned packages, as wheels for Lambda's platform, `functions/shared/` and the function's own
folder. Needs neither AWS nor Docker. Wheels come from uv's cache, or else from the package index.
An unchanged zip is not built again.
"""

import argparse
import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from infra import archive
from infra.topology import FUNCTIONS, PYTHON

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "build"

PLATFORM = "aarch64-manylinux_2_28"
"""Lambda's Amazon Linux 2023 has glibc 2.34; the topology's architecture is arm64."""

FOLDERS = tuple(sorted({function.folder for function in FUNCTIONS}))

MB = 1_000_000


class BuildError(RuntimeError):
    """A zip cannot be built; the message is uv's."""


@dataclass(frozen=True, slots=True)
class Zip:
    """One built zip. `made` is false if it was up to date."""

    name: str
    unpacked_bytes: int
    zip_bytes: int
    sha256: str
    made: bool


def build_all(target: Path = TARGET) -> list[Zip]:
    """Bring every zip below `target` up to date.

    Raises
    ------
    BuildError: a pinned package has no wheel for Lambda's platform, or cannot be downloaded.
    """
    target.mkdir(parents=True, exist_ok=True)
    with (target / ".lock").open("w") as lock, ThreadPoolExecutor() as pool:
        # Tests and a deployment may build at the same time.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return list(pool.map(lambda folder: build(folder, target), FOLDERS))


def build(folder: str, target: Path) -> Zip:
    """Bring one folder's zip up to date; raises as `build_all` does."""
    tree, packed, stamp = target / folder, target / f"{folder}.zip", target / f"{folder}.inputs"
    inputs = _digest(folder)
    made = not (tree.exists() and packed.exists() and stamp.exists() and stamp.read_text() == inputs)
    if made:
        stamp.unlink(missing_ok=True)
        shutil.rmtree(tree, ignore_errors=True)
        install(ROOT / "functions" / folder / "requirements.txt", tree)
        _copy_sources(folder, tree)
        archive.prune(tree)
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
            if file.is_file() and "__pycache__" not in file.parts:
                yield file.relative_to(ROOT)


def _digest(folder: str) -> str:
    """Digest of all inputs of the zip, including this build code."""
    digest = hashlib.sha256(f"{PLATFORM} {PYTHON}".encode())
    recipe = (Path("infra/build.py"), Path("infra/archive.py"))
    for file in (*recipe, *_sources(folder)):
        content = (ROOT / file).read_bytes()
        digest.update(f"\0{file.as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def install(requirements: Path, tree: Path) -> None:
    """Unpack the pinned wheels into `tree`; a wheel for another platform or with another hash is an error."""
    command = [
        sys.executable, "-m", "uv", "pip", "install", "--quiet",
        "--python", sys.executable,
        "--python-platform", PLATFORM,
        "--python-version", PYTHON.removeprefix("python"),
        "--only-binary", ":all:",
        "--require-hashes",
        "--link-mode", "copy",
        "--target", str(tree),
        "--requirement", str(requirements),
    ]  # fmt: skip
    if subprocess.run([*command, "--offline"], capture_output=True, check=False).returncode == 0:
        return
    attempt = subprocess.run(command, capture_output=True, text=True, check=False)
    if attempt.returncode != 0:
        raise BuildError(f"{requirements.parent.name}: {attempt.stderr.strip()}")


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
    arguments = argparse.ArgumentParser(description="Make the function zips.")
    arguments.add_argument("--json", action="store_true", help="print sizes and hashes as JSON")
    zips = build_all()
    if arguments.parse_args().json:
        sys.stdout.write(json.dumps([asdict(each) for each in zips], indent=2) + "\n")
    else:
        sys.stdout.write(_table(zips) + "\n")


if __name__ == "__main__":
    main()
