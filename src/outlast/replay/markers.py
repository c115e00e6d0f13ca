"""The markers that the SDK writes into history for itself, in the format of the official core: patches and local activities."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import msgspec
from temporalio.api.common.v1 import Payload

from outlast.replay import kinds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from temporalio.api.command.v1 import RecordMarkerCommandAttributes
    from temporalio.api.common.v1 import Payloads
    from temporalio.api.failure.v1 import Failure
    from temporalio.api.history.v1 import HistoryEvent, MarkerRecordedEventAttributes

PATCH: Final = "core_patch"
LOCAL_ACTIVITY: Final = "core_local_activity"
_PATCH_DATA: Final = "patch-data"


class LocalActivityMark(msgspec.Struct, frozen=True):
    """What a marker tells of a local activity that ended, or that will be tried again after a timer (`backoff_ns`)."""

    seq: int
    attempt: int
    activity_id: str
    activity_type: str
    completed_at_ns: int | None
    """By the workflow's clock."""
    backoff_ns: int | None
    scheduled_at_ns: int | None
    """By the worker's clock, of the first attempt."""
    result: Payload | None = None
    failure: Failure | None = None


def json_payload(value: Any) -> Payload:
    data = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return Payload(metadata={"encoding": b"json/plain"}, data=data)


def patch_details(patch_id: str, *, deprecated: bool) -> dict[str, Any]:
    return {_PATCH_DATA: {"payloads": [json_payload({"id": patch_id, "deprecated": deprecated})]}}


def read_patch(event: HistoryEvent) -> tuple[str, bool] | None:
    """The id of the patch that an event marks, and whether it is deprecated; None if it is not such a marker."""
    if event.event_type != kinds.MARKER_RECORDED:
        return None
    attributes = event.marker_recorded_event_attributes
    if attributes.marker_name != PATCH:
        return None
    if _PATCH_DATA in attributes.details:
        data = json.loads(attributes.details[_PATCH_DATA].payloads[0].data)
        return data["id"], bool(data.get("deprecated"))
    return _read_old_patch(attributes.details)


def _read_old_patch(details: Mapping[str, Payloads]) -> tuple[str, bool] | None:
    """The format of the official core's first versions: plain bytes."""
    if "patch_id" not in details or "deprecated" not in details:
        return None
    deprecated = details["deprecated"].payloads[0].data
    return details["patch_id"].payloads[0].data.decode(), bool(deprecated and deprecated[0])


def local_activity_details(mark: LocalActivityMark) -> dict[str, Any]:
    data = {
        "seq": mark.seq,
        "attempt": mark.attempt,
        "activity_id": mark.activity_id,
        "activity_type": mark.activity_type,
        "complete_time": _split(mark.completed_at_ns),
        "backoff": _split(mark.backoff_ns),
        "original_schedule_time": _split(mark.scheduled_at_ns),
    }
    details: dict[str, Any] = {"data": {"payloads": [json_payload(data)]}}
    if mark.result is not None:
        details["result"] = {"payloads": [mark.result]}
    return details


def is_local_activity(event: HistoryEvent) -> bool:
    return event.event_type == kinds.MARKER_RECORDED and event.marker_recorded_event_attributes.marker_name == LOCAL_ACTIVITY


def activity_of_marker(attributes: RecordMarkerCommandAttributes | MarkerRecordedEventAttributes) -> tuple[str, str]:
    """Id and type of the local activity that a marker, written or to be written, tells of."""
    data = json.loads(attributes.details["data"].payloads[0].data)
    return data["activity_id"], data["activity_type"]


def read_local_activity(attributes: MarkerRecordedEventAttributes) -> LocalActivityMark:
    data = json.loads(attributes.details["data"].payloads[0].data)
    results = attributes.details["result"].payloads if "result" in attributes.details else ()
    return LocalActivityMark(
        seq=data["seq"],
        attempt=data["attempt"],
        activity_id=data["activity_id"],
        activity_type=data["activity_type"],
        completed_at_ns=_join(data.get("complete_time")),
        backoff_ns=_join(data.get("backoff")),
        scheduled_at_ns=_join(data.get("original_schedule_time")),
        result=results[0] if results else None,
        failure=attributes.failure if attributes.HasField("failure") else None,
    )


def _split(ns: int | None) -> dict[str, int] | None:
    if ns is None:
        return None
    seconds, nanos = divmod(ns, 1_000_000_000)
    return {"seconds": seconds, "nanos": nanos}


def _join(value: dict[str, int] | None) -> int | None:
    return None if value is None else value["seconds"] * 1_000_000_000 + value["nanos"]
