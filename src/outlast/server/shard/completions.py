"""What a completion callback is sent, and what its answer means: Nexus operation completions over HTTP (platform.md 7.6)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import quote, urlencode

from google.protobuf import json_format
from temporalio.api.common.v1 import Callback as WireCallback
from temporalio.api.common.v1 import Link, Payload, Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.update.v1 import Outcome

from outlast.engine.state import Callback, Run
from outlast.engine.wire import moment
from outlast.server.shard.protocol import Answer, Post

_SECOND = 1_000_000_000
_FAILURE_TYPE = Failure.DESCRIPTOR.full_name


def of_run(callback: Callback, run: Run, attached_by: int, closed: HistoryEvent) -> Post:
    """How the run ended, for one that is attached to it; `attached_by` is the kind of the event that brought it."""
    link = Link.WorkflowEvent(namespace=run.namespace, workflow_id=run.workflow_id, run_id=run.run_id)
    if attached_by == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED:
        link.request_id_ref.request_id = callback.request_id
        link.request_id_ref.event_type = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED
    else:
        link.event_ref.event_id = 1
        link.event_ref.event_type = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
    state, headers, body = _close_content(closed)
    return _post(callback, state, headers, body, link, run.start_time, moment(closed.event_time))


def of_update(callback: Callback, run: Run, attached_by: int, outcome: Outcome, when: int) -> Post:
    """The outcome of an update, for one that is attached to it."""
    link = Link.WorkflowEvent(namespace=run.namespace, workflow_id=run.workflow_id, run_id=run.run_id)
    if attached_by:
        link.request_id_ref.request_id = callback.request_id
        link.request_id_ref.event_type = attached_by  # type: ignore[assignment]
    if outcome.HasField("failure"):
        state, headers, body = "failed", *_failure_content(outcome.failure)
    else:
        state, headers, body = "succeeded", *_result_content(outcome.success)
    return _post(callback, state, headers, body, link, run.start_time, when)


def _post(
    callback: Callback, state: str, content: Mapping[str, str], body: bytes, link: Link.WorkflowEvent, start_time: int, close_time: int
) -> Post:
    nexus = WireCallback.FromString(callback.data).nexus
    headers = {**content, "nexus-operation-state": state, **{name.lower(): value for name, value in nexus.header.items()}}
    started = datetime.fromtimestamp(start_time // _SECOND, UTC)
    headers.setdefault("nexus-operation-start-time", format_datetime(started, usegmt=True))
    headers.setdefault("nexus-operation-close-time", _rfc3339(close_time))
    headers.setdefault("nexus-link", f'<{_link_url(link)}>; type="{Link.WorkflowEvent.DESCRIPTOR.full_name}"')
    return Post(nexus.url, headers, body)


def _close_content(closed: HistoryEvent) -> tuple[str, Mapping[str, str], bytes]:
    """State, headers and body for a closing event. Reasons of a termination stay inside."""
    kind = closed.event_type
    failure = Failure()
    if kind == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
        return "succeeded", *_result_content(closed.workflow_execution_completed_event_attributes.result)
    if kind == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
        return "failed", *_failure_content(closed.workflow_execution_failed_event_attributes.failure)
    if kind == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
        canceled = closed.workflow_execution_canceled_event_attributes
        failure.message = "operation canceled"
        failure.canceled_failure_info.SetInParent()
        if canceled.HasField("details"):
            failure.canceled_failure_info.details.CopyFrom(canceled.details)
        return "canceled", *_failure_content(failure)
    if kind == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
        failure.message = "operation terminated"
        failure.terminated_failure_info.SetInParent()
    else:
        failure.message = "operation exceeded internal timeout"
        failure.timeout_failure_info.SetInParent()
    return "failed", *_failure_content(failure)


def _result_content(result: Payloads) -> tuple[Mapping[str, str], bytes]:
    """The first payload as an HTTP content. What its metadata cannot say in HTTP's words goes as a whole message."""
    if not result.payloads:
        return {}, b""
    payload = result.payloads[0]
    metadata = {name: value.decode(errors="replace") for name, value in payload.metadata.items()}
    encoding, message_type = metadata.pop("encoding", ""), metadata.get("messageType", "")
    if encoding == "unknown/nexus-content":
        return {f"content-{name.lower()}": value for name, value in metadata.items()}, payload.data
    if encoding in _PROTOBUF and set(metadata) == {"messageType"} and message_type:
        return {"content-type": f'{_PROTOBUF[encoding]}; message-type="{message_type}"'}, payload.data
    if encoding in _PLAIN and not metadata:
        return _PLAIN[encoding], payload.data
    return {"content-type": "application/x-temporal-payload"}, Payload.SerializeToString(payload)


