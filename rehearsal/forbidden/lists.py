"""For each role, from its function's grants in the topology: what it must not do, and what it may."""

from collections.abc import Iterator

from infra.topology import (
    BUCKETS,
    FUNCTIONS,
    KEYS,
    MAIL_SETS,
    NOTIFICATIONS,
    QUEUES,
    SECRETS,
    TABLES,
    Function,
)
from rehearsal.forbidden import by_resource as on
from rehearsal.forbidden.attempts import NO_POLICY_ALLOWS, OTHER_CONTEXT, Attempt, Targets

OTHER_SENDER = "someone@elsewhere.example"

SAMPLE = frozenset(
    {
        *(f"dynamodb:{each}" for each in ("GetItem", "PutItem", "DeleteItem")),
        *(f"s3:{each}" for each in ("GetObject", "PutObject", "DeleteObject")),
        *(f"sqs:{each}" for each in ("SendMessage", "ReceiveMessage")),
    }
)
"""What is tried on a table, bucket or queue that a role has no grant for; on the others everything is."""


def forbidden(spec: Function, at: Targets) -> list[Attempt]:
    """All calls that the role of `spec` must be refused."""
    granted = _granted(spec)
    used = {each for each, _ in granted}
    tried = [
        each
        for each in _of_all_resources(spec, at)
        if (each.resource, each.action) not in granted
        and (each.resource in used or each.service not in ("dynamodb", "s3", "sqs") or each.action in SAMPLE)
    ]
    return [*tried, *_conditions(spec, at), *on.on_the_account(spec.name, _other(spec), at)]


def permitted(spec: Function, at: Targets) -> list[Attempt]:
    """Calls that the role may make, and that change nothing: a refusal is not due to its credentials."""
    granted = _granted(spec)
    stream = next(each for each in on.on_log_group(spec.name, at) if each.action == "logs:CreateLogStream")
    return [
        stream,
        *(
            each
            for each in _of_all_resources(spec, at)
            if (each.resource, each.action) in granted and each.action in HARMLESS
        ),
    ]


HARMLESS = frozenset(
    {
        *(f"dynamodb:{each}" for each in ("GetItem", "Query", "Scan", "ConditionCheckItem")),
        "s3:ListBucket", "s3:ListBucketMultipartUploads", "sqs:GetQueueAttributes", "sqs:GetQueueUrl",
        "secretsmanager:GetSecretValue", "kms:Decrypt", "kms:GenerateDataKey", "cloudwatch:GetMetricData",
        "cognito-idp:ListUsers", "cognito-idp:DescribeUserPoolClient",
    }
)  # fmt: skip
"""Actions whose calls of `by_resource` change nothing."""


def _granted(spec: Function) -> set[tuple[str, str]]:
    """Resource, action: what the grants allow."""
    from infra.grants import ACTIONS  # CDK takes seconds to import: only where it is used

    granted = set()
    for grant in spec.grants:
        verb, kind, name = grant.split(":")
        actions = ACTIONS[f"{verb}:{kind}"]
        granted |= {(f"{kind}:{name}", action) for action in actions}
        if verb == "read" and kind == "table":
            indexes = next(each.indexes for each in TABLES if each.name == name)
            granted |= {(f"table:{name}/{index.name}", "dynamodb:Query") for index in indexes}
        if verb == "inspect":
            granted |= {(f"queue:{name}-dead", action) for action in actions}
    return granted


def _of_all_resources(spec: Function, at: Targets) -> Iterator[Attempt]:
    for table in TABLES:
        yield from on.on_table(table.name, at)
        yield from on.on_indexes(table.name, at)
    for bucket in BUCKETS:
        yield from on.on_bucket(bucket.name, at)
    for queue in QUEUES:
        yield from on.on_queue(queue.name, at.queue_urls[queue.name])
        yield from on.on_queue(f"{queue.name}-dead", at.dead_queue_urls[queue.name])
    for secret in SECRETS:
        yield from on.on_secret(secret, at.secrets[secret])
    yield from on.on_secret("of another installation", at.foreign_secret)
    for key in (*KEYS, "at-rest"):
        yield from on.on_key(key, at)
    yield from on.on_user_pool("pool", at)
    for mail in MAIL_SETS:
        yield from on.on_mail(mail.name, at)
    yield from on.on_role("customer")
    yield from on.on_metrics("own")
    yield from on.on_log_group(_other(spec), at)
    yield from (each for each in on.on_log_group(spec.name, at) if each.action not in OWN_LOGS)


OWN_LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")


def _conditions(spec: Function, at: Targets) -> Iterator[Attempt]:
    """Calls whose action and resource are granted, but not in this way."""
    granted = _granted(spec)
    for key in KEYS:
        for each in on.on_key(key, at):
            if (each.resource, each.action) in granted:
                yield from _contexts(each)
    for mail in MAIL_SETS:
        if f"send:mail:{mail.name}" in spec.grants:
            yield from on.on_mail(mail.name, at, OTHER_SENDER)
    for notification in NOTIFICATIONS:
        if f"put:bucket:{notification.bucket}" in spec.grants:
            yield on.twice_written(notification.bucket, notification.prefix, at)
    for bucket in BUCKETS:
        if f"read:bucket:{bucket.name}" in spec.grants:
            yield on.unencrypted(bucket.name, at)


def _contexts(allowed: Attempt) -> Iterator[Attempt]:
    """A key's permitted call, without a tenant, with another name for it, and as another tenant."""
    ways = {
        "without a tenant": ({}, NO_POLICY_ALLOWS),
        "with another name in the context": ({"account": "ada"}, NO_POLICY_ALLOWS),
    }
    if allowed.action == "kms:Decrypt":
        ways["for another tenant"] = ({"tenant": "bob"}, OTHER_CONTEXT)
    for way, (context, refusal) in ways.items():
        parameters = {**allowed.parameters, "EncryptionContext": context}
        resource = f"{allowed.resource} {way}"
        yield Attempt(allowed.service, allowed.operation, allowed.action, resource, parameters, refusal)


def _other(spec: Function) -> str:
    """Another function: the next one of the topology."""
    names = [each.name for each in FUNCTIONS]
    return names[(names.index(spec.name) + 1) % len(names)]
