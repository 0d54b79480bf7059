"""As Splunk's HTTP Event Collector."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from functions.ingest.openapi.shapes import PLAIN, STATUSES, RejectedRecord
from functions.shared.openapi import JSON, Body, ErrorForm, Operation, Operations, Parameter, Reply, Schema


class SplunkResult(Struct, rename={"first_invalid": "invalid-event-number"}):
    """Splunk's: code 0 is success. With rejected events, `errors` describes them."""

    text: str
    code: int
    first_invalid: int | UnsetType = UNSET
    ackId: int | UnsetType = UNSET  # noqa: N815 - Splunk's name
    accepted: int | UnsetType = UNSET
    rejected: int | UnsetType = UNSET
    errors: list[RejectedRecord] | UnsetType = UNSET


class SplunkAcks(Struct):
    """Ids to ask for."""

    acks: list[int]


class SplunkAckStates(Struct):
    """By id; all are true, because a 200 means that the events are durable."""

    acks: dict[str, Literal[True]]


_SPLUNK_FORM = ErrorForm({JSON: SplunkResult}, (*STATUSES, 404))

_HEC_EVENT: Schema = {"type": "object", "properties": {"event": {}, "time": {"type": ["number", "string"]}}}

_HEC_EXAMPLE = {"event": "order 42 shipped", "sourcetype": "checkout"}

_HEC_ACCEPTED = Reply("Durable, if `code` is 0.", SplunkResult, {"text": "Success", "code": 0})

_CHANNEL = Parameter("channel", "The client's channel, for acknowledgements.")


def _hec(name: str, title: str, body: Body) -> Operation:
    return Operation(
        name,
        title,
        "ingest",
        {200: _HEC_ACCEPTED},
        parameters=(_CHANNEL,),
        body=body,
        error_form=_SPLUNK_FORM,
        page="clients/splunk.md",
    )


_HEC_EVENTS = Body({JSON: _HEC_EVENT}, {JSON: _HEC_EXAMPLE})

OPERATIONS: Operations = {
    "POST /services/collector": _hec(
        "sendHecEventsShort", "Send events as to Splunk, at the short path", _HEC_EVENTS
    ),
    "POST /services/collector/event": _hec(
        "sendHecEvents", "Send events as to Splunk's HTTP Event Collector", _HEC_EVENTS
    ),
    "POST /services/collector/raw": _hec(
        "sendHecLines",
        "Send lines as to Splunk's HTTP Event Collector",
        Body({"text/plain": PLAIN}, {"text/plain": "order 42 shipped\n"}),
    ),
    "POST /services/collector/ack": Operation(
        "getHecAcks",
        "Ask for acknowledgements as at Splunk",
        "any key",
        {200: Reply("By id.", SplunkAckStates, {"acks": {"1": True}})},
        parameters=(_CHANNEL,),
        body=Body.json(SplunkAcks, {"acks": [1]}),
        error_form=_SPLUNK_FORM,
        page="clients/splunk.md",
    ),
}
