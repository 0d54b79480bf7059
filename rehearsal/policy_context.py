"""What AWS gives to IAM about a request and the emulator lacks. Runs in the emulator's process.

Like the rest of `rehearsal.emulator` it replaces functions of ministack, and imports nothing of this project.
"""

import json
import re
from typing import Any
from urllib.parse import parse_qs

_INSERT = re.compile(r'INSERT INTO "([^"]+)"')

ON_STREAMS = ("CreateLogStream", "PutLogEvents")


def show_object_creation(iam_actions: Any) -> None:
    """Give bucket policies `s3:if-none-match` and `s3:ObjectCreationOperation` of a write.

    A multipart upload creates its object when it is completed, not when it or a part of it begins.
    """
    context_of = iam_actions._s3_object_context  # noqa: SLF001 - the emulator's own

    def with_creation(action: str, query: dict[str, Any], path: str, headers: dict[str, str]) -> Any:
        context = context_of(action, query, path, headers)
        if action == "s3:PutObject":
            creates = "uploads" not in query and "partNumber" not in query
            context["s3:ObjectCreationOperation"] = "true" if creates else "false"
            if "if-none-match" in headers:
                context["s3:if-none-match"] = headers["if-none-match"]
        return context

    iam_actions._s3_object_context = with_creation  # noqa: SLF001


def show_external_ids(iam_actions: Any) -> None:
    """Give callers' policies `sts:ExternalId` of AssumeRole; the emulator shows it to trust policies only."""
    keys_of = iam_actions.request_tag_context

    def with_external_id(service: str, action: str, body: bytes, params: Any) -> dict[str, Any]:
        keys: dict[str, Any] = keys_of(service, action, body, params)
        if action == "sts:AssumeRole":
            sent = parse_qs(body.decode()).get("ExternalId")
            keys |= {"sts:ExternalId": sent[0]} if sent else {}
        return keys

    iam_actions.request_tag_context = with_external_id


def authorize_log_streams(iam_actions: Any) -> None:
    """Authorize writing logs on the stream; the emulator does so on the group itself."""
    arn_of = iam_actions.extract_resource_arn

    def of_stream(
        service: str, method: str, path: str, headers: dict[str, str], body: bytes, *more: Any
    ) -> Any:
        arn = arn_of(service, method, path, headers, body, *more)
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if service != "logs" or action not in ON_STREAMS:
            return arn
        return f"{arn}:log-stream:{json.loads(body).get('logStreamName', '')}"

    iam_actions.extract_resource_arn = of_stream


def authorize_batches(iam_actions: Any) -> None:
    """Authorize a batch of SQS by the action of one message, as SQS does."""
    action_of = iam_actions.extract_iam_action

    def of_one(service: str, *more: Any) -> Any:
        action = action_of(service, *more)
        return action.removesuffix("Batch") if service == "sqs" and action else action

    iam_actions.extract_iam_action = of_one


def authorize_inserts(iam_actions: Any) -> None:
    """Authorize a batch of inserts by PartiQLInsert on each table, as DynamoDB does.

    The emulator asks for BatchExecuteStatement, which is no action of IAM.
    """
    checks_of = iam_actions.dynamodb_transaction_checks

    def of_inserts(action: str, body: bytes, region: str, account: str) -> list[tuple[str, str]]:
        if action != "dynamodb:BatchExecuteStatement":
            checks: list[tuple[str, str]] = checks_of(action, body, region, account)
            return checks
        statements = [each["Statement"] for each in json.loads(body)["Statements"]]
        tables = [found[1] for found in map(_INSERT.match, statements) if found]
        if len(tables) < len(statements):
            return []  # not inserts alone: denied, since no policy names the action that is asked for
        arn = f"arn:aws:dynamodb:{region}:{account}:table"
        return [("dynamodb:PartiQLInsert", f"{arn}/{table}") for table in dict.fromkeys(tables)]

    iam_actions.dynamodb_transaction_checks = of_inserts
