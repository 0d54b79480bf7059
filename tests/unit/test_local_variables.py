import pytest

from infra.topology import QUEUES, SERVICES, Function
from local import overrides
from local.endpoints import Endpoints
from local.variables import variables

ENDPOINTS = Endpoints("http://127.0.0.1:1", {"stripe": "http://127.0.0.1:2"})


def test_a_function_gets_its_own_settings_resolved_and_no_others() -> None:
    given = variables(overrides.function("sync"), ENDPOINTS)
    ours = {name: value for name, value in given.items() if name.startswith("ASTRALOG_")}
    assert ours["ASTRALOG_STAGING_BUCKET"] == "astralog-local-staging"
    assert ours["ASTRALOG_STAGED_QUEUE"] == "astralog-local-staged"
    assert len(ours) == len(overrides.function("sync").settings)


def test_nothing_of_the_caller_s_environment_reaches_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "somebody's")
    monkeypatch.setenv("HOME", "/home/somebody")
    given = variables(overrides.function("ingest"), ENDPOINTS)
    assert "AWS_SESSION_TOKEN" not in given
    assert "HOME" not in given
    assert given["AWS_ENDPOINT_URL"] == ENDPOINTS.aws


def test_a_killed_consumer_s_messages_are_redelivered_after_it_must_have_ended() -> None:
    consumers = [each for each in overrides.functions() if each.source]
    visibility = {queue.name: queue.visibility_seconds for queue in overrides.queues()}
    assert {each.source.queue for each in consumers if each.source} == {queue.name for queue in QUEUES}
    assert all(each.timeout_seconds < visibility[each.source.queue] for each in consumers if each.source)


def test_what_others_run_is_on_this_machine_too() -> None:
    function = Function(
        "pays", "m.f", 128, 3, settings={f"{name}_at": f"service:{name}" for name in SERVICES}
    )
    assert variables(function, ENDPOINTS)["ASTRALOG_STRIPE_AT"] == ENDPOINTS.services["stripe"]
    assert all(address.startswith("https://") for address in SERVICES.values())
