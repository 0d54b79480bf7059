"""Settings of the handler: arguments, the environment, and what is rejected."""

from typing import Any

import pytest

import astralog
from tests.unit.client_python.service import KEY


@pytest.mark.parametrize(
    "settings",
    [
        {"url": ""},
        {"key": ""},
        {"key": "ak_secret\n"},
        {"key": "ak secret"},
        {"url": "ftp://host"},
        {"url": "https://user:secret@host"},
        {"url": "https://host?key=secret"},
        {"url": "http://example.com"},
        {"url": "https://ho st"},
        {"url": "https://host:secret"},
        {"batch_events": 0},
        {"buffer_bytes": "many"},
        {"batch_bytes": 5_000_000},
        {"retry_seconds": 90_000},
        {"max_message_chars": 1_000_000},
    ],
    ids=str,
)
def test_settings_that_cannot_work_are_an_error_without_the_key(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASTRALOG_URL", raising=False)
    monkeypatch.delenv("ASTRALOG_KEY", raising=False)
    if settings == {"key": "ak_secret\n"}:  # a line break at the end is what files have
        astralog.Handler(**{"url": "https://host", **settings}).close()
        return
    with pytest.raises(ValueError, match=r".") as raised:
        astralog.Handler(**{"url": "https://host", "key": KEY, **settings})
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_the_environment_has_what_the_arguments_have_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRALOG_URL", "https://logs.example.com:8443/prefix/")
    monkeypatch.setenv("ASTRALOG_KEY", "ak_secret")
    with astralog.Handler(level="INFO") as handler:
        assert repr(handler) == "<Handler https://logs.example.com:8443 (INFO)>"
        assert handler._endpoint.path == "/prefix/v1/drain"
        assert handler._key.authorization() == "Bearer ak_secret"
        with pytest.raises(TypeError):
            handler._key.__reduce__()
