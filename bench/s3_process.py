"""A stand-in for S3 in a separate process, whose CPU is not the sender's."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection


@contextmanager
def s3_process(serve: Callable[[Connection], None]) -> Iterator[str]:
    """Run `serve`, a module-level function, until the block ends; yields the endpoint's URL.

    `serve` listens on loopback and then sends its port.
    """
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()  # so that recv() raises EOFError if the process ends before it is ready
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()
