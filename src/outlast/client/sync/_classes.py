"""The classes of the synchronous client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Self

from outlast import client
from outlast.client._schedule import ScheduleUpdateInput as AsyncScheduleUpdateInput
from outlast.client.sync._background import BACKGROUND
from outlast.client.sync._mirror import MirrorIterator, MirrorService, mirror_of, original, reflected, stands_for
from outlast.service import OperatorService, TestService, WorkflowService

WorkflowUpdateHandle = mirror_of(client.WorkflowUpdateHandle, "WorkflowUpdateHandle")
WorkflowHandle = mirror_of(client.WorkflowHandle, "WorkflowHandle")
WorkflowExecution = mirror_of(client.WorkflowExecution, "WorkflowExecution")
WorkflowExecutionDescription = mirror_of(client.WorkflowExecutionDescription, "WorkflowExecutionDescription")
WorkflowExecutionIterator = mirror_of(client.WorkflowExecutionAsyncIterator, "WorkflowExecutionIterator", MirrorIterator)
WorkflowHistoryEventIterator = mirror_of(client.WorkflowHistoryEventAsyncIterator, "WorkflowHistoryEventIterator", MirrorIterator)
ActivityHandle = mirror_of(client.ActivityHandle, "ActivityHandle")
AsyncActivityHandle = mirror_of(client.AsyncActivityHandle, "AsyncActivityHandle")
ActivityExecutionDescription = mirror_of(client.ActivityExecutionDescription, "ActivityExecutionDescription")
ActivityExecutionIterator = mirror_of(client.ActivityExecutionAsyncIterator, "ActivityExecutionIterator", MirrorIterator)
ScheduleDescription = mirror_of(client.ScheduleDescription, "ScheduleDescription")
ScheduleListDescription = mirror_of(client.ScheduleListDescription, "ScheduleListDescription")
ScheduleIterator = mirror_of(client.ScheduleAsyncIterator, "ScheduleIterator", MirrorIterator)
ScheduleUpdateInput = mirror_of(AsyncScheduleUpdateInput, "ScheduleUpdateInput")
WorkflowServiceMirror = mirror_of(WorkflowService, "WorkflowService", MirrorService)
OperatorServiceMirror = mirror_of(OperatorService, "OperatorService", MirrorService)
TestServiceMirror = mirror_of(TestService, "TestService", MirrorService)
_Operation: Any = mirror_of(client.WithStartWorkflowOperation, "_Operation")
_ScheduleHandle: Any = mirror_of(client.ScheduleHandle, "_ScheduleHandle")
_Client: Any = mirror_of(client.Client, "_Client")


@stands_for(client.WithStartWorkflowOperation)
class WithStartWorkflowOperation(_Operation):  # type: ignore[misc]
    __doc__ = client.WithStartWorkflowOperation.__doc__

    def __init__(self, *args: Any, **options: Any) -> None:
        async def make() -> client.WithStartWorkflowOperation[Any, Any]:
            return client.WithStartWorkflowOperation(*args, **{"stack_level": 3, **options})

        # It waits for an event of the loop, and so must be made in it.
        self._of = BACKGROUND.run(make())


@stands_for(client.ScheduleHandle)
class ScheduleHandle(_ScheduleHandle):  # type: ignore[misc]
    __doc__ = client.ScheduleHandle.__doc__

    def __init__(self, client: Any, id: str) -> None:
        self._of = original(client).get_schedule_handle(id)

    def update(self, updater: Callable[[Any], Any], **options: Any) -> None:
        async def changed(given: AsyncScheduleUpdateInput) -> Any:
            # In a thread of its own: the function may call the client, which the loop has to serve meanwhile.
            return await asyncio.to_thread(updater, reflected(given))

        BACKGROUND.run(self._of.update(changed, **options))

    update.__doc__ = client.ScheduleHandle.update.__doc__


@stands_for(client.Client)
class Client(_Client):  # type: ignore[misc]
    __doc__ = client.Client.__doc__

    def __init__(self, *args: Any, **options: Any) -> None:
        self._of = client.Client(*args, **options)

    def close(self) -> None:
        """Close the connection. Calls that wait fail; a later call connects anew."""
        BACKGROUND.run(self._of.service_client.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
