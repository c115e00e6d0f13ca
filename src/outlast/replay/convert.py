"""The converters of one run: those of the worker, told what they convert for if they ask to know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.api.sdk.v1 import UserMetadata

from outlast.converter import ActivitySerializationContext, WorkflowSerializationContext
from outlast.exceptions import FailureError

if TYPE_CHECKING:
    from outlast.converter import DataConverter, SerializationContext
    from outlast.workflow import Info


class Converter:
    """Converts for one context."""

    __slots__ = ("_fails_workflow", "_failure", "payload")

    def __init__(self, data_converter: DataConverter, fails_workflow: Callable[[BaseException], bool]) -> None:
        self.payload = data_converter.payload_converter
        self._failure = data_converter.failure_converter
        self._fails_workflow = fails_workflow

    def decode(self, payloads: Sequence[Payload], types: list[type] | None) -> list[Any]:
        """Values of payloads; hints are left out if there are more or fewer than payloads."""
        if not payloads:
            return []
        if types and len(types) != len(payloads):
            types = None
        try:
            return self.payload.from_payloads(payloads, types)
        except FailureError:
            raise
        except Exception as err:
            if self._fails_workflow(err):
                raise
            raise RuntimeError("Failed decoding arguments") from err

    def encode(self, values: Sequence[Any]) -> list[Payload]:
        return self.payload.to_payloads(values) if values else []

    def encode_one(self, value: Any) -> Payload:
        """One value as one payload.

        Raises:
            ValueError: The converter made more or fewer.
        """
        made = self.payload.to_payloads([value])
        if len(made) != 1:
            raise ValueError(f"Expected 1 result payload, got {len(made)}")
        return made[0]

    def error(self, failure: Failure) -> BaseException:
        return self._failure.from_failure(failure, self.payload)

    def failure(self, error: BaseException) -> Failure:
        message = Failure()
        self._failure.to_failure(error, self.payload, message)
        return message

    def metadata(self, summary: str | None, details: str | None = None) -> UserMetadata | None:
        """What the UI shows about a command."""
        if not summary and not details:
            return None
        return UserMetadata(
            summary=self.payload.to_payload(summary) if summary else None,
            details=self.payload.to_payload(details) if details else None,
        )


class Converters:
    """All converters of a run; usually they are one and the same."""

    def __init__(self, data_converter: DataConverter, info: Info, fails_workflow: Callable[[BaseException], bool]) -> None:
        self._data_converter = data_converter
        self._info = info
        self._fails_workflow = fails_workflow
        context = WorkflowSerializationContext(info.namespace, info.workflow_id)
        self._same_for_all = not _takes_context(data_converter, context)
        own = data_converter if self._same_for_all else data_converter.with_context(context)
        self.own = Converter(own, fails_workflow)
        """For what belongs to the workflow itself."""

    def of_workflow(self, workflow_id: str) -> Converter:
        """For what another workflow takes or gives."""
        if self._same_for_all:
            return self.own
        return self._in_context(WorkflowSerializationContext(self._info.namespace, workflow_id))

    def of_activity(self, activity_type: str, activity_id: str | None, task_queue: str, *, is_local: bool) -> Converter:
        """For what an activity takes or gives."""
        if self._same_for_all:
            return self.own
        return self._in_context(
            ActivitySerializationContext(
                namespace=self._info.namespace,
                workflow_id=self._info.workflow_id,
                workflow_type=self._info.workflow_type,
                activity_type=activity_type,
                activity_id=activity_id,
                activity_task_queue=task_queue,
                is_local=is_local,
            )
        )

    def _in_context(self, context: SerializationContext) -> Converter:
        return Converter(self._data_converter.with_context(context), self._fails_workflow)


_known: list[tuple[DataConverter, bool]] = []
"""The converters of the latest workers, and whether they want to know what they convert for."""
_KNOWN_MAX = 8


def _takes_context(data_converter: DataConverter, context: SerializationContext) -> bool:
    for known, takes in _known:
        if known is data_converter:
            return takes
    takes = data_converter.with_context(context) is not data_converter
    _known.insert(0, (data_converter, takes))
    del _known[_KNOWN_MAX:]
    return takes
