"""An earlier version of this project: its files, its zips for this machine and its templates."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.naming import PROJECT_ROOT, child_environment
from rehearsal.deployment import CHOICES, Assembly, DeploymentError, this_platform
from rehearsal.site import Site, aws_variables
from rehearsal.substitutions import substitute

CHECKOUTS = PROJECT_ROOT / ".local" / "previous"

NO_VARIABLES: Mapping[str, str] = {}

BUILDER = ("infra/build.py", "infra/archive.py")
BUILDS_FOR_ANY_PLATFORM = "6c804f9290bff62bef52d13b9dc76d86de212a54"
"""Versions from before the builder took a platform are built with the builder of this one.

What it packs is theirs. Today's builder packs what they do not have.
"""

PAGE = Path("web/dist")
"""The dashboard of an earlier version is today's: to build its own needs npm packages of that time."""

_SYNTHESIZE = """
import json, pathlib, sys
from infra.app import synthesize
zips, target, choices = sys.argv[1:]
made = synthesize(pathlib.Path(zips), pathlib.Path(target), json.loads(choices))
print(json.dumps([[each.stack_name, each.template_file] for each in made.stacks]))
"""


class Previous:
    """The version `commit`. It stays below .local/previous/, with its zips, for the next rehearsal."""

    def __init__(self, ref: str) -> None:
        self.commit = _output(["git", "rev-parse", "--verify", f"{ref}^{{commit}}"], PROJECT_ROOT).strip()
        self.root = CHECKOUTS / self.commit

    def build_zips(self) -> Path:
        """Bring the version's zips for this machine up to date; their folder.

        Raises
        ------
        DeploymentError: the version cannot be checked out or built here.
        """
        self._check_out()
        platform = this_platform()
        arguments = ["--architecture", platform.architecture, "--python", platform.python]
        _output([sys.executable, "-m", "infra.build", *arguments], self.root)
        return self.root / platform.folder.relative_to(PROJECT_ROOT)

    def synthesize_for(self, site: Site, zips: Path) -> Assembly:
        """Write the version's assembly to `site.assembly`, with the substitutions.

        Raises
        ------
        DeploymentError: its templates cannot be synthesized.
        """
        choices = json.dumps(dict(CHOICES))
        command = [sys.executable, "-c", _SYNTHESIZE, str(zips), str(site.assembly), choices]
        names, resources, substituted = [], {}, set()
        for name, file in json.loads(_output(command, self.root).splitlines()[-1]):
            template: dict[str, Any] = json.loads((site.assembly / file).read_text())
            substituted.update(substitute(template, site))
            (site.assembly / file).write_text(json.dumps(template, indent=1))
            names.append(name)
            resources[name] = len(template["Resources"])
        return Assembly(tuple(names), resources, sorted(substituted))

    def sync_catalogue(self, site: Site) -> None:
        """Run the version's command that writes the catalogue to Stripe.

        Raises
        ------
        DeploymentError: it failed.
        """
        command = ["functions.billing", "sync-catalogue", "--address", site.stripe]
        if (self.root / "operate").exists():
            command = ["operate", "sync-catalogue", "--output", f"StripeUrl={site.stripe}"]
        _output([sys.executable, "-m", *command], self.root, aws_variables(site))

    def _check_out(self) -> None:
        """The files of the commit, without a work tree of git, and a builder for this machine."""
        if not self.root.exists():
            unfinished = self.root.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True)
            archive = unfinished / "files.tar"
            _output(["git", "archive", "--output", str(archive), self.commit], PROJECT_ROOT)
            _output(["tar", "-xf", archive.name], unfinished)
            archive.unlink()
            unfinished.rename(self.root)
        if "--architecture" not in (self.root / BUILDER[0]).read_text():
            for file in BUILDER:
                builder = _output(["git", "show", f"{BUILDS_FOR_ANY_PLATFORM}:{file}"], PROJECT_ROOT)
                (self.root / file).write_text(builder)
        if (self.root / "web").is_dir() and not (self.root / PAGE).exists():
            shutil.copytree(PROJECT_ROOT / PAGE, self.root / PAGE)


def _output(command: list[str], cwd: Path, variables: Mapping[str, str] = NO_VARIABLES) -> str:
    """Run a command, with the modules of the folder `cwd`."""
    ended = subprocess.run(
        command,
        env={**child_environment(), "PYTHONPATH": str(cwd), **variables},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise DeploymentError(f"{' '.join(command[:3])} failed in {cwd}:\n{ended.stderr[-2000:]}")
    return ended.stdout
