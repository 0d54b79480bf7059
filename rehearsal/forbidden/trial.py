"""Try the calls of all roles, each with its role's credentials, and compare what comes of them."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError

from infra.topology import FUNCTIONS, Function
from rehearsal.cloud import Cloud
from rehearsal.deployed import Deployed
from rehearsal.forbidden.attempts import OTHER_CONTEXT, Attempt, Targets, targets_of
from rehearsal.forbidden.credentials import RoleClients, acting_as, credentials_of
from rehearsal.forbidden.lists import forbidden, permitted
from rehearsal.site import MAIL_FROM

THREADS = 4

WHO_AM_I = Attempt("sts", "get_caller_identity", "sts:GetCallerIdentity", "itself", {})
"""Every caller with valid credentials may do this."""

DENIED = ("AccessDenied", "NotAuthorized", "AuthorizationError", "UnauthorizedOperation")
"""Parts of the codes of a denial, in all protocols of AWS."""


@dataclass(slots=True)
class Tried:
    """`roles`: those that were tried. `refused` and `allowed`: forbidden and permitted calls that ended so.

    `faults`: sentences about the others, with the role and the call.
    """

    roles: list[str] = field(default_factory=list)
    refused: int = 0
    allowed: int = 0
    faults: list[str] = field(default_factory=list)


def try_roles(here: Deployed) -> Tried:
    """Try each role whose function has been invoked: only those have credentials."""
    at = targets_of(here.cloud, MAIL_FROM)
    invoked = {name for name, count in here.cloud.invocations().items() if count}
    specs = [spec for spec in FUNCTIONS if spec.name in invoked]
    clients = _clients(here, specs, at)

    def one(spec: Function) -> Tried:
        credentials = _valid_credentials(here.cloud, clients, spec.name)
        if credentials is None:
            return Tried([spec.name], faults=[f"{spec.name} was invoked but its credentials are not valid"])
        with acting_as(credentials):
            return _try(spec.name, at.roles[spec.name], clients, forbidden(spec, at), permitted(spec, at))

    with ThreadPoolExecutor(THREADS) as pool:
        return _sum(pool.map(one, specs))


def _clients(here: Deployed, specs: Iterable[Function], at: Targets) -> RoleClients:
    clients = RoleClients(here.site, threads=THREADS)
    for spec in specs:
        for each in (*forbidden(spec, at), *permitted(spec, at)):
            clients.make(each.service, over_tls=each.over_tls)
    return clients


def _valid_credentials(cloud: Cloud, clients: RoleClients, name: str) -> ReadOnlyCredentials | None:
    """Those of the function, or of a version: the deployment invokes a version of `migrate`."""
    function = cloud.functions[name]
    versions = cloud.client("lambda").list_versions_by_function(FunctionName=function["FunctionName"])
    for each in (function, *versions["Versions"]):
        credentials = credentials_of(each)
        with acting_as(credentials):
            if not _outcome(clients, WHO_AM_I):
                return credentials
    return None


def _try(
    function: str, role: str, clients: RoleClients, no: Iterable[Attempt], yes: Iterable[Attempt]
) -> Tried:
    tried = Tried([function])
    for attempt in no:
        outcome = _outcome(clients, attempt)
        if is_refused(outcome, attempt, role):
            tried.refused += 1
        else:
            tried.faults.append(f"{function} was not refused {attempt}: {outcome or 'it succeeded'}")
    for attempt in yes:
        outcome = _outcome(clients, attempt)
        if outcome.startswith(DENIED) or "not authorized" in outcome:
            tried.faults.append(f"{function} was refused {attempt}, which it needs: {outcome}")
        else:
            tried.allowed += 1
    return tried


def is_refused(outcome: str, attempt: Attempt, role: str) -> bool:
    """Whether a call ended as it must: refused to this role, for this action, for the expected reason."""
    if attempt.refusal == OTHER_CONTEXT:
        return outcome.startswith(OTHER_CONTEXT)
    return (
        f"assumed-role/{role}/" in outcome
        and f"not authorized to perform: {attempt.action} " in outcome
        and attempt.refusal.format(action=attempt.action) in outcome
    )


def _outcome(clients: RoleClients, attempt: Attempt) -> str:
    """Code and message of a call's error; empty if it succeeded."""
    client = clients.make(attempt.service, over_tls=attempt.over_tls)
    call: Any = getattr(client, attempt.operation)
    try:
        call(**attempt.parameters)
    except ClientError as fault:
        error = fault.response["Error"]
        return f"{error['Code']}: {error.get('Message', '')}"
    return ""


def _sum(each_role: Iterable[Tried]) -> Tried:
    whole = Tried()
    for tried in each_role:
        whole.roles += tried.roles
        whole.refused += tried.refused
        whole.allowed += tried.allowed
        whole.faults += tried.faults
    return whole
