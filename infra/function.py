"""The construct of every Lambda function: code, role, log group, and triggers."""

from aws_cdk import Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as scheduler_targets
from constructs import Construct

from infra import topology
from infra.accepted import accept
from infra.grants import statements
from infra.stores import Stores

LOG_RETENTION = logs.RetentionDays.TWO_WEEKS

POLICY = "grants"
"""The name of a role's only policy."""


class ServiceFunction(Construct):
    """One function of the topology. Its role allows its grants and writing to its own log group.

    Lambda writes no line of its own for a good invocation, which would be half of the bill for logs: that
    takes the log format JSON, which leaves the functions' own JSON lines as they are, and the system level
    WARN. The application level must stay INFO: at WARN Lambda drops lines without a level, which are our
    metrics and the runtime's uncaught exceptions.

    No tracing, which is charged per request. Concurrency is reserved for functions that
    handle all customers' logs, and as a ceiling for routes that need no account: with one shared pool, a
    flood of one open route would leave none for the others (docs/adr/0024).

    Parameters
    ----------
    code: the zip that `python -m infra.build` built from the function's folder.
    """

    def __init__(self, scope: Construct, spec: topology.Function, code: lambda_.Code, stores: Stores) -> None:
        super().__init__(scope, spec.name)
        self.spec = spec
        log_group = logs.LogGroup(self, "log", retention=LOG_RETENTION, removal_policy=RemovalPolicy.DESTROY)
        self.function = lambda_.Function(
            self,
            "function",
            code=code,
            handler=spec.handler,
            runtime=lambda_.Runtime(topology.PYTHON, lambda_.RuntimeFamily.PYTHON),
            architecture=lambda_.Architecture.ARM_64,
            memory_size=spec.memory_mb,
            timeout=Duration.seconds(spec.timeout_seconds),
            reserved_concurrent_executions=spec.reserved_concurrency,
            environment=_environment(spec, stores),
            role=_role(self, spec, log_group, stores),
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            recursive_loop=lambda_.RecursiveLoop.ALLOW if _sends_to_itself(spec) else None,
        )
        if spec.source:
            self._consume(spec.source, stores)
        if spec.schedule_minutes:
            self._schedule(spec.schedule_minutes)
        _accept_findings(self, log_group)

    def set_api_address(self, api: str) -> None:
        """Set settings that refer to our own API, which is created after its functions."""
        for name, value in self.spec.settings.items():
            if value == topology.API:
                self.function.add_environment(_variable(name), api)

    def _consume(self, source: topology.QueueSource, stores: Stores) -> None:
        self.function.add_event_source_mapping(
            source.queue,
            event_source_arn=stores.queues[source.queue].queue_arn,
            batch_size=source.batch_size,
            max_batching_window=Duration.seconds(source.window_seconds),
            max_concurrency=source.max_concurrency,
            report_batch_item_failures=True,
        )

    def _schedule(self, minutes: int) -> None:
        """Invoke on a schedule. A run that cannot start is abandoned when the next one starts."""
        every = Duration.minutes(minutes)
        scheduler.Schedule(
            self,
            "schedule",
            schedule=scheduler.ScheduleExpression.rate(every),
            target=scheduler_targets.LambdaInvoke(
                self.function, retry_attempts=2, max_event_age=every, role=self._scheduler_role()
            ),
        )

    def _scheduler_role(self) -> iam.IRole:
        """A role of the scheduler that may start this function only; complete, so that CDK adds no policy."""
        may_start = iam.PolicyStatement(
            actions=["lambda:InvokeFunction"], resources=[self.function.function_arn]
        )
        group = Stack.of(self).format_arn(
            service="scheduler", resource="schedule-group", resource_name="default"
        )
        # Only for schedules of this account: the service must not use the role for another customer's.
        ours = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID, "aws:SourceArn": group}}
        return iam.Role(
            self,
            "scheduler",
            assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com", conditions=ours),
            inline_policies={POLICY: iam.PolicyDocument(statements=[may_start])},
        ).without_policy_updates()


