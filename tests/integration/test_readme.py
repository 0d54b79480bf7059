import json
import re
import subprocess
from pathlib import Path
from typing import Any

from local.naming import PROJECT_ROOT
from tests.integration.stack import RunningStack

README = PROJECT_ROOT / "README.md"


def test_the_readmes_curl_lines_send_a_log_and_find_it(stack: RunningStack, tmp_path: Path) -> None:
    (tmp_path / ".local").mkdir()
    page = {"api": stack.api, "keys": stack.keys}
    (tmp_path / ".local" / "stack.json").write_text(json.dumps(page))
    block = re.search(r"```sh\n(.*?)```", README.read_text(), re.DOTALL)
    assert block

    ran = subprocess.run(
        ["bash", "-euc", block[1]], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )

    sent, found = _documents(ran.stdout)
    assert sent["accepted"] == 1
    assert [event["message"] for event in found["events"]] == ["payment of order 42 declined"]


def test_what_the_readme_links_to_exists() -> None:
    links = re.findall(r"\]\(([^)#:]+)", README.read_text())
    assert links
    assert [link for link in links if not (PROJECT_ROOT / link).exists()] == []


def _documents(text: str) -> list[Any]:
    """JSON documents back to back."""
    decoder, found = json.JSONDecoder(), []
    while text := text.strip():
        document, end = decoder.raw_decode(text)
        found.append(document)
        text = text[end:]
    return found
