"""One document a day, made once, of what metering counted and what functions measured."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws
from obstore.store import MemoryStore

from functions.billing.usage.count_transactions import CountTransaction, UsageSums
from functions.billing.usage.usage_store import UsageStore
from functions.retention.accounts import AccountScan
from functions.retention.anonymous import MIN_TENANTS, FunctionHealth
from functions.retention.daily_usage import DailyUsageReader
from functions.retention.function_metrics import (
    ASKED,
    FUNCTIONS,
    FunctionMetricsReader,
    MetricsUnavailableError,
)
from functions.retention.telemetry import DAYS_BACK, TelemetryService, key_of, run
from functions.shared.accounts.account_status import account_status_on
from functions.shared.buckets.platform import PlatformBucket
from functions.shared.plans import PLANS
from functions.shared.tables import table
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tables.table import READ_ROUNDS
from functions.shared.tenancy import TenantId
from tests.account_items import account_item
from tests.aws_environment import set_aws_environment

NOW = datetime(2026, 11, 24, 7, tzinfo=UTC)
YESTERDAY = date(2026, 11, 23)


class Quiet:
    """Metrics of nothing."""

    def of(self, _day: date) -> list[FunctionHealth]:
        return []


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    set_aws_environment(monkeypatch)
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        for table, key in (("accounts", ["tenant_id"]), ("usage", ["tenant_id", "entry"])):
            client.create_table(
                TableName=table,
                KeySchema=[
                    {"AttributeName": name, "KeyType": kind}
                    for name, kind in zip(key, ("HASH", "RANGE"), strict=False)
                ],
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in key],
                BillingMode="PAY_PER_REQUEST",
            )
        yield client


def people(client: Any, count: int, day: date = YESTERDAY) -> None:
    """Accounts that stored something on `day`, as sign-up and metering write it."""
    usage = UsageStore("usage", client)
    for number in range(count):
        tenant = TenantId(f"zq-marked-{number}")
        item = account_item(tenant, account_status_on(PLANS["managed_15"]))
        client.put_item(
            TableName="accounts",
            Item={**item, "owner": {"S": "zq-marked-person"}, "name": {"S": "zq-marked"}},
        )
        sums = UsageSums(rows=1000 + number, raw_bytes=400_000 + number, own_rows=0, own_bytes=0)
        client.transact_write_items(TransactItems=usage.added(CountTransaction(days={(tenant, day): sums})))


def observatory(client: Any, metrics: Any = None) -> TelemetryService:
    return TelemetryService(
        AccountScan("accounts", client),
        DailyUsageReader("usage", client),
        metrics or Quiet(),
        PlatformBucket(MemoryStore()),
    )


def test_a_document_is_written_for_each_day_that_is_over_and_names_no_tenant(
    dynamodb: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    people(dynamodb, 120)
    place = observatory(dynamodb)
    written = run(place, NOW)
    assert list(written) == [str(YESTERDAY - timedelta(days=back)) for back in range(DAYS_BACK - 1, -1, -1)]
    found = place.reports.get(key_of(YESTERDAY))
    assert found
    (line,) = map(json.loads, bytes(found.body).splitlines())
    assert (line["group"], line["tenants"], line["rows"]) == ("managed_15", 120, 130_000)
    keys = [each.key for each in place.reports.under("")]
    bodies = [bytes(place.reports.get(key).body) for key in keys]  # type: ignore[union-attr]
    output = capsys.readouterr().out
    assert "zq-marked" not in output + "".join(keys) + b"".join(bodies).decode()


def test_a_day_is_written_once_whatever_is_counted_afterwards(dynamodb: Any) -> None:
    people(dynamodb, MIN_TENANTS)
    place = observatory(dynamodb)
    run(place, NOW)
    before = place.reports.get(key_of(YESTERDAY))
    people(dynamodb, MIN_TENANTS + 1)
    assert run(place, NOW) == {}
    assert place.reports.get(key_of(YESTERDAY)) == before


def test_a_day_that_cannot_be_written_delays_no_other(dynamodb: Any) -> None:
    class Broken(Quiet):
        def of(self, day: date) -> list[FunctionHealth]:
            if day == YESTERDAY - timedelta(days=3):
                raise MetricsUnavailableError("CloudWatch: some figures are not complete")
            return super().of(day)

    place = observatory(dynamodb, Broken())
    for _ in range(2):
        with pytest.raises(MetricsUnavailableError):
            run(place, NOW)
        assert len(list(place.reports.under(""))) == DAYS_BACK - 1
    whole = replace(place, metrics=Quiet())  # type: ignore[arg-type]
    assert list(run(whole, NOW)) == [str(YESTERDAY - timedelta(days=3))]


def test_nothing_is_written_of_a_day_of_few_tenants(dynamodb: Any) -> None:
    people(dynamodb, MIN_TENANTS - 1)
    metrics = FunctionMetricsReader(Answering({"ingest_requests": 9.0, "ingest_p50": 5.0}))
    written = run(observatory(dynamodb, metrics), NOW)
    assert [line["kind"] for line in written[str(YESTERDAY)]] == ["withheld", "withheld"]


def test_a_day_is_over_when_what_came_in_its_last_minutes_is_counted(dynamodb: Any) -> None:
    for hour, last in ((5, YESTERDAY - timedelta(days=1)), (6, YESTERDAY)):
        assert list(run(observatory(dynamodb), NOW.replace(hour=hour)))[-1] == str(last)


def test_usage_that_dynamodb_leaves_out_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = list[float]()
    monkeypatch.setattr(table, "time", SimpleNamespace(sleep=pauses.append))
    item = {"tenant_id": {"S": "aa"}, "rows": {"N": "3"}, "bytes": {"N": "9"}}

    class Hesitant:
        def __init__(self, times: int) -> None:
            self.times = times

        def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
            self.times -= 1
            if self.times >= 0:
                return {"Responses": {}, "UnprocessedKeys": RequestItems}
            return {"Responses": {"usage": [item]}}

    (account,) = AccountScan("accounts", Scanned()).all()
    for times in (0, 3, READ_ROUNDS - 1):
        assert [
            each.rows for each in DailyUsageReader("usage", Hesitant(times)).of([account], YESTERDAY)
        ] == [3]
    with pytest.raises(StoreUnavailableError):
        DailyUsageReader("usage", Hesitant(READ_ROUNDS)).of([account], YESTERDAY)
    with pytest.raises(StoreUnavailableError):
        DailyUsageReader("usage", Hesitant(99)).of([account], YESTERDAY)
    assert len(pauses) == 0 + 3 + READ_ROUNDS - 1 + 2 * READ_ROUNDS


class Scanned:
    def scan(self, **_asked: Any) -> dict[str, Any]:
        return {"Items": [account_item("aa", account_status_on(PLANS["trial"]))]}


class Answering:
    """CloudWatch with these figures by their ids."""

    def __init__(self, figures: dict[str, float]) -> None:
        self.figures = figures

    def get_metric_data(self, **_asked: Any) -> dict[str, Any]:
        return {
            "MetricDataResults": [{"Id": name, "Values": [value]} for name, value in self.figures.items()]
        }


def test_vitals_of_a_function_are_shares_and_milliseconds() -> None:
    figures = {
        "requests": 990,
        "p50": 10,
        "p95": 20,
        "p99": 30,
        "errors": 10,
        "accepted": 900,
        "rejected": 100,
    }
    reported = FunctionMetricsReader(
        Answering({f"ingest_{name}": value for name, value in figures.items()})
    ).of(YESTERDAY)
    assert reported == [FunctionHealth("ingest", 1000, 10, 20, 30, 0.01, 0.1)]


def test_a_function_without_requests_has_no_vitals() -> None:
    assert FunctionMetricsReader(Answering({})).of(YESTERDAY) == []
    (search,) = FunctionMetricsReader(Answering({"query_requests": 5.0})).of(YESTERDAY)
    assert (search.rejected_share, search.latency_p99_ms, search.server_error_share) == (None, None, 0.0)


def test_cloudwatch_is_asked_for_one_day_of_our_own_metrics_by_function() -> None:
    client = boto3.client(
        "cloudwatch", region_name="us-east-1", aws_access_key_id="t", aws_secret_access_key="t"
    )
    with Stubber(client) as stub:
        stub.add_response("get_metric_data", {"MetricDataResults": []})
        sent: list[dict[str, Any]] = []
        client.meta.events.register(
            "provide-client-params.cloudwatch.GetMetricData", lambda params, **_: sent.append(params)
        )
        FunctionMetricsReader(client).of(YESTERDAY)
    (asked,) = sent
    assert asked["EndTime"] - asked["StartTime"] == timedelta(days=1)
    assert asked["StartTime"] == datetime(2026, 11, 23, tzinfo=UTC)
    stats = [each["MetricStat"] for each in asked["MetricDataQueries"]]
    assert len(stats) == len(FUNCTIONS) * len(ASKED)
    assert {stat["Metric"]["Namespace"] for stat in stats} == {"AstraLog"}
    assert {each["Name"] for stat in stats for each in stat["Metric"]["Dimensions"]} == {"Function"}


@pytest.mark.parametrize("status", ["PartialData", "InternalError", "Forbidden"])
def test_a_figure_that_cloudwatch_could_not_get_is_not_a_missing_one(status: str) -> None:
    """A day's document is written once: what were missing in it would be so for ever."""
    client = boto3.client(
        "cloudwatch", region_name="us-east-1", aws_access_key_id="t", aws_secret_access_key="t"
    )
    complete = {"Id": "ingest_requests", "Values": [9.0], "StatusCode": "Complete"}
    lacking = {"Id": "ingest_errors", "Values": [], "StatusCode": status}
    with Stubber(client) as stub:
        stub.add_response("get_metric_data", {"MetricDataResults": [complete]})
        assert FunctionMetricsReader(client).of(YESTERDAY)
        stub.add_response("get_metric_data", {"MetricDataResults": [complete, lacking]})
        with pytest.raises(MetricsUnavailableError):
            FunctionMetricsReader(client).of(YESTERDAY)


def test_cloudwatch_that_does_not_answer_is_not_a_quiet_day() -> None:
    client = boto3.client(
        "cloudwatch", region_name="us-east-1", aws_access_key_id="t", aws_secret_access_key="t"
    )
    with Stubber(client) as stub:
        stub.add_client_error("get_metric_data", "Throttling")
        with pytest.raises(MetricsUnavailableError, match="Throttling"):
            FunctionMetricsReader(client).of(YESTERDAY)
