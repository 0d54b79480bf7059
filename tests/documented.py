"""Holds answers of a running stack against the OpenAPI document.

`running_stack` installs it, so that each answer that a test gets from a stack by httpx is compared:
its status, content type and body must be documented for its operation.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpx
import msgspec
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from functions.page.headers import content_security_policy
from openapi.build import made

LARGE_BYTES = 64 * 1024
LARGE_COMPARED = 5
"""So many large bodies of each operation and status are compared; smaller ones all."""

_URI = "urn:openapi"
Operation = Mapping[str, Any]


class UndocumentedAnswerError(AssertionError):
    """An answer that the document does not have."""


class DocumentedAnswers:
    """Compares answers with `document`, an OpenAPI document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._registry = Registry().with_resource(_URI, DRAFT202012.create_resource(document))
        self._validators: dict[tuple[str, ...], Draft202012Validator] = {}
        self._seen: Counter[tuple[str, ...]] = Counter()
        literal_first = sorted(document["paths"], key=lambda path: path.count("{"))
        self._paths = [(path, path.split("/")) for path in literal_first]

    def check(self, method: str, path: str, status: int, media: str, body: bytes) -> None:
        """Compare one answer.

        Raises
        ------
        UndocumentedAnswerError
        """
        name, operation = self.operation(method, path)
        if operation is None:
            self._check_unmatched(path, status, body)
            return
        where = f"{method} {name} -> {status}"
        response = operation["responses"].get(str(status))
        if response is None:
            raise UndocumentedAnswerError(f"{where} is not documented: {body[:500]!r}")
        place = ("paths", name, method.lower(), "responses", str(status))
        if "$ref" in response:
            place = tuple(response["$ref"].split("/")[1:])
            response = self._document["components"]["responses"][place[-1]]
        content = response.get("content")
        if content is None or method == "HEAD":
            if body:
                raise UndocumentedAnswerError(f"{where} has no documented body: {body[:500]!r}")
            return
        kind = _of_media(content, media)
        if kind is None:
            raise UndocumentedAnswerError(f"{where} has the content type {media!r}, not one of {[*content]}")
        if media.startswith("application/json") and self._is_compared((where, kind), body):
            self._validate((*place, "content", kind, "schema"), body, where)

    def operation(self, method: str, path: str) -> tuple[str, Operation | None]:
        """The operation of a request with its path in the document; None for a request without one."""
        segments = path.split("/")
        for name, pattern in self._paths:
            if len(pattern) == len(segments) and all(map(_fits, pattern, segments)):
                found = self._document["paths"][name].get(method.lower())
                if found is not None:
                    return name, found
        return path, None

    def _check_unmatched(self, path: str, status: int, body: bytes) -> None:
        """404 and 405 in our form are documented for all paths; handshakes of clients are on their pages."""
        kind = {404: "NotFound", 405: "MethodNotAllowed"}.get(status)
        if kind and path.startswith("/v1/"):
            pointer = ("components", "responses", kind, "content", "application/json", "schema")
            self._validate(pointer, body, f"{path} -> {status}")

    def _is_compared(self, key: tuple[str, ...], body: bytes) -> bool:
        if len(body) <= LARGE_BYTES:
            return True
        self._seen[key] += 1
        return self._seen[key] <= LARGE_COMPARED

    def _validate(self, pointer: tuple[str, ...], body: bytes, where: str) -> None:
        if pointer not in self._validators:
            escaped = "/".join(part.replace("~", "~0").replace("/", "~1") for part in pointer)
            reference = {"$ref": f"{_URI}#/{escaped.replace('{', '%7B').replace('}', '%7D')}"}
            self._validators[pointer] = Draft202012Validator(reference, registry=self._registry)
        errors = [
            f"{each.json_path}: {each.message}"
            for each in self._validators[pointer].iter_errors(msgspec.json.decode(body))
        ]
        if errors:
            raise UndocumentedAnswerError(f"{where}: {'; '.join(errors)[:1000]}: {body[:500]!r}")


def _fits(part: str, segment: str) -> bool:
    return bool(segment) if part.startswith("{") else part == segment


def _of_media(content: Mapping[str, Any], media: str) -> str | None:
    """The documented content type that `media` is."""
    plain = media.partition(";")[0].strip()
    return next((each for each in content if each.partition(";")[0] == plain), None)


@cache
def documented_answers() -> DocumentedAnswers:
    """Of the document of this clone."""
    return DocumentedAnswers(made())


def _is_page(response: httpx.Response) -> bool:
    """Whether the response is a file of the dashboard, which the document does not describe."""
    before, _, _ = content_security_policy().partition("connect-src")
    return response.headers.get("content-security-policy", "").startswith(before)


@contextmanager
def comparing_answers(api: str) -> Iterator[None]:
    """Within the block, compare each answer that this process gets by httpx from `api`."""
    send = httpx.Client.send
    # Here and not at the first answer: Python 3.11 cannot parse modules in two threads at once.
    documented = documented_answers()

    def compared(self: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        response = send(self, request, **options)
        if str(request.url).startswith(api) and not options.get("stream") and not _is_page(response):
            documented.check(
                request.method,
                request.url.path,
                response.status_code,
                response.headers.get("content-type", ""),
                response.content,
            )
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx.Client, "send", compared)
        yield
