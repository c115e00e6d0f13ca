"""Priority and fairness of a workflow's or an activity's tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import temporalio.api.common.v1


@dataclass(frozen=True)
class Priority:
    """Which tasks of a queue come first when there are more than workers can take.

    Lower priority keys come first; among equals, fairness keys share by their weights. What is None is taken from the
    workflow that makes the call.
    """

    priority_key: int | None = None
    """From 1, the most urgent, up; 3 is the default of servers that allow 1 to 5."""

    fairness_key: str | None = None
    """Name of the group (a tenant, say) that the task is counted for; at most 64 bytes."""

    fairness_weight: float | None = None
    """Share of this group in comparison with others, from 0.001 to 1000; 1.0 if not given."""

    default: ClassVar[Priority]
    """Nothing said."""

    @staticmethod
    def _from_proto(proto: temporalio.api.common.v1.Priority) -> Priority:
        return Priority(
            priority_key=proto.priority_key or None,
            fairness_key=proto.fairness_key or None,
            fairness_weight=proto.fairness_weight or None,
        )

    def _to_proto(self) -> temporalio.api.common.v1.Priority:
        from temporalio.api.common.v1 import Priority as PriorityMessage

        return PriorityMessage(
            priority_key=self.priority_key or 0, fairness_key=self.fairness_key or "", fairness_weight=self.fairness_weight or 0.0
        )

    def __post_init__(self) -> None:
        """Refuse what no server accepts.

        Raises:
            TypeError: `priority_key` is not an integer.
            ValueError: `priority_key` is less than 1.
        """
        if self.priority_key is None:
            return
        if not isinstance(self.priority_key, int):
            raise TypeError("priority_key must be an integer")
        if self.priority_key < 1:
            raise ValueError("priority_key must be a positive integer")


Priority.default = Priority()
