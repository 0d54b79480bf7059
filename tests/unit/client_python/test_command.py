"""How arguments become requests (a whole service: tests/integration/test_command.py)."""

from typing import Any

import pytest

from astralog import _command
from astralog._reader import Reader

Searches = list[tuple[dict[str, Any], int | None]]


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> Searches:
    found: Searches = []

    def search(_self: Reader, body: dict[str, Any], limit: int | None) -> list[Any]:
        found.append((body, limit))
        return []

    monkeypatch.setenv("ASTRALOG_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("ASTRALOG_KEY", "k")
    monkeypatch.setattr(Reader, "search", search)
    return found


@pytest.mark.parametrize(
    ("arguments", "body", "limit"),
    [
        ([], {"order": "desc"}, 100),
        (
            ["x", "--from", "-2h", "--to", "-1h"],
            {"query": "x", "from": "-2h", "to": "-1h", "order": "desc"},
            100,
        ),
        (["-user:bot", "--limit", "5"], {"query": "-user:bot", "order": "desc"}, 5),
        (["--", "-user:bot"], {"query": "-user:bot", "order": "desc"}, 100),
        (["--from=-1h", "--", "--x"], {"query": "--x", "from": "-1h", "order": "desc"}, 100),
        (["x", "--all", "--order", "asc"], {"query": "x", "order": "asc"}, None),
        (["x", "--time-zone", "Asia/Tokyo"], {"query": "x", "time_zone": "Asia/Tokyo", "order": "desc"}, 100),
    ],
)
def test_times_and_queries_may_begin_with_a_minus(
    searches: Searches, arguments: list[str], body: dict[str, Any], limit: int | None
) -> None:
    assert _command.main(["search", *arguments]) == 0
    assert searches == [(body, limit)]


@pytest.mark.parametrize("arguments", [["search", "--from"], ["search", "--limit", "0"], [], ["find", "x"]])
def test_wrong_arguments_are_an_error_with_a_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        _command.main(arguments)
    assert ended.value.code == 2
    assert "usage: astralog" in capsys.readouterr().err
