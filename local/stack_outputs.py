"""CloudFormation's DescribeStacks for this machine: the outputs by which operators' commands find resources.

There are no stacks here. moto's CloudFormation would load every service that it can deploy, 160 MB and three
seconds, for the two descriptions that are read.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from infra.topology import API_URL, OUTPUTS, StageNames
from local.endpoints import Endpoints
from local.variables import resolved

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SCOPE = "/cloudformation/aws4_request"
NAMES = StageNames()


def outputs(endpoints: Endpoints) -> dict[str, dict[str, str]]:
    """Stack -> name and value of its outputs, as the stacks of the default stage have them."""
    return {
        NAMES.data_stack: {name: resolved(reference, endpoints) for name, reference in OUTPUTS.items()},
        NAMES.compute_stack: {API_URL: endpoints.services["api"]},
    }


class DescribeStacks:
    """WSGI middleware that answers DescribeStacks for one stack; every other action is rejected."""

    def __init__(self, application: "WSGIApplication", stacks: Mapping[str, Mapping[str, str]]) -> None:
        self._application = application
        self._stacks = stacks

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if SCOPE not in environ.get("HTTP_AUTHORIZATION", ""):
            return self._application(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        form = parse_qs(body.decode())
        status, answer = self._answer(form.get("Action", [""])[0], form.get("StackName", [""])[0])
        content = answer.encode()
        start_response(status, [("Content-Type", "text/xml"), ("Content-Length", str(len(content)))])
        return [content]

    def _answer(self, action: str, name: str) -> tuple[str, str]:
        if action != "DescribeStacks":
            return _error("InvalidAction", f"The local stack has no {action}")
        if name not in self._stacks:
            return _error("ValidationError", f"Stack with id {name} does not exist")
        members = "".join(
            f"<member><OutputKey>{key}</OutputKey><OutputValue>{escape(value)}</OutputValue></member>"
            for key, value in self._stacks[name].items()
        )
        return "200 OK", (
            "<DescribeStacksResponse><DescribeStacksResult><Stacks><member>"
            f"<StackName>{name}</StackName><StackId>local/{name}</StackId>"
            f"<StackStatus>CREATE_COMPLETE</StackStatus><Outputs>{members}</Outputs>"
            "</member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
        )


def _error(code: str, message: str) -> tuple[str, str]:
    return "400 Bad Request", (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message>"
        "</Error></ErrorResponse>"
    )
