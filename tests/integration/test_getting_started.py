"""A new person's way, by the very lines that the documentation shows."""

import json
import re
import subprocess
from pathlib import Path

from local.naming import PROJECT_ROOT
from tests.integration.stack import RunningStack

PAGE = PROJECT_ROOT / "docs" / "getting-started.md"


def test_sign_up_confirm_log_in_key_first_log_search(stack: RunningStack, tmp_path: Path) -> None:
    (tmp_path / ".local").mkdir()
    page = {"api": stack.api, "mail": stack.mail}
    (tmp_path / ".local" / "stack.json").write_text(json.dumps(page))
    lines = "".join(re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL))

    ran = subprocess.run(
        ["bash", "-euc", lines], cwd=tmp_path, capture_output=True, text=True, timeout=90, check=False
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    result = json.loads(ran.stdout[ran.stdout.rindex('{"events"') :])
    assert [event["message"] for event in result["events"]] == ["hello from Jo"]
