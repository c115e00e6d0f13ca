"""Turn messages and gRPC errors into plain values in which only meaning is left.

Run ids and other uuids become labels by first appearance, the scenario's own unique suffix vanishes, and times, sizes,
tokens, task ids and versions become placeholders. Whether a field is set at all is kept.
"""

from __future__ import annotations

import math
import re
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.status_pb2 import Status
from temporalio.api.common.v1 import Payload
from temporalio.api.errordetails.v1 import message_pb2 as _errordetails  # noqa: F401  (registers the details in the pool)
from temporalio.api.failure.v1 import message_pb2 as _failure  # noqa: F401

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
HASH = re.compile(r"\([0-9a-f]{8}\)")
ZERO_TIME_SECONDS = -62135596800
LONG_TEXT = 400

# Values that no client may rely on: shown as set or not set, nothing more.
OPAQUE_FIELDS = {
    "task_token",
    "next_page_token",
    "task_id",
    "history_size_bytes",
    "state_transition_count",
    "execution_duration",
    "clock",
    "server_version",
    "cluster_id",
    "cluster_name",
    "history_shard_count",
    "persistence_store",
    "visibility_store",
    "version_info",
    "supported_clients",
    "initial_failover_version",
    "failover_version_increment",
    "active_cluster_name",
    "rate_per_second",
    "long_poll_token",
}
# Hints that come and go from one call to the next on the real server.
HINT_FIELDS = {"backlog_count_hint", "poller_scaling_decision"}
BACKOFF = {"first_workflow_task_backoff"}
# Lists that the real server makes from an unordered map.
UNORDERED_FIELDS = {"pending_activities", "pending_children", "callbacks"}
# Durations that the server computes from the wall clock: rounded up to whole seconds.
CLOCK_DURATIONS = {"first_workflow_task_backoff"}
# A workflow task's timeout is drawn from a range when its attempt is above three.
JITTERED_DURATIONS = {"start_to_close_timeout"}


