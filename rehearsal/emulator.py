"""The `emulator` child: ministack, run by the Python of `.venv-rehearse`, not as a module of this project.

Its Lambda functions run as processes of the same Python, with the environment of this process. So the
configuration on standard input has the environment, and PYTHONPATH is not in it: a function finds only what
its zip has (and what the emulator has installed).

Schedules fire by the emulator's clock for schedules, which `MovableClock` replaces: a rehearsal moves it
forward instead of waiting for a day.
"""

import json
import os
import sys
import time
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import Any

PROJECT_ROOT = Path(__file__).resolve().parent.parent
SCHEDULE_TICK_SECONDS = 1
SEND_EMAIL_PATH = "/v2/email/outbound-emails"
HEALTH_PATH = "/_ministack/health"


@dataclass(frozen=True, slots=True)
class Configuration:
    """`environment`: variables for the emulator and its functions. `clock`: see MovableClock."""

    environment: dict[str, str]
    clock: str


class MovableClock:
    """Stands for the module `time` in the emulator's scheduler: the time plus the seconds in a file.

    Only schedules see it. All other times, those of the functions included, stay real.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def time(self) -> float:
        return time.time() + float(self._file.read_text())

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


def main() -> None:
    # Python put this script's folder first; its modules must not shadow others.
    sys.path[0] = str(PROJECT_ROOT)
    from local.child import configuration
    from rehearsal.policy_context import (
        authorize_batches,
        authorize_inserts,
        authorize_log_streams,
        show_external_ids,
        show_object_creation,
    )

    config = configuration(Configuration)
    sys.path.pop(0)
    os.environ.clear()
    os.environ.update(config.environment)

    from ministack import app
    from ministack.core import iam_actions
    from ministack.services import lambda_svc, scheduler

    # It would answer GET /health itself, for every host: here that is a route of our own API.
    app._HEALTH_PATHS = (HEALTH_PATH,)  # noqa: SLF001 - it has no setting
    scheduler.time = MovableClock(Path(config.clock))
    scheduler._SCHEDULE_TICK_INTERVAL = SCHEDULE_TICK_SECONDS  # noqa: SLF001 - it has no setting
    count_every_invocation(lambda_svc)
    authorize_mails(app)
    show_encryption_contexts(iam_actions)
    show_object_creation(iam_actions)
    show_external_ids(iam_actions)
    authorize_log_streams(iam_actions)
    authorize_batches(iam_actions)
    authorize_inserts(iam_actions)
    app.main()


def authorize_mails(app: Any) -> None:
    """Authorize SendEmail on the sender's identity and the configuration set, with the sender's address.

    The emulator asks for the permission on `*`, without `ses:FromAddress`, and denies every narrower policy.
    """
    enforce = app._enforce_ses_v2  # noqa: SLF001 - the emulator's own
    enforce_on = app._enforce_data_plane  # noqa: SLF001

    def enforced(
        method: str, path: str, headers: Any, body: bytes, query_params: Any, request_id: str
    ) -> Any:
        if (method, path) != ("POST", SEND_EMAIL_PATH):
            return enforce(method, path, headers, body, query_params, request_id)
        sent = json.loads(body)
        address = parseaddr(sent["FromEmailAddress"])[1]
        account, region = os.environ["MINISTACK_ACCOUNT_ID"], os.environ["MINISTACK_REGION"]
        resources = [f"identity/{address.partition('@')[2]}"]
        if name := sent.get("ConfigurationSetName"):
            resources.append(f"configuration-set/{name}")
        refusals = (
            enforce_on(
                "sesv2",
                "ses:SendEmail",
                headers,
                query_params,
                request_id,
                resource_arn=f"arn:aws:ses:{region}:{account}:{resource}",
                service_context={"ses:FromAddress": address},
                named_resource=f"arn:aws:ses:{region}:{account}:{resource}",
            )
            for resource in resources
        )
        return next(filter(None, refusals), None)

    app._enforce_ses_v2 = enforced  # noqa: SLF001


def show_encryption_contexts(iam_actions: Any) -> None:
    """Give policies the condition keys `kms:EncryptionContext:<name>` of a request; the emulator has none."""
    tags_of = iam_actions.request_tag_context

    def keys_of(service: str, action: str, body: bytes, params: Any) -> dict[str, Any]:
        keys: dict[str, Any] = tags_of(service, action, body, params)
        if service == "kms":
            context = json.loads(body or b"{}").get("EncryptionContext") or {}
            keys |= {f"kms:EncryptionContext:{name}": value for name, value in context.items()}
        return keys

    iam_actions.request_tag_context = keys_of


def count_every_invocation(lambda_svc: Any) -> None:
    """Publish AWS/Lambda metrics of each invocation; the emulator does so for the Invoke call only.

    Its routes, schedules and event source mappings all pass the function that is wrapped here.
    """
    publish = lambda_svc._emit_lambda_metrics  # noqa: SLF001 - the emulator's own, called as it calls it
    dispatch = lambda_svc._execute_function_dispatch  # noqa: SLF001

    def counted(func: Any, config: dict[str, Any], event: Any, request_id: str, started: float) -> Any:
        result = dispatch(func, config, event, request_id, started)
        milliseconds = 1000 * (time.time() - started)
        publish(config["FunctionName"], milliseconds, error=bool(result.get("error")), throttle=False)
        return result

    def throttled(name: str, duration_ms: float, error: bool, throttle: bool) -> None:
        if throttle:
            publish(name, duration_ms, error=error, throttle=throttle)

    lambda_svc._execute_function_dispatch = counted  # noqa: SLF001
    lambda_svc._emit_lambda_metrics = throttled  # noqa: SLF001


if __name__ == "__main__":
    main()
