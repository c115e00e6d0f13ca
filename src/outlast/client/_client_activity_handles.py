"""The client's methods that find activities without a workflow, and complete activities from outside their worker."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, overload

from outlast.client._activity import ActivityHandle, AsyncActivityHandle, AsyncActivityIDReference
from outlast.client._activity_executions import ActivityExecutionAsyncIterator, ActivityExecutionCount
from outlast.client._activity_inputs import CountActivitiesInput, ListActivitiesInput
from outlast.client._client_base import ClientBase
from outlast.client._options import NO_METADATA
from outlast.types import ReturnType


class ClientActivityHandles(ClientBase):
    """Finds activities."""

    def list_activities(
        self,
        query: str,
        *,
        limit: int | None = None,
        page_size: int = 1000,
        next_page_token: bytes | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionAsyncIterator:
        """The activities without a workflow that a query finds, one after the other; see :meth:`list_workflows`."""
        return self._impl.list_activities(
            ListActivitiesInput(
                query=query,
                page_size=page_size,
                next_page_token=next_page_token,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                limit=limit,
            )
        )

    async def count_activities(
        self,
        query: str | None = None,
        *,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionCount:
        """How many activities without a workflow a query finds; see :meth:`count_workflows`."""
        return await self._impl.count_activities(CountActivitiesInput(query=query, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout))

    @overload
    def get_activity_handle(self, activity_id: str, *, run_id: str | None = None) -> ActivityHandle[Any]: ...

    @overload
    def get_activity_handle(
        self, activity_id: str, *, run_id: str | None = None, result_type: type[ReturnType]
    ) -> ActivityHandle[ReturnType]: ...

    def get_activity_handle(self, activity_id: str, *, run_id: str | None = None, result_type: type | None = None) -> ActivityHandle[Any]:
        """An activity without a workflow by its id, without asking the server.

        Args:
            activity_id: Id of the activity.
            run_id: The one run that calls are for; None: the current one.
            result_type: What to convert the result to.
        """
        return ActivityHandle(self._whole, activity_id, run_id=run_id, result_type=result_type)

    @overload
    def get_async_activity_handle(self, *, activity_id: str, run_id: str | None = None) -> AsyncActivityHandle: ...

    @overload
    def get_async_activity_handle(self, *, workflow_id: str, run_id: str | None, activity_id: str) -> AsyncActivityHandle: ...

    @overload
    def get_async_activity_handle(self, *, task_token: bytes) -> AsyncActivityHandle: ...

    def get_async_activity_handle(
        self,
        *,
        workflow_id: str | None = None,
        run_id: str | None = None,
        activity_id: str | None = None,
        task_token: bytes | None = None,
    ) -> AsyncActivityHandle:
        """An activity to be completed from outside its worker: by its task token, or by ids; see :func:`outlast.activity.info`.

        Args:
            workflow_id: Workflow that it belongs to; None: it runs without one.
            run_id: Run of the workflow, or of the activity if it runs without one; None: the current one.
            activity_id: Id of the activity.
            task_token: Names the attempt, instead of all ids.

        Raises ValueError if these do not name one activity.
        """
        if task_token is not None:
            if not (workflow_id is run_id is activity_id is None):
                raise ValueError("Task token cannot be present with other IDs")
            return AsyncActivityHandle(self._whole, task_token)
        if activity_id is None:
            if workflow_id is not None:
                raise ValueError("Workflow ID, run ID, and activity ID must all be given together")
            raise ValueError("Require task token, or workflow_id & run_id & activity_id, or activity_id & run_id")
        reference = AsyncActivityIDReference(workflow_id=workflow_id, run_id=run_id, activity_id=activity_id)
        return AsyncActivityHandle(self._whole, reference)