class Normaliser:
    """Keeps the labels of one scenario on one server."""

    def __init__(self, suffix: str) -> None:
        self._suffix = suffix
        self._labels: dict[str, str] = {}
        self._hidden: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def hide(self, text: str, name: str) -> None:
        """Show `name` wherever `text` stands: something that is another on each server."""
        self._hidden[text] = name

    def message(self, message: Message) -> Any:
        """Return `message` as plain values, fields in declaration order, absent fields left out."""
        if isinstance(message, Timestamp):
            return "<zero time>" if message.seconds == ZERO_TIME_SECONDS else "<time>"
        if isinstance(message, Duration):
            return f"{message.seconds + message.nanos / 1e9:g}s"
        if isinstance(message, Payload):
            return self._payload(message)
        if isinstance(message, AnyMessage):
            return self._any(message)
        fields = sorted(message.ListFields(), key=lambda field: field[0].number)
        hidden = HINT_FIELDS | (BACKOFF if _backoff_depends_on_the_clock(message) else set())
        return {field.name: self._field(field, value) for field, value in fields if field.name not in hidden}

    def error(self, error: grpc.aio.AioRpcError) -> dict[str, Any]:
        """Return code, text, details and resource-exhausted headers of a gRPC error."""
        if error.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
            return {"code": error.code().name}  # whoever noticed first, client or server, chose the words
        answer: dict[str, Any] = {"code": error.code().name, "message": HASH.sub("(<hash>)", self.text(error.details() or "", "text"))}
        for key, value in error.trailing_metadata() or ():
            if key == "grpc-status-details-bin":
                answer["details"] = [self._any(detail) for detail in Status.FromString(value).details]
        headers = {key: value for key, value in error.initial_metadata() or () if key.startswith("x-resource-exhausted")}
        if headers:
            answer["headers"] = headers
        return answer

    def value(self, value: Any) -> Any:
        """Return a plain value (text, number, list, dict) with its texts normalised."""
        if isinstance(value, Message):
            return self.message(value)
        if isinstance(value, str):
            return self.text(value, "text")
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {self.text(str(key), "key"): self.value(item) for key, item in value.items()}
        return value

    def text(self, text: str, kind: str) -> str:
        """Return `text` without the scenario's suffix and with every uuid replaced by its label."""
        for hidden, name in self._hidden.items():
            text = text.replace(hidden, name)
        text = text.replace("\u00a0", " ")  # protobuf's errors are spaced at random as well
        kind = "run" if kind.endswith("run_id") or kind == "text" else kind
        text = re.sub(r"(?<=transaction size of )[0-9]+", "<n>", text)
        text = re.sub(r"(?<=\") +(?=kind:)", " ", text)  # protobuf's text form is spaced at random from build to build
        text = UUID.sub(lambda match: self._label(match.group(), kind), text.replace(self._suffix, ""))
        return text if len(text) <= LONG_TEXT else f"{text[:40]}...<{len(text)} characters>"

    def _label(self, uuid: str, kind: str) -> str:
        if uuid not in self._labels:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._labels[uuid] = f"<{kind} {self._counts[kind]}>"
        return self._labels[uuid]

    def _field(self, field: FieldDescriptor, value: Any) -> Any:
        if field.name in OPAQUE_FIELDS:
            return f"<{field.name}>"
        if field.name in CLOCK_DURATIONS and value.nanos:
            return f"about {math.ceil(value.seconds + value.nanos / 1e9)}s"
        if field.name == "current_retry_interval":
            return f"{round(value.ToTimedelta().total_seconds(), 1):g}s"  # a few microseconds pass in between
        if field.name in JITTERED_DURATIONS and value.nanos:
            return "<jittered>"
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            return self._map(field, value)
        if field.name in UNORDERED_FIELDS:
            return sorted((self._single(field, item) for item in value), key=str)
        if field.is_repeated:
            return [self._single(field, item) for item in value]
        return self._single(field, value)

    def _map(self, field: FieldDescriptor, entries: Any) -> dict[str, Any]:
        if field.name == "custom_search_attribute_aliases":  # which column of its type is chosen at random
            return {alias: column.rstrip("0123456789") for column, alias in sorted(entries.items(), key=lambda entry: entry[1])}
        item_field = field.message_type.fields_by_name["value"]
        ordered = sorted(entries, key=lambda key: self._labels.get(str(key), f"~{key}" if UUID.fullmatch(str(key)) else str(key)))
        return {self.text(str(key), field.name): self._single(item_field, entries[key]) for key in ordered}

    def _single(self, field: FieldDescriptor, value: Any) -> Any:
        if field.message_type is not None:
            return self.message(value)
        if field.enum_type is not None:
            known = field.enum_type.values_by_number.get(value)
            return known.name if known else value
        if isinstance(value, bytes):
            return self.text(value.decode("utf-8", "replace"), field.name)
        if isinstance(value, str):
            return self.text(value, field.name)
        return value

    def _payload(self, payload: Payload) -> Any:
        data = self.text(payload.data.decode("utf-8", "replace"), "text")
        metadata = {key: value.decode("utf-8", "replace") for key, value in sorted(payload.metadata.items())}
        return {"data": data, **({"metadata": metadata} if metadata else {})}

    def _any(self, packed: AnyMessage) -> Any:
        from google.protobuf import message_factory, symbol_database

        name = packed.type_url.rsplit("/", 1)[-1]
        try:
            kind = message_factory.GetMessageClass(symbol_database.Default().pool.FindMessageTypeByName(name))
        except KeyError:
            return {"type": name}
        return {"type": name, **self.message(kind.FromString(packed.value))}


def _backoff_depends_on_the_clock(message: Message) -> bool:
    """Of a cron workflow, and of a run whose predecessor lived less than a second, which a slow machine may make longer."""
    if getattr(message, "cron_schedule", ""):
        return True
    return bool(getattr(message, "continued_execution_run_id", "") and message.first_workflow_task_backoff.nanos)
