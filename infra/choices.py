"""The operator's choices for one installation, given as CDK context (`-c alarm_email=ops@example.org`).

None of them is a secret: context ends up in templates and shells. Secrets are named here, never stored.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from infra.concurrency import LEAST_ACCOUNT, reserving
from infra.perimeter import Perimeter, PerimeterError, perimeter_from_context
from infra.topology import FUNCTIONS, REFERENCE_KINDS, SECRETS, Function, StageNames, Throttle

SUM = "sum"
EACH = "each"
"""Values of `function_alarms`."""


class ChoiceError(ValueError):
    """The context contradicts itself; the message names the missing or wrong value."""


@dataclass(frozen=True, slots=True)
class CognitoSender:
    """From whom Cognito mails its codes, through SES. `identity`: the domain or address that SES verified."""

    address: str
    identity: str


@dataclass(frozen=True, slots=True)
class Choices:
    """One installation.

    `secret_names`: topology name of a secret -> its name in Secrets Manager, where the operator stores it
    before the first deployment. `warehouse-<function>` is the secret of a function with its own ClickHouse
    user.
    `customers_accounts`: AWS accounts whose buckets may notify us of files directly.
    `settings`: plain topology settings that this installation overrides, such as `warehouse_engine`.
    `domain` and `certificate_arn` (ACM, in the stack's own region) must be set together.
    `lambda_concurrency`: the AWS account's concurrent executions in this region, from which functions reserve
    their shares; None for no reservations. `throttle_scale`: factor for the gateway's throttles.
    `names`: names with the installation's stage. `mail_identity`: what SES verified, None for the domain of
    the setting `mail_from`. `deletion_protection`: of the data stack and of what is in it; off only while
    it is created, so that a failure can be rolled back.
    `function_alarms`: one alarm for the SUM of all functions of the account, or alarms for EACH function.
    `perimeter`: CloudFront, firewall, network and the bound of the cost alarms. With CloudFront, `domain` is
    its name and the certificate is in us-east-1.
    """

    secret_names: dict[str, str]
    names: StageNames = field(default_factory=StageNames)
    mail_identity: str | None = None
    deletion_protection: bool = True
    settings: dict[str, str] = field(default_factory=dict)
    alarm_email: str | None = None
    customers_accounts: tuple[str, ...] = ()
    domain: str | None = None
    certificate_arn: str | None = None
    lambda_concurrency: int | None = None
    throttle_scale: float = 1.0
    function_alarms: str = SUM
    perimeter: Perimeter = field(default_factory=Perimeter)

    def __post_init__(self) -> None:
        if self.lambda_concurrency is not None and self.lambda_concurrency < LEAST_ACCOUNT:
            raise ChoiceError(
                f"'-c lambda_concurrency=…' must be at least {LEAST_ACCOUNT}. In a smaller "
                "account leave it out: nothing is reserved."
            )
        if self.function_alarms not in (SUM, EACH):
            raise ChoiceError(f"'-c function_alarms=…' must be '{SUM}' or '{EACH}'.")
        if not 0 < self.throttle_scale < float("inf"):
            raise ChoiceError("'-c throttle_scale=…' must be a number above 0.")
        if (self.domain is None) != (self.certificate_arn is None):
            raise ChoiceError("A custom domain needs both '-c domain=…' and '-c certificate_arn=…'.")
        _check_sender(self.settings.get("mail_from"), self.mail_identity)
        if self.perimeter.edge and ":us-east-1:" not in (self.certificate_arn or ""):
            raise ChoiceError("CloudFront needs '-c domain=…' and a '-c certificate_arn=…' in us-east-1.")
        if not all(each.isascii() and each.isdigit() and len(each) == 12 for each in self.customers_accounts):
            raise ChoiceError(
                "'-c customers_accounts=…' must be AWS account ids of 12 digits, separated by commas."
            )

    @property
    def cognito_sender(self) -> CognitoSender | None:
        """From whom Cognito mails; None until the operator chooses an address."""
        address = self.settings.get("mail_from")
        if address is None:
            return None
        return CognitoSender(address, self.mail_identity or address.partition("@")[2])

    def applied_to(self, function: Function) -> Function:
        """`function` with this installation's settings in place of the topology's."""
        chosen = {name: self.settings.get(name, value) for name, value in function.settings.items()}
        if self.names.stage:
            chosen["metrics_namespace"] = self.names.metrics_namespace
        chosen |= self.perimeter.settings_of(function)
        own = own_secret(function)
        if own not in self.secret_names:
            return replace(function, settings=chosen)
        settings = {name: value.replace(SHARED, f"secret:{own}") for name, value in chosen.items()}
        grants = tuple(grant.replace(SHARED, f"secret:{own}") for grant in function.grants)
        return replace(function, settings=settings, grants=grants)

    def reserving(self, function: Function) -> Function:
        """`function` with its reserved concurrency in this installation."""
        return reserving(function, self.lambda_concurrency)

    def scaled(self, throttle: Throttle) -> Throttle:
        """`throttle` in this installation: at least one request a second."""
        rate, burst = (max(1, round(each * self.throttle_scale)) for each in (throttle.rate, throttle.burst))
        return Throttle(rate, burst)


SHARED = "secret:warehouse"
"""Address of our ClickHouse, with the user that functions share unless the operator chose otherwise."""


def own_secret(function: Function) -> str:
    """Name of the secret that only `function` reads, if the operator set one."""
    return f"warehouse-{function.name}"


def from_context(look_up: Callable[[str], Any]) -> Choices:
    """Read the choices; `look_up` returns a context value or None.

    Keys: `stage`, `alarm_email`, `customers_accounts`, `domain`, `certificate_arn`, `lambda_concurrency`,
    `throttle_scale`, `function_alarms`, `mail_identity`, `deletion_protection`, and those of
    `infra.perimeter`. For each secret `<name>_secret`, by default `astralog/<name>`, or
    `astralog/<stage>/<name>`. For each function that reads the secret `warehouse`,
    `<function>_warehouse_secret` for a secret of its own. Any setting of the topology that is not a reference
    to a resource.

    Raises
    ------
    ChoiceError: only one of two values that belong together is set, or a value is not a number.
    """
    scale = _number(look_up, "throttle_scale", float)
    names = _names(look_up)
    return Choices(
        secret_names={
            **{name: look_up(f"{name}_secret") or names.secret(name) for name in SECRETS},
            **_own_secret_names(look_up),
        },
        names=names,
        mail_identity=look_up("mail_identity"),
        deletion_protection=_protection(look_up),
        settings={name: str(look_up(name)) for name in _plain_settings() if look_up(name) is not None},
        alarm_email=look_up("alarm_email"),
        customers_accounts=tuple(filter(None, str(look_up("customers_accounts") or "").split(","))),
        domain=look_up("domain"),
        certificate_arn=look_up("certificate_arn"),
        lambda_concurrency=_number(look_up, "lambda_concurrency", int),
        throttle_scale=1.0 if scale is None else scale,
        function_alarms=look_up("function_alarms") or SUM,
        perimeter=_perimeter(look_up, names.secret("edge")),
    )


def _names(look_up: Callable[[str], Any]) -> StageNames:
    try:
        return StageNames(str(look_up("stage") or ""))
    except ValueError as fault:
        raise ChoiceError(f"'-c stage=…': {fault}.") from None


def _protection(look_up: Callable[[str], Any]) -> bool:
    given: str | None = look_up("deletion_protection")
    if given not in (None, "true", "false"):
        raise ChoiceError("'-c deletion_protection=…' must be true or false.")
    return given != "false"


def _check_sender(address: str | None, identity: str | None) -> None:
    """Raise ChoiceError for a sender that SES would reject, which fails the deployment of the user pool."""
    if address is None:
        if identity is not None:
            raise ChoiceError("'-c mail_identity=…' also needs '-c mail_from=…'.")
        return
    name, _, domain = address.rpartition("@")
    if not name or "." not in domain or any(each in address for each in " <>,"):
        raise ChoiceError("'-c mail_from=…' must be a plain address such as no-reply@example.com.")
    if identity not in (None, address) and not f".{domain}".endswith(f".{identity}"):
        raise ChoiceError("'-c mail_identity=…' must be the address of mail_from or its domain.")


def _perimeter(look_up: Callable[[str], Any], edge_secret: str) -> Perimeter:
    try:
        return perimeter_from_context(look_up, edge_secret)
    except PerimeterError as fault:
        raise ChoiceError(str(fault)) from None


N = TypeVar("N", int, float)


def _number(look_up: Callable[[str], Any], name: str, kind: type[N]) -> N | None:
    given = look_up(name)
    try:
        return None if given is None else kind(given)
    except ValueError:
        raise ChoiceError(f"'-c {name}=…' must be a number.") from None


def _own_secret_names(look_up: Callable[[str], Any]) -> dict[str, str]:
    readers = [function for function in FUNCTIONS if SHARED in function.settings.values()]
    given = {own_secret(each): look_up(f"{each.name}_warehouse_secret") for each in readers}
    return {ours: str(name) for ours, name in given.items() if name}


NEVER_DEPLOYED = frozenset({"allow_loopback_destinations"})
"""Settings for the local stack only: deployed, this one would let customers reach our own network."""


def _plain_settings() -> set[str]:
    """Names of settings whose values are plain, not a reference to a resource (`kind:name`)."""
    plain = {
        name
        for function in FUNCTIONS
        for name, value in function.settings.items()
        if value.partition(":")[0] not in REFERENCE_KINDS
    }
    return plain - NEVER_DEPLOYED
