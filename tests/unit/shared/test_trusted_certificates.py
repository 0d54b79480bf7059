"""One file of trusted certificates is read, and a choice of the environment stays."""

from pathlib import Path

import pytest

from functions.shared.buckets import platform
from functions.shared.buckets.trusted_certificates import trust_one_bundle


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
