"""The trusted certificates, for TLS libraries that read all of them anew for each client or process.

obstore reads the system's file of them and then its directory, which has the same ones again: on Debian each
once more in a file of its own. With the file alone a client takes 1.5 ms of CPU to make instead of 8.5.

OpenSSL takes 30 ms to read the file. From a directory it reads one certificate when it meets a chain that
needs it, by the hash in the certificate's file name.
"""

import os
import re
from collections.abc import Iterable, Mapping, MutableMapping

BUNDLES = ("/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt")
"""One file with all of them: of Amazon Linux, and of Debian."""

DIRECTORIES = ("/etc/pki/ca-trust/extracted/pem/directory-hash", "/etc/ssl/certs")
"""One file for each: of distributions with p11-kit, and of Debian."""

FILE, DIRECTORY = "SSL_CERT_FILE", "SSL_CERT_DIR"
"""Where OpenSSL and obstore look before the system's paths."""

_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"
_IS_HASHED = re.compile(r"[0-9a-f]{8}\.\d+", re.ASCII).fullmatch


def trust_one_bundle(
    environ: MutableMapping[str, str] = os.environ, bundles: Iterable[str] = BUNDLES
) -> None:
    """Name the first of `bundles` that exists in `environ`, and no directory.

    An environment that names a file or a directory keeps them; without a bundle all stays as it is.
    """
    if FILE in environ or DIRECTORY in environ:
        return
    bundle = next(filter(os.path.isfile, bundles), None)
    if bundle:
        environ[FILE], environ[DIRECTORY] = bundle, ""


def hashed_directory(
    environ: Mapping[str, str] = os.environ,
    bundles: Iterable[str] = BUNDLES,
    directories: Iterable[str] = DIRECTORIES,
) -> str | None:
    """A directory with as many certificates by hash as the system's bundle has.

    None if there is no such directory, or `environ` names certificates that are not the system's.
    """
    bundle = next(filter(os.path.isfile, bundles), None)
    if not bundle or environ.get(FILE, bundle) != bundle:
        return None
    known = tuple(directories)
    if environ.get(DIRECTORY, "") not in ("", *known):
        return None
    with open(bundle, "rb") as file:  # noqa: PTH123 - pathlib takes 2 ms of a cold start
        count = file.read().count(_CERTIFICATE)
    return next((each for each in filter(os.path.isdir, known) if _hashed_in(each) >= count > 0), None)


def _hashed_in(directory: str) -> int:
    with os.scandir(directory) as entries:
        return sum(_IS_HASHED(each.name) is not None for each in entries)
