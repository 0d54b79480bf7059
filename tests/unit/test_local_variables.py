import pytest

from infra.topology import QUEUES
from local import overrides
from local.variables import variables

ENDPOINT = "http://127.0.0.1:1"


def test_a_function_gets_its_own_settings_resolved_and_nothing_else_of_ours() -> None:
    given = variables(overrides.function("sync"), ENDPOINT, {})
    ours = {name: value for name, value in given.items() if name.startswith("ASTRALOG_")}
    assert ours["ASTRALOG_STAGING_BUCKET"] == "astralog-local-staging"
    assert ours["ASTRALOG_STAGED_QUEUE"] == "astralog-local-staged"
    assert len(ours) == len(overrides.function("sync").settings)


def test_nothing_of_the_caller_s_environment_reaches_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "somebody's")
    monkeypatch.setenv("HOME", "/home/somebody")
    given = variables(overrides.function("ingest"), ENDPOINT, {})
    assert "AWS_SESSION_TOKEN" not in given
    assert "HOME" not in given
    assert given["AWS_ENDPOINT_URL"] == ENDPOINT


def test_a_killed_consumer_s_messages_come_back_after_it_must_have_ended() -> None:
    consumers = [each for each in overrides.functions() if each.source]
    visibility = {queue.name: queue.visibility_seconds for queue in overrides.queues()}
    assert {each.source.queue for each in consumers if each.source} == {queue.name for queue in QUEUES}
    assert all(each.timeout_seconds < visibility[each.source.queue] for each in consumers if each.source)
