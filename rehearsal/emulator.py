"""The `emulator` child: ministack, run by the Python of `.venv-rehearse`, not as a module of this project.

Its Lambda functions run as processes of the same Python, with the environment of this process. So the
configuration on standard input has the environment, and PYTHONPATH is not in it: a function finds only what
its zip has (and what the emulator has installed).

Schedules fire by the emulator's clock for schedules, which `MovableClock` replaces: a rehearsal moves it
forward instead of waiting for a day.
"""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT_ROOT = Path(__file__).resolve().parent.parent
SCHEDULE_TICK_SECONDS = 1
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

    config = configuration(Configuration)
    sys.path.pop(0)
    os.environ.clear()
    os.environ.update(config.environment)

    from ministack import app
    from ministack.services import lambda_svc, scheduler

    # It would answer GET /health itself, for every host: here that is a route of our own API.
    app._HEALTH_PATHS = (HEALTH_PATH,)  # noqa: SLF001 - it has no setting
    scheduler.time = MovableClock(Path(config.clock))
    scheduler._SCHEDULE_TICK_INTERVAL = SCHEDULE_TICK_SECONDS  # noqa: SLF001 - it has no setting
    count_every_invocation(lambda_svc)
    app.main()


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
