"""What an operator may choose, and what is refused before anything is synthesized."""

import pytest

from infra import topology
from infra.choices import ChoiceError, from_context
from infra.concurrency import LEAST_ACCOUNT
from tests.infra.conftest import CERTIFICATE
from tests.infra.synthesized import Templates


def test_who_chooses_nothing_gets_the_topology_as_it_is() -> None:
    choices = from_context({}.get)

    assert choices.secret_names == {name: f"astralog/{name}" for name in topology.SECRETS}
    assert [choices.applied_to(each) for each in topology.FUNCTIONS] == list(topology.FUNCTIONS)


def test_a_secret_may_have_another_name() -> None:
    names = from_context({"warehouse_secret": "team/ch"}.get).secret_names

    assert names == {"warehouse": "team/ch", "search": "astralog/search", "stripe": "astralog/stripe"}


def test_a_function_may_have_a_user_of_clickhouse_for_itself() -> None:
    choices = from_context({"retention-check_warehouse_secret": "team/check"}.get)

    check = choices.applied_to(topology.function("retention-check"))
    assert choices.secret_names["warehouse-retention-check"] == "team/check"
    assert check.settings["warehouse_secret"] == "secret:warehouse-retention-check"
    assert "read:secret:warehouse-retention-check" in check.grants
    assert "read:secret:warehouse" not in check.grants
    assert choices.applied_to(topology.function("retention")) == topology.function("retention")


def test_only_functions_that_share_the_user_can_have_one_for_themselves() -> None:
    secrets = {"query_warehouse_secret": "a", "ingest_warehouse_secret": "b"}

    assert set(from_context(secrets.get).secret_names) == set(topology.SECRETS)


def test_a_role_reads_the_secret_of_its_own_user_and_no_other(chosen: Templates) -> None:
    for name, setting, secret in (
        ("sync", "WAREHOUSE_SECRET", "team/sync"),
        ("eraser", "WAREHOUSE_SECRET", "astralog/warehouse"),
        ("query", "SEARCH_SECRET", "astralog/search"),
    ):
        handler = topology.function(name).handler
        assert chosen.function(handler)["Environment"]["Variables"][f"ASTRALOG_{setting}"] == secret
        reached = [each for each in chosen.statements(handler) if "secretsmanager" in str(each["Action"])]
        assert f":{secret}-??????" in str(reached)
        assert str(reached).count("-??????") == 1


def test_a_plain_setting_may_be_chosen() -> None:
    choices = from_context({"query_timeout_seconds": "10"}.get)

    assert choices.applied_to(topology.function("query")).settings["query_timeout_seconds"] == "10"
    assert choices.applied_to(topology.function("migrate")) == topology.function("migrate")


def test_a_setting_that_stands_for_a_resource_may_not() -> None:
    choices = from_context({"staging_bucket": "somebody-elses"}.get)

    assert choices.applied_to(topology.function("ingest")) == topology.function("ingest")


def test_an_address_may_be_chosen_and_that_of_a_service_may_not() -> None:
    choices = from_context({"docs_address": "https://docs.example.org", "dashboard_address": "http://x"}.get)
    notifier, billing = (choices.applied_to(topology.function(name)) for name in ("notifier", "billing"))

    assert notifier.settings["docs_address"] == "https://docs.example.org"
    assert billing.settings["dashboard_address"] == "service:api", "the dashboard is on the API's origin"


def test_no_choice_lets_customers_reach_our_own_network() -> None:
    choices = from_context({"allow_loopback_destinations": "true"}.get)

    assert choices.applied_to(topology.function("sync-byoc")) == topology.function("sync-byoc")


@pytest.mark.parametrize(
    "context", [{"domain": "logs.example.org"}, {"certificate_arn": "arn:aws:acm:…"}], ids=["domain", "arn"]
)
def test_a_domain_without_its_certificate_is_refused(context: dict[str, str]) -> None:
    with pytest.raises(ChoiceError, match="needs both"):
        from_context(context.get)


def test_alarms_are_for_the_sum_or_for_each_function_and_nothing_else() -> None:
    with pytest.raises(ChoiceError, match="'sum' or 'each'"):
        from_context({"function_alarms": "every"}.get)


