"""Commands for the stacks of an installation: `outputs`, `is-deployed`, `destroy`."""

import argparse
import json
import time

from operate.command import Command
from operate.errors import OperatorError
from operate.session import Session

POLL_SECONDS = 5.0
MAX_WAIT_SECONDS = 3600
GONE = "DELETE_COMPLETE"
NEVER_CREATED = ("REVIEW_IN_PROGRESS", "CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", GONE)
"""States of a stack whose first deployment failed: the next deployment creates it."""

RETAINING = "Retain"
"""Beginning of the deletion policies with which a resource outlives its stack."""

LEFT_BESIDE = (
    "Also left, because they do not belong to the stacks: the secrets in Secrets Manager, the SES identity, "
    "the stack CDKToolkit with its bucket of zips, and the data in ClickHouse and in customers' buckets."
)


def _outputs(_asked: argparse.Namespace, session: Session) -> None:
    """Print the URL of the API and the names of tables, buckets, queues and secrets."""
    installation = session.installation
    compute_stack = installation.names.compute_stack
    found = dict(installation.outputs)
    if installation.stack(compute_stack):
        found |= installation.outputs_of(compute_stack)
    for name, value in sorted(found.items()):
        session.console.show({"output": name, "value": value}, f"{name:<24}{value}")


def _is_deployed(_asked: argparse.Namespace, session: Session) -> None:
    """Print yes if the data stack was created, else no; `make deploy` asks this."""
    name = session.installation.names.data_stack
    found = session.installation.stack(name)
    deployed = found is not None and found["StackStatus"] not in NEVER_CREATED
    session.console.show({"stack": name, "deployed": deployed}, "yes" if deployed else "no")


def _destroy(_asked: argparse.Namespace, session: Session) -> None:
    """Delete the stacks of the installation.

    Functions, API, schedules, alarms, logs and queues are deleted. Buckets, tables, the user pool and the KMS
    keys are retained, and listed at the end.
    """
    stacks = [name for name in session.installation.names.stacks if session.installation.stack(name)]
    if not stacks:
        raise OperatorError(f"There is no stack of {session.installation}.")
    session.console.confirm(f"Delete {' and '.join(stacks)} of {session.installation}? Data is retained.")
    for name in stacks:
        retained = _retained(session, name)
        _delete(session, name)
        for kind, resource in retained:
            session.console.show({"retained": kind, "name": resource}, f"retained  {kind:<24}{resource}")
    session.console.note(LEFT_BESIDE)


def _retained(session: Session, name: str) -> list[tuple[str, str]]:
    """Type and name of each resource that outlives the stack."""
    installation = session.installation
    cloudformation = installation.cloudformation
    template = installation.ask(lambda: cloudformation.get_template(StackName=name))["TemplateBody"]
    if isinstance(template, str):
        template = json.loads(template)
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
    resources = installation.ask(lambda: [each for page in pages for each in page["StackResourceSummaries"]])
    policies = {
        logical_id: each.get("DeletionPolicy", "") for logical_id, each in template["Resources"].items()
    }
    return sorted(
        (each["ResourceType"], each["PhysicalResourceId"])
        for each in resources
        if policies.get(each["LogicalResourceId"], "").startswith(RETAINING)
    )


def _delete(session: Session, name: str) -> None:
    installation = session.installation
    cloudformation = installation.cloudformation
    found = installation.stack(name)
    stack_id = found and found["StackId"]
    if found and found.get("EnableTerminationProtection"):
        installation.ask(
            lambda: cloudformation.update_termination_protection(
                StackName=name, EnableTerminationProtection=False
            )
        )
    installation.ask(lambda: cloudformation.delete_stack(StackName=name))
    session.console.note(f"deleting {name} …")
    _wait_until_deleted(session, name, str(stack_id))


def _wait_until_deleted(session: Session, name: str, stack_id: str) -> None:
    until = session.clock() + MAX_WAIT_SECONDS
    while session.clock() < until:
        found = session.installation.stack(stack_id)
        status = found["StackStatus"] if found else GONE
        if status == GONE:
            return
        if status.endswith("_FAILED"):
            reason = found and found.get("StackStatusReason", "")
            raise OperatorError(f"CloudFormation could not delete {name}: {status} {reason}")
        time.sleep(POLL_SECONDS)
    raise OperatorError(f"{name} was not deleted within an hour. See its events in CloudFormation.")


COMMANDS = (
    Command("outputs", "print the API's URL and the names of all resources", _outputs),
    Command("is-deployed", "print whether the installation exists", _is_deployed),
    Command("destroy", "delete the stacks; data is retained", _destroy),
)
