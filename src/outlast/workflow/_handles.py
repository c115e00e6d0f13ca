"""The handles of work that a workflow started or knows of. `outlast.replay` makes them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, Generic, overload

from outlast import common
from outlast.types import (
    AnyType,
    MethodAsyncNoParam,
    MethodAsyncSingleParam,
    MethodSyncOrAsyncNoParam,
    MethodSyncOrAsyncSingleParam,
    MultiParamSpec,
    ParamType,
    ReturnType,
    SelfType,
)
from outlast.workflow._event_groups import EventGroup
from outlast.workflow._runtime import Runtime

__all__ = [
    "ActivityHandle",
    "ChildWorkflowHandle",
    "ExternalWorkflowHandle",
    "get_external_workflow_handle",
    "get_external_workflow_handle_for",
]

if TYPE_CHECKING:

    class _AsyncioTask(asyncio.Task[AnyType]):
        pass

else:

    class _AsyncioTask(Generic[AnyType], asyncio.Task):
        """A task that can be subscripted with its result's type at run time, too."""


class ActivityHandle(_AsyncioTask[ReturnType]):  # type: ignore[type-var]
    """A started activity or local activity: a task to await or to cancel."""


class ChildWorkflowHandle(_AsyncioTask[ReturnType], Generic[SelfType, ReturnType]):  # type: ignore[type-var]
    """A started child workflow: a task to await or to cancel."""

    @property
    def id(self) -> str:
        """The child's workflow id."""
        raise NotImplementedError

    @property
    def first_execution_run_id(self) -> str | None:
        """The id of the child's first run."""
        raise NotImplementedError

    @overload
    async def signal(
        self, signal: MethodSyncOrAsyncNoParam[SelfType, None], *, event_groups: Sequence[EventGroup] | None = None
    ) -> None: ...
    @overload
    async def signal(
        self,
        signal: MethodSyncOrAsyncSingleParam[SelfType, ParamType, None],
        arg: ParamType,
        *,
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None: ...
    @overload
    async def signal(
        self,
        signal: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[None] | None],
        *,
        args: Sequence[Any],
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None: ...
    @overload
    async def signal(
        self,
        signal: str,
        arg: Any = common._arg_unset,
        *,
        args: Sequence[Any] = [],
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None: ...

    async def signal(
        self,
        signal: str | Callable[..., Any],
        arg: Any = common._arg_unset,
        *,
        args: Sequence[Any] = [],
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None:
        """Signal the child.

        Args:
            signal: The signal's name, or the method that handles it.
            arg: Its only argument.
            args: Its arguments, if there are many. Not together with `arg`.
            event_groups: Groups that the event belongs to, beside those of the current scope.
        """
        raise NotImplementedError


class ExternalWorkflowHandle(Generic[SelfType]):
    """Some workflow of the namespace, that may or may not exist; from `get_external_workflow_handle`."""

    @property
    def id(self) -> str:
        """Its workflow id."""
        raise NotImplementedError

    @property
    def run_id(self) -> str | None:
        """Its run id; None is whichever run is the last one."""
        raise NotImplementedError

    @overload
    async def signal(
        self, signal: MethodSyncOrAsyncNoParam[SelfType, None], *, event_groups: Sequence[EventGroup] | None = None
    ) -> None: ...
    @overload
    async def signal(
        self,
        signal: MethodSyncOrAsyncSingleParam[SelfType, ParamType, None],
        arg: ParamType,
        *,
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None: ...
    @overload
    async def signal(
        self,
        signal: str,
        arg: Any = common._arg_unset,
        *,
        args: Sequence[Any] = [],
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None: ...

    async def signal(
        self,
        signal: str | Callable[..., Any],
        arg: Any = common._arg_unset,
        *,
        args: Sequence[Any] = [],
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None:
        """Signal the workflow. Raises `ApplicationError` if there is none.

        Args:
            signal: The signal's name, or the method that handles it.
            arg: Its only argument.
            args: Its arguments, if there are many. Not together with `arg`.
            event_groups: Groups that the event belongs to, beside those of the current scope.
        """
        raise NotImplementedError

    async def cancel(self, *, reason: str = "", event_groups: Sequence[EventGroup] | None = None) -> None:
        """Ask the workflow to stop. Raises `ApplicationError` if there is none.

        Args:
            reason: Why; the other workflow finds it with `cancellation_reason`.
            event_groups: Groups that the event belongs to, beside those of the current scope.
        """
        raise NotImplementedError


def get_external_workflow_handle(workflow_id: str, *, run_id: str | None = None) -> ExternalWorkflowHandle[Any]:
    """A handle of a workflow in this namespace, to signal or cancel it. Nothing is asked of the server yet.

    Args:
        workflow_id: Its workflow id.
        run_id: Its run id; None is whichever run is the last one.
    """
    return Runtime.current().external_workflow_handle(workflow_id, run_id=run_id)


def get_external_workflow_handle_for(
    workflow: MethodAsyncNoParam[SelfType, Any] | MethodAsyncSingleParam[SelfType, Any, Any],
    workflow_id: str,
    *,
    run_id: str | None = None,
) -> ExternalWorkflowHandle[SelfType]:
    """As `get_external_workflow_handle`, typed by a workflow's run method. Nobody checks whether the other workflow is of that type."""
    return get_external_workflow_handle(workflow_id, run_id=run_id)