def test_what_was_chosen_is_what_is_deployed(chosen: Templates) -> None:
    (subscription,) = (
        each for each in chosen.properties("AWS::SNS::Subscription") if each["Protocol"] == "email"
    )
    (domain,) = chosen.properties("AWS::ApiGatewayV2::DomainName")
    migrate = chosen.function("functions.migrate.handler.handler")
    notifier = chosen.function("functions.notices.notifier.handler")

    assert {*chosen.compute["Outputs"]} == {"ApiUrl", "DomainTarget"}, "as docs/deployment.md names them"
    assert subscription["Endpoint"] == "ops@example.org"
    assert domain["DomainName"] == "logs.example.org"
    assert domain["DomainNameConfigurations"][0]["CertificateArn"] == CERTIFICATE
    assert len(chosen.properties("AWS::ApiGatewayV2::ApiMapping")) == 1
    assert migrate["Environment"]["Variables"]["ASTRALOG_WAREHOUSE_ENGINE"] == "ReplicatedMergeTree"
    links = notifier["Environment"]["Variables"]["ASTRALOG_API_ADDRESS"]
    assert links == "https://logs.example.org", "what is mailed leads where the world finds the API"


def test_only_buckets_of_named_accounts_may_send_notifications(
    chosen: Templates, templates: Templates
) -> None:
    queue_id = chosen.store("queue", "dropped-byoc")[0]
    (statement,) = (
        each
        for policy in chosen.properties("AWS::SQS::QueuePolicy")
        for each in policy["PolicyDocument"]["Statement"]
        if each.get("Sid") == "S3OfCustomers"
    )

    assert (statement["Principal"], statement["Action"]) == (
        {"Service": "s3.amazonaws.com"},
        "sqs:SendMessage",
    )
    assert chosen.points_at(statement["Resource"]) == queue_id
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": ["111122223333", "444455556666"]}}
    assert "S3OfCustomers" not in str(templates.data)


def reserved(account: int) -> dict[str, int]:
    choices = from_context({"lambda_concurrency": str(account)}.get)
    reserving = [choices.reserving(each) for each in topology.FUNCTIONS]
    return {each.name: each.reserved_concurrency for each in reserving if each.reserved_concurrency}


@pytest.mark.parametrize("account", [LEAST_ACCOUNT, 120, 200, 500, 1000, 3000, 10_000])
def test_reservations_fit_into_the_account_and_no_function_is_turned_off(account: int) -> None:
    shares = {each.name for each in topology.FUNCTIONS if each.reserved_concurrency}
    found = reserved(account)

    assert found.keys() == shares
    assert min(found.values()) >= 1
    assert sum(found.values()) <= account - 100, "Lambda keeps 100 for functions that reserve none"
    polled = [
        from_context({"lambda_concurrency": str(account)}.get).reserving(each) for each in topology.FUNCTIONS
    ]
    for each in polled:
        if each.source and each.reserved_concurrency:
            assert 2 <= each.source.max_concurrency <= each.reserved_concurrency


def test_reservations_grow_with_the_account() -> None:
    assert reserved(1000) == {
        each.name: each.reserved_concurrency for each in topology.FUNCTIONS if each.reserved_concurrency
    }
    assert all(reserved(200)[name] < share < reserved(5000)[name] for name, share in reserved(1000).items())


@pytest.mark.parametrize(
    "context",
    [
        {"lambda_concurrency": "10"},
        {"lambda_concurrency": str(LEAST_ACCOUNT - 1)},
        {"lambda_concurrency": "many"},
        {"throttle_scale": "0"},
        {"throttle_scale": "-1"},
        {"throttle_scale": "inf"},
        {"throttle_scale": "nan"},
        {"deletion_protection": "no"},
    ],
    ids=str,
)
def test_what_would_fail_the_deploy_is_refused_before(context: dict[str, str]) -> None:
    with pytest.raises(ChoiceError, match=next(iter(context))):
        from_context(context.get)


@pytest.mark.parametrize("accounts", ["123", "11112222333a", "*"])
def test_what_is_no_account_is_refused(accounts: str) -> None:
    with pytest.raises(ChoiceError, match="12 digits"):
        from_context({"customers_accounts": accounts}.get)
