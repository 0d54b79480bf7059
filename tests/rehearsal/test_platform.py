"""Zips for another platform than Lambda's."""

import sys
from pathlib import Path

from infra import build, topology
from infra.build import LAMBDA, Platform
from rehearsal.deployment import MACHINES


def test_zips_for_lambda_stay_where_they_are_and_others_have_a_folder() -> None:
    assert Platform(topology.ARCHITECTURE, topology.PYTHON.removeprefix("python")) == LAMBDA
    assert LAMBDA.folder == build.TARGET
    assert LAMBDA.wheels == "aarch64-manylinux_2_28"
    other = Platform("x86_64", "3.11")
    assert other.folder == build.TARGET / "x86_64-3.11"
    assert other.wheels == "x86_64-manylinux_2_28"


def test_each_name_of_this_machine_is_an_architecture_of_lambda() -> None:
    assert set(MACHINES.values()) == set(build.MACHINES)


def test_another_python_gets_packages_that_lambdas_does_not_need_with_our_pins(tmp_path: Path) -> None:
    """backports, typing-extensions: an older Python needs them. They are resolved by our own lock file."""
    requirement = tmp_path / "requirements.txt"
    lock = build.ROOT / "functions" / "accounts" / "requirements.txt"
    requirement.write_text(lock.read_text())
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    build.install(requirement, tmp_path / "tree", Platform("x86_64", version))
    pinned = (tmp_path / "tree.constraints").read_text()
    assert "--hash=sha256:" in pinned
    assert "\nboto3==" not in f"\n{pinned}", "the function's own pin counts"
    assert (tmp_path / "tree" / "boto3").is_dir()
