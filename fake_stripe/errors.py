"""Errors in the form of Stripe's error object."""

from typing import Any


class ApiError(Exception):
    """A 4xx response: `type`, `code`, `param` and `message` as in the API reference."""

    def __init__(self, status: int, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.status = status
        self.fields = {"message": message, "type": "invalid_request_error", **fields}

    def body(self, request_id: str) -> dict[str, Any]:
        return {"error": {**self.fields, "request_log_url": f"http://127.0.0.1/logs/{request_id}"}}


def invalid(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """An invalid request."""
    return ApiError(400, message, **_given(param=param, code=code))


def missing(kind: str, which: str, param: str, *, in_path: bool) -> ApiError:
    """No such object: 404 if its id is in the path, 400 if in a parameter."""
    status = 404 if in_path else 400
    return ApiError(status, f"No such {kind}: '{which}'", code="resource_missing", param=param)


def unknown_parameter(name: str) -> ApiError:
    return invalid(f"Received unknown parameter: {name}", name, "parameter_unknown")


def required(name: str) -> ApiError:
    return invalid(f"Missing required param: {name}.", name, "parameter_missing")


def not_imitated(what: str) -> ApiError:
    """A feature of Stripe that is not imitated here."""
    return invalid(f"The fake Stripe does not imitate {what}.", code="not_imitated")


def declined(decline_code: str, message: str, **fields: Any) -> ApiError:
    code = "card_declined"
    return ApiError(402, message, type="card_error", code=code, decline_code=decline_code, **fields)


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
