import socket
import subprocess

import pytest

from local.naming import PROJECT_ROOT, python_module


@pytest.mark.parametrize("leaves_unread", [True, False])
def test_an_environment_ends_with_its_gateway_whatever_that_left_unread(leaves_unread: bool) -> None:
    """Closing a socket with unread data resets it, which a reader meets as an error and not as an end."""
    ours, theirs = socket.socketpair()
    with theirs:
        environment = subprocess.Popen(
            python_module("local.lambda_runtime", "tests.unit.local_sample.echo", str(theirs.fileno())),
            cwd=PROJECT_ROOT,
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
    try:
        ready = ours.recv(1024, socket.MSG_PEEK if leaves_unread else 0)
        assert b"ready" in ready
        ours.close()
        assert environment.wait(10) == 0
    finally:
        environment.kill()
        environment.wait()