_PROTOBUF = {"json/protobuf": "application/json; format=protobuf", "binary/protobuf": "application/x-protobuf"}
_PLAIN: Mapping[str, Mapping[str, str]] = {
    "json/plain": {"content-type": "application/json"},
    "binary/plain": {"content-type": "application/octet-stream"},
    "binary/null": {},
}


def _failure_content(failure: Failure) -> tuple[Mapping[str, str], bytes]:
    return {"content-type": "application/json"}, json.dumps(_nexus_failure(failure)).encode()


def _nexus_failure(failure: Failure) -> dict[str, object]:
    """A failure in Nexus's form: message, trace and cause outside, all else as details."""
    bare = Failure()
    bare.CopyFrom(failure)
    bare.ClearField("message")
    bare.ClearField("stack_trace")
    made: dict[str, object] = {"message": failure.message, "metadata": {"type": _FAILURE_TYPE}, "details": json_format.MessageToDict(bare)}
    if failure.stack_trace:
        made["stackTrace"] = failure.stack_trace
    if failure.HasField("cause"):
        made["cause"] = _nexus_failure(failure.cause)
    return made


def _link_url(link: Link.WorkflowEvent) -> str:
    place = "/".join(quote(part, safe="$&+=:@") for part in (link.workflow_id, link.run_id))
    url = f"temporal:///namespaces/{quote(link.namespace, safe='$&+=:@')}/workflows/{place}/history"
    if link.HasField("request_id_ref"):
        by_request = link.request_id_ref
        query = {
            "eventType": _event_name(by_request.event_type),
            "referenceType": "RequestIdReference",
            "requestID": by_request.request_id,
        }
    elif link.HasField("event_ref"):
        query = {"eventID": "1", "eventType": _event_name(link.event_ref.event_type), "referenceType": "EventReference"}
    else:
        return url
    return f"{url}?{urlencode(query)}"


def _event_name(kind: EventType.ValueType) -> str:
    return "".join(word.capitalize() for word in EventType.Name(kind).removeprefix("EVENT_TYPE_").split("_"))


def _rfc3339(when: int) -> str:
    seconds, nanos = divmod(when, _SECOND)
    fraction = f".{nanos:09d}" if nanos else ""
    for _ in range(2):
        fraction = fraction.removesuffix("000")
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}{fraction}Z"


# Answers

_KINDS = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    403: "UNAUTHORIZED",
    404: "NOT_FOUND",
    408: "REQUEST_TIMEOUT",
    409: "CONFLICT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "NOT_IMPLEMENTED",
    503: "UNAVAILABLE",
    520: "UPSTREAM_TIMEOUT",
}
"""HTTP's status codes and Nexus's names for them."""
_FINAL = frozenset({"BAD_REQUEST", "UNAUTHENTICATED", "UNAUTHORIZED", "NOT_FOUND", "CONFLICT", "NOT_IMPLEMENTED"})


def verdict(answer: Answer) -> tuple[str, bool]:
    """What is wrong with an answer (empty: nothing), and whether another attempt may succeed."""
    if 200 <= answer.status < 300:
        return "", False
    said = _said(answer)
    if _metadata(said).get("type") == "nexus.HandlerError":
        details = said.get("details")
        details = details if isinstance(details, dict) else {}
        kind = str(details.get("type") or "INTERNAL")
        text = f"handler error ({kind}): {said['message']}" if said.get("message") else f"handler error ({kind})"
        override = details.get("retryableOverride")
        return text, override if isinstance(override, bool) else kind not in _FINAL
    kind = _KINDS.get(answer.status, "")
    if not kind:
        text = f'unexpected response status: "{answer.status} {answer.reason}"'
        return (f"{text}: {said['message']}" if said.get("message") else text), True
    override = {"true": True, "false": False}.get(answer.headers.get("nexus-request-retryable", "").lower())
    return f"handler error ({kind})", kind not in _FINAL if override is None else override


def _said(answer: Answer) -> Mapping[str, object]:
    """The failure in the body, if there is one."""
    if answer.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return {}
    try:
        said = json.loads(answer.body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _metadata(said: Mapping[str, object]) -> Mapping[str, object]:
    metadata = said.get("metadata")
    return metadata if isinstance(metadata, dict) else {}
