"""One file of trusted certificates is read, and a choice of the environment stays."""

from pathlib import Path

import pytest

from functions.shared.buckets import platform
from functions.shared.trusted_certificates import hashed_directory, trust_one_bundle


def test_the_first_bundle_that_exists_is_named_and_no_directory(tmp_path: Path) -> None:
    missing, bundle, later = (str(tmp_path / name) for name in ("missing", "bundle", "later"))
    for each in (bundle, later):
        Path(each).write_text("certificates")
    environ: dict[str, str] = {}

    trust_one_bundle(environ, (missing, bundle, later))

    assert environ == {"SSL_CERT_FILE": bundle, "SSL_CERT_DIR": ""}


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_an_environment_that_names_its_own_keeps_them(name: str, tmp_path: Path) -> None:
    (tmp_path / "bundle").write_text("certificates")
    environ = {name: "/of/the/operator"}

    trust_one_bundle(environ, (str(tmp_path / "bundle"),))

    assert environ == {name: "/of/the/operator"}


def test_without_a_bundle_all_stays_as_it_is(tmp_path: Path) -> None:
    environ: dict[str, str] = {}

    trust_one_bundle(environ, (str(tmp_path),))

    assert environ == {}


def test_a_bucket_is_opened_with_one_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[None] = []
    monkeypatch.setattr(platform, "trust_one_bundle", lambda: chosen.append(None))
    monkeypatch.setenv("AWS_REGION", "us-east-1")

    platform.open_bucket("staging")

    assert chosen == [None]


@pytest.fixture
def system(tmp_path: Path) -> tuple[str, str]:
    """A bundle of two certificates and a directory that has both by their hashes."""
    bundle, directory = tmp_path / "bundle", tmp_path / "directory"
    bundle.write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n" * 2)
    directory.mkdir()
    for name in ("02265526.0", "02265526.1", "root.pem", "bundle.crt"):
        (directory / name).write_text("certificate")
    return str(bundle), str(directory)


def test_a_directory_with_all_certificates_by_hash_is_found(system: tuple[str, str]) -> None:
    bundle, directory = system

    assert hashed_directory({}, ("/missing", bundle), ("/missing", directory)) == directory


@pytest.mark.parametrize("removed", ["02265526.0", "02265526.1"])
def test_a_directory_that_lacks_a_certificate_is_not_used(system: tuple[str, str], removed: str) -> None:
    bundle, directory = system
    (Path(directory) / removed).unlink()

    assert hashed_directory({}, (bundle,), (directory,)) is None


def test_what_a_bucket_names_in_the_environment_is_the_systems(system: tuple[str, str]) -> None:
    bundle, directory = system
    environ: dict[str, str] = {}
    trust_one_bundle(environ, (bundle,))

    assert hashed_directory(environ, (bundle,), (directory,)) == directory


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_certificates_of_the_operator_are_not_replaced(system: tuple[str, str], name: str) -> None:
    bundle, directory = system

    assert hashed_directory({name: "/of/the/operator"}, (bundle,), (directory,)) is None


def test_an_empty_bundle_has_no_directory(system: tuple[str, str]) -> None:
    bundle, directory = system
    Path(bundle).write_text("")

    assert hashed_directory({}, (bundle,), (directory,)) is None
