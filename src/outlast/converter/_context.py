"""What is being converted: contexts that converters and codecs may ask for."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import Self


class SerializationContext(ABC):  # noqa: B024 made to be subclassed, with nothing to override
    """Base of the contexts in which values are converted.

    Payloads of a workflow (its input, result, memo, signals, queries, updates, failure) come with the context of that
    workflow, wherever they are converted: a child's are converted with the child's. Payloads of an activity come with the
    context of the activity.
    """


@dataclass(frozen=True)
class WorkflowSerializationContext(SerializationContext):
    """The payload belongs to a workflow."""

    namespace: str
    """Namespace of the workflow."""

    workflow_id: str
    """Id of the workflow that takes or gives the payload. In a schedule it is the prefix of the ids to come."""


@dataclass(frozen=True)
class ActivitySerializationContext(SerializationContext):
    """The payload belongs to an activity."""

    namespace: str
    """Namespace of the activity."""

    activity_id: str | None
    """Id of the activity, where it is known: not always for one that a workflow started."""

    activity_type: str | None
    """Name of the activity, where it is known. Deprecated: do not rely on it."""

    activity_task_queue: str | None
    """Task queue of the activity, where it is known. Deprecated: do not rely on it."""

    workflow_id: str | None
    """Id of the workflow that called it; None if a client did."""

    workflow_type: str | None
    """Name of that workflow's type."""

    is_local: bool
    """Whether it runs inside a workflow task."""


class WithSerializationContext(ABC):  # noqa: B024 its method may be inherited by a class that never calls it
    """A payload converter, encoding payload converter, codec or failure converter that wants to know the context."""

    def with_context(self, context: SerializationContext) -> Self:
        """A copy that works in this context; it is used in place of the original."""
        raise NotImplementedError

    def _asks_for_context(self) -> bool:
        """Whether `with_context` may ever give another object; for those of ours that can tell beforehand."""
        return True


def asks_for_context(part: object) -> bool:
    """Whether a part of a converter may want to know the context. Most do not, and are spared the question for each payload."""
    return isinstance(part, WithSerializationContext) and part._asks_for_context()
