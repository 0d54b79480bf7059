import json
import os
import subprocess
import sys
from pathlib import Path

from local.naming import PROJECT_ROOT


def test_the_demo_finds_every_line_it_sent_and_leaves_nothing_behind(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "local", "demo", "--lines", "2000", "--json"],
        cwd=PROJECT_ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    figures = json.loads(ended.stdout)
    assert figures["complete"] is True
    counts = {figures[name] for name in ("sent", "accepted", "stored", "found")}
    assert counts == {2000}
    assert sum(figures["sources"].values()) == 2000
    assert list(tmp_path.iterdir()) == []
