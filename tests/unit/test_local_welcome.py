"""What a new user reads when the stack is ready."""

from pathlib import Path

from local.stack import Places, new_stack
from local.welcome import welcome


def test_the_log_that_the_first_line_sends_is_found_by_the_second(tmp_path: Path) -> None:
    stack = new_stack(Places(tmp_path), 8080)
    lines = welcome(stack).splitlines()
    send, search = (
        next(line for line in lines if line.strip().startswith(name)) for name in ("send", "search")
    )
    assert f"'{stack.api}/v1/drain?wait=true'" in send, "without it the search may come before the load"
    assert f"{stack.api}/v1/search" in search
