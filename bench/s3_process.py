"""A stand-in for S3 in a process of its own, whose CPU is not the sender's."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection


@contextmanager
def s3_process(serve: Callable[[Connection], None]) -> Iterator[str]:
    """Run `serve`, a module's own function, until the block ends; yields the endpoint's URL.

    `serve` listens on loopback and sends its port once it does.
    """
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()  # so that recv() ends, with EOFError, should the process do so before it is ready
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()
