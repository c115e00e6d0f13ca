"""Workers of this process that take the first task of a workflow with the reply to its start, without a poll."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from temporalio.api.deployment.v1 import WorkerDeploymentOptions
    from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueResponse


class EagerSlot(Protocol):
    """Room for one task, kept for it. One of the two must be called."""

    deployment_options: WorkerDeploymentOptions | None
    """The version that the task will run on."""

    def accept(self, task: PollWorkflowTaskQueueResponse) -> None:
        """Work on the task."""
        ...

    def release(self) -> None:
        """No task came."""
        ...


class EagerWorker(Protocol):
    """A worker that works on workflows."""

    def reserve_eager(self) -> EagerSlot | None:
        """Room for a task, if there is some at this moment."""
        ...


class EagerWorkers:
    """The workers that use a service client. Several of one task queue take turns."""

    def __init__(self) -> None:
        self._workers: dict[tuple[str, str], deque[EagerWorker]] = {}

    def register(self, namespace: str, task_queue: str, worker: EagerWorker) -> None:
        """Offer tasks to a worker, until `unregister`."""
        self._workers.setdefault((namespace, task_queue), deque()).append(worker)

    def unregister(self, namespace: str, task_queue: str, worker: EagerWorker) -> None:
        """Offer it no more. Does nothing if it is not registered."""
        workers = self._workers.get((namespace, task_queue))
        if workers is None or worker not in workers:
            return
        workers.remove(worker)
        if not workers:
            del self._workers[namespace, task_queue]

    def reserve(self, namespace: str, task_queue: str) -> EagerSlot | None:
        """Room for the first task of a workflow; None if no worker here has any."""
        workers = self._workers.get((namespace, task_queue))
        for _ in range(len(workers) if workers else 0):
            assert workers is not None
            worker = workers[0]
            workers.rotate(-1)
            if (slot := worker.reserve_eager()) is not None:
                return slot
        return None