def _accept_findings(function: ServiceFunction, log_group: logs.LogGroup) -> None:
    accept(
        function,
        "AwsSolutions-L1", "Serverless-LambdaLatestVersion",
        reason="Every zip is built and tested for Python 3.13, which Lambda supports until 2029.",
    )  # fmt: skip
    accept(
        function,
        "Serverless-LambdaDLQ", "CKV_AWS_116",
        reason="No failed invocation is lost: requests are answered, messages go to a dead-letter queue, "
        "and a scheduled run continues where the last one stopped.",
    )  # fmt: skip
    if function.spec.source:
        accept(
            function,
            "Serverless-LambdaEventSourceMappingDestination",
            reason="A message that fails repeatedly moves to the dead-letter queue of its queue.",
        )
    _accept_surroundings(function, log_group)
    _accept_wildcards(function)


def _accept_surroundings(function: ServiceFunction, log_group: logs.LogGroup) -> None:
    accept(
        function,
        "Serverless-LambdaTracing",
        reason="Tracing is charged per request; a request id in every log line links the functions.",
    )
    accept(
        function,
        "CKV_AWS_117",
        reason="The function reaches public endpoints of AWS over TLS only; '-c network=true' puts functions "
        "that reach a ClickHouse or a customer's bucket into a VPC.",
    )
    accept(
        function,
        "CKV_AWS_173",
        reason="Environment variables hold names and limits, never a secret; AWS encrypts them at rest.",
    )
    accept(
        log_group,
        "CKV_AWS_158",
        reason="Log lines hold no payload and no secret; CloudWatch encrypts them with its own key.",
    )
    if function.spec.reserved_concurrency is None:
        accept(
            function,
            "CKV_AWS_115",
            reason="Concurrency is reserved for ingest, sync and open routes, once the quota is known; the "
            "others share the rest.",
        )


def _accept_wildcards(function: ServiceFunction) -> None:
    kinds = {grant.split(":")[1] for grant in function.spec.grants}
    if "bucket" in kinds:
        accept(
            function,
            "AwsSolutions-IAM5[Resource::*[bB]ucket*/[*]]",
            reason="An object's key begins with its tenant, so the grant of a bucket is for all keys.",
        )
    if "mail" in kinds:
        accept(
            function,
            "AwsSolutions-IAM5[Resource::arn:*:ses:*:identity/[*]]",
            reason="The operator verifies an address or a domain; a condition allows only our sender.",
        )
    if "role" in kinds:
        accept(
            function,
            "AwsSolutions-IAM5[Resource::arn:*:iam::[*]:role/byoc-astralog[*]]",
            reason="Customers' roles are in accounts that deployment does not know; the prefix of the name "
            "keeps other roles out, and a condition requires an external id.",
        )
    if "metrics" in kinds:
        accept(
            function,
            "AwsSolutions-IAM5[Resource::[*]]", "Serverless-LambdaStarPermissions",
            reason="cloudwatch:GetMetricData has no resource; our metrics are figures by function.",
        )  # fmt: skip


def _sends_to_itself(spec: topology.Function) -> bool:
    """Whether the function sends messages to itself. Lambda stops such loops after 16 calls."""
    return spec.source is not None and f"send:queue:{spec.source.queue}" in spec.grants


def _environment(spec: topology.Function, stores: Stores) -> dict[str, str]:
    return {
        _variable(name): stores.setting(value)
        for name, value in spec.settings.items()
        if value != topology.API
    }


def _variable(name: str) -> str:
    return f"ASTRALOG_{name.upper()}"


def _role(scope: Construct, spec: topology.Function, log_group: logs.LogGroup, stores: Stores) -> iam.Role:
    """A role without AWSLambdaBasicExecutionRole, which may write to every log group of the account.

    Its policy is a property of the role, not a resource of its own: half the resources, and no moment at
    which the role exists without its grants (docs/adr/0033). CDK does not split it: it must fit into the
    10,240 characters that IAM allows.
    """
    may_log = iam.PolicyStatement(
        actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
    )
    granted = [statement for grant in spec.grants for statement in statements(grant, stores)]
    return iam.Role(
        scope,
        "role",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={POLICY: iam.PolicyDocument(statements=[may_log, *granted])},
    )
