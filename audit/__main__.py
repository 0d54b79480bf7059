"""`python -m audit [--json]`: exits 1 for a finding without a reason, or a reason without a finding."""

import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from audit import sbom
from audit.assembly import Assembly
from audit.choices import CHOSEN
from audit.findings import Acceptance, Finding, judge
from audit.licences import ALLOWED, licence_findings, licences
from audit.locks import lock_findings, npm_findings, packages
from audit.report import as_json, as_text
from audit.scanners import scan
from infra import build

AUDIT_LOCK = build.ROOT / "audit" / "requirements.txt"
NPM_LOCKS = (build.ROOT / "package-lock.json", build.ROOT / "web" / "package-lock.json")


def audit_templates(folder: Path) -> tuple[list[Finding], list[Acceptance]]:
    """Synthesize each set of choices below `folder` and let all three tools read it."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        assemblies = list(pool.map(lambda name: _synthesize(folder / name, name), CHOSEN))
        scanned = list(pool.map(scan, assemblies))
    findings = [each for found in scanned for each in found]
    findings += [each for assembly in assemblies for each in assembly.nag_findings()]
    return findings, [each for assembly in assemblies for each in assembly.acceptances()]


def audit_packages() -> tuple[list[Finding], int]:
    """Check lock files and licences, and write the bills; returns the number of shipped packages, too."""
    build.build_all()
    shipped = {each: build.ROOT / "functions" / each / "requirements.txt" for each in build.FOLDERS}
    findings = []
    for lock in (*shipped.values(), build.ROOT / "requirements.txt", AUDIT_LOCK):
        findings += lock_findings(build.ROOT, lock)
    for folder, lock in shipped.items():
        findings += licence_findings(build.ROOT, lock, licences(build.TARGET / folder))
    for lock in NPM_LOCKS:
        findings += npm_findings(build.ROOT, lock, ALLOWED)
    sbom.write_all()
    return findings, len({each for lock in shipped.values() for each in packages(lock)})


def _synthesize(folder: Path, name: str) -> Assembly:
    context = [f"{key}={value}" for key, value in CHOSEN[name].items()]
    ran = subprocess.run(
        [sys.executable, "-m", "audit.synthesize", str(folder), *context],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ran.returncode != 0:
        raise SystemExit(f"the templates with {name} cannot be synthesized: {ran.stderr.strip()[-2000:]}")
    return Assembly(folder)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m audit", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        findings, acceptances = audit_templates(Path(folder))
    of_packages, shipped = audit_packages()
    verdict = judge([*findings, *of_packages], acceptances)
    checked = {"sets of choices": len(CHOSEN), "zips": len(build.FOLDERS), "shipped packages": shipped}
    sys.stdout.write(
        json.dumps(as_json(verdict, checked), indent=2) if arguments.json else as_text(verdict, checked)
    )
    sys.stdout.write("\n")
    raise SystemExit(1 if verdict.open or verdict.unused else 0)


if __name__ == "__main__":
    main()
