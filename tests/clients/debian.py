"""Programs of Debian packages, installed or unpacked.

The packages rsyslog and rsyslog-elasticsearch are installed by hand. syslog-ng-mod-http, which Debian does
not install beside rsyslog, and systemd-journal-remote are installed by hand too, or unpacked below
.venv-clients/debian by `make clients-debian`. Tests of a program that is not there are skipped, and
`make clients` says so.
"""

import os
import shutil
from pathlib import Path

from tests.clients.programs import ROOT

UNPACKED = ROOT / ".venv-clients" / "debian"
_FOLDERS = ("usr/sbin", "usr/bin", "lib/systemd", "usr/lib/systemd")


def program(name: str) -> str | None:
    """The path of a program; None if it is not on this machine."""
    folders = [str(root / folder) for root in (Path("/"), UNPACKED) for folder in _FOLDERS]
    return shutil.which(name, path=":".join([os.environ["PATH"], *folders]))


def libraries() -> dict[str, str]:
    """The environment in which unpacked programs find their libraries."""
    folders = [path for parent in ("lib", "usr/lib") for path in UNPACKED.glob(f"{parent}/*-linux-gnu")]
    folders.append(UNPACKED / "usr" / "lib" / "syslog-ng")
    return {"LD_LIBRARY_PATH": ":".join(map(str, folders))}


def modules(name: str) -> Path | None:
    """The folder of a module of syslog-ng, such as libhttp.so; None if it is not on this machine."""
    found = [path for root in (Path("/"), UNPACKED) for path in root.glob(f"usr/lib/syslog-ng/*/{name}")]
    return found[0].parent if found else None
