"""`make deploy`: the first deployment creates the data stack without protection, and then turns it on."""

import os
import subprocess
from pathlib import Path

import pytest

from local.naming import PROJECT_ROOT

ALL = "cdk deploy --all"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for PATH with an `npx` that prints what it would run."""
    npx = tmp_path / "npx"
    npx.write_text('#!/bin/sh\necho "$@"\n')
    npx.chmod(0o755)
    return tmp_path


def deploy(folder: Path, answer: str, *variables: str) -> tuple[int, list[str]]:
    """Exit code and runs of npx; `answer`: the command that stands for `python -m operate`."""
    operate = folder / "operate"
    operate.write_text(f"#!/bin/sh\n{answer}\n")
    operate.chmod(0o755)
    built = ("-o", "build", "-o", "node_modules/.ready")
    ran = subprocess.run(
        ["make", "--no-print-directory", *built, "deploy", f"OPERATE={operate}", *variables],
        cwd=PROJECT_ROOT,
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, [" ".join(line.split()) for line in ran.stdout.splitlines()]


def test_the_first_deployment_has_two_steps(folder: Path) -> None:
    first = "cdk deploy AstraLogData -c deletion_protection=false"

    assert deploy(folder, "echo no") == (0, [first, ALL])


def test_a_stage_and_options_are_passed_to_both(folder: Path) -> None:
    given = "-c stage=test -c alarm_email=ops@example.org"
    ran = deploy(folder, "echo no", "STAGE=test", "CDK=-c alarm_email=ops@example.org")

    assert ran == (
        0,
        [f"cdk deploy AstraLog-test-Data {given} -c deletion_protection=false", f"{ALL} {given}"],
    )


def test_an_upgrade_never_turns_protection_off(folder: Path) -> None:
    assert deploy(folder, "echo yes") == (0, [ALL])


def test_nothing_is_deployed_while_it_is_unknown_whether_the_stack_exists(folder: Path) -> None:
    code, ran = deploy(folder, "echo 'AWS rejected the call: Throttling' >&2; exit 1")

    assert (code != 0, ran) == (True, [])
