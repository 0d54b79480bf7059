"""The stateless stack, which any deployment may replace: the functions, the API, the alarms."""

from pathlib import Path
from typing import Any

from aws_cdk import Annotations, CfnResource, Duration, RemovalPolicy, Stack, triggers
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra import topology
from infra.accepted import accept
from infra.alarms import Alarms
from infra.api import PublicApi
from infra.choices import EACH, Choices
from infra.cost_alarms import CostAlarms
from infra.function import LOG_RETENTION, ServiceFunction
from infra.network import Network
from infra.stores import Stores

NOTHING_RESERVED = (
    "No concurrency is reserved: a flood of one route can use up all of the account's. Set "
    "'-c lambda_concurrency=…' once AWS has granted a sufficient quota: see docs/deployment.md."
)

NO_SUBSCRIBER = (
    "The alarm topic has no subscriber: alarms notify no person. Set '-c alarm_email=…': see "
    "docs/deployment.md."
)


class ComputeStack(Stack):
    """All functions, from the topology.

    Parameters
    ----------
    zips: the folder with one `<folder>.zip` for each folder of `functions/` that the topology names.
    """

    def __init__(
        self, scope: Construct, name: str, stores: Stores, zips: Path, choices: Choices, **stack: Any
    ) -> None:
        super().__init__(scope, name, **stack)
        if choices.lambda_concurrency is None:
            Annotations.of(self).add_warning_v2("astralog:lambda_concurrency", NOTHING_RESERVED)
        if choices.alarm_email is None:
            Annotations.of(self).add_warning_v2("astralog:alarm_email", NO_SUBSCRIBER)
        functions = {
            spec.name: ServiceFunction(
                self, spec, lambda_.Code.from_asset(str(zips / f"{spec.folder}.zip")), stores
            )
            for spec in (choices.reserving(choices.applied_to(each)) for each in topology.FUNCTIONS)
        }
        api = PublicApi(self, functions, choices)
        alarms = Alarms(self, choices)
        if choices.function_alarms == EACH:
            for each in functions.values():
                alarms.watch_function(each)
        else:
            alarms.watch_account()
        alarms.watch_signals()
        alarms.watch_api(api)
        CostAlarms(self, api, alarms.topic, choices.perimeter.dollars_a_day)
        if choices.perimeter.network:
            Network(self, choices.perimeter.network).attach(functions.values())
        self._migrate_first(functions)
        accept(
            self,
            "W3005",
            reason="CDK makes a function wait for its role and the role's policy; the first is implied.",
        )

    def _migrate_first(self, functions: dict[str, ServiceFunction]) -> None:
        """Apply the schema on each deployment that changes it, before the functions that use it.

        If the function raises, the deployment fails and is rolled back. An applied migration stays, and is
        skipped the next time.
        """
        migrate = functions[topology.MIGRATE]
        triggers.Trigger(
            self,
            "schema",
            handler=migrate.function,
            timeout=Duration.seconds(migrate.spec.timeout_seconds),
            execute_before=[each.function for each in functions.values() if _uses_schema(each, migrate)],
        )
        self._log_provider()
        accept(
            self.node.find_child("AWSCDK.TriggerCustomResourceProviderCustomResourceProvider"),
            "CKV_AWS_115", "CKV_AWS_116", "CKV_AWS_117",
            reason="CDK's own function runs during a deployment only, and a failure fails the deployment.",
        )  # fmt: skip

    def _log_provider(self) -> None:
        """Give CDK's own function, which invokes `migrate`, a log group that is deleted with the stack."""
        provider = self.node.find_child("AWSCDK.TriggerCustomResourceProviderCustomResourceProvider")
        if not isinstance(handler := provider.node.find_child("Handler"), CfnResource):
            raise TypeError("a custom resource provider without its function")
        group = logs.LogGroup(
            self, "schema-log", retention=LOG_RETENTION, removal_policy=RemovalPolicy.DESTROY
        )
        handler.add_property_override("LoggingConfig", {"LogGroup": group.log_group_name})
        accept(
            group,
            "CKV_AWS_158",
            reason="Log lines hold no payload and no secret; CloudWatch encrypts them with its own key.",
        )


def _uses_schema(function: ServiceFunction, migrate: ServiceFunction) -> bool:
    """Whether the function has an address of our ClickHouse, with any user."""
    addresses = tuple(f"read:secret:{name}" for name in topology.WAREHOUSE_SECRETS)
    return function is not migrate and any(grant.startswith(addresses) for grant in function.spec.grants)
