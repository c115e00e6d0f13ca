"""Parameters that calls share: each is explained here, once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Required, TypedDict, TypeVar

if TYPE_CHECKING:
    from outlast.common import (
        ActivityIDConflictPolicy,
        ActivityIDReusePolicy,
        Priority,
        RetryPolicy,
        SearchAttributes,
        TypedSearchAttributes,
        VersioningOverride,
        WorkflowIDConflictPolicy,
        WorkflowIDReusePolicy,
    )

Function = TypeVar("Function", bound=Callable[..., Any])

NO_ARGS: Sequence[Any] = []
NO_METADATA: Mapping[str, str | bytes] = {}


class _WorkflowOptions(TypedDict, total=False):
    """How a workflow is started, now or later."""

    id: Required[str]
    """Id of the workflow; only one workflow of an id runs at a time."""
    task_queue: Required[str]
    """Task queue of the workers that run it."""
    execution_timeout: timedelta | None
    """How long it may take in all, retries and continuations included. None: for ever."""
    run_timeout: timedelta | None
    """How long one run of it may take. None: as long as the execution."""
    task_timeout: timedelta | None
    """How long a worker may take for one step of it. None: the server's choice, 10 s."""
    retry_policy: RetryPolicy | None
    """Whether and when a failed workflow is started again. None: never."""
    memo: Mapping[str, Any] | None
    """Values that are shown with it and cannot be searched for."""
    static_summary: str | None
    """One line on what it is, for people; may be Markdown."""
    static_details: str | None
    """Some lines on what it is, for people; may be Markdown."""
    priority: Priority
    """Which tasks go first when workers are busy."""


class StartScheduledWorkflowOptions(_WorkflowOptions, total=False):
    """How a schedule starts a workflow."""

    typed_search_attributes: TypedSearchAttributes
    """Values that it can be found by."""


class StartWorkflowWithUpdateOptions(_WorkflowOptions, total=False):
    """How an update-with-start starts a workflow."""

    id_reuse_policy: WorkflowIDReusePolicy
    """Whether the id may be one that an ended workflow had."""
    cron_schedule: str
    """When to run it again and again; better use a schedule. Empty: once."""
    search_attributes: TypedSearchAttributes | SearchAttributes | None
    """Values that it can be found by."""
    start_delay: timedelta | None
    """How long to wait before its first step. Not together with ``cron_schedule``."""
    versioning_override: VersioningOverride | None
    """Which version of the workers runs it, whatever the deployment says."""
    id_conflict_policy: Required[WorkflowIDConflictPolicy]
    """What to do when a workflow of the id runs: use it or fail."""


class StartWorkflowOptions(_WorkflowOptions, total=False):
    """How a workflow is started."""

    id_reuse_policy: WorkflowIDReusePolicy
    """Whether the id may be one that an ended workflow had."""
    id_conflict_policy: WorkflowIDConflictPolicy
    """What to do when a workflow of the id runs. Unspecified: fail, or with a signal, use it."""
    cron_schedule: str
    """When to run it again and again; better use a schedule. Empty: once."""
    search_attributes: TypedSearchAttributes | SearchAttributes | None
    """Values that it can be found by."""
    start_delay: timedelta | None
    """How long to wait before its first step; a signal ends the wait. Not together with ``cron_schedule``."""
    start_signal: str | None
    """Signal to send along: the workflow gets it before anything else, and if it runs already, it gets the signal only."""
    start_signal_args: Sequence[Any]
    """Arguments of that signal."""
    rpc_metadata: Mapping[str, str | bytes]
    """Headers of the call; they win over the client's."""
    rpc_timeout: timedelta | None
    """How long the call may take."""
    request_eager_start: bool
    """Whether the first step may come back with the reply, to a worker of this client."""
    versioning_override: VersioningOverride | None
    """Which version of the workers runs it, whatever the deployment says."""


class StartActivityOptions(TypedDict, total=False):
    """How an activity is started without a workflow. One of the first two timeouts is needed."""

    id: Required[str]
    """Id of the activity; only one activity of an id runs at a time."""
    task_queue: Required[str]
    """Task queue of the workers that run it."""
    schedule_to_close_timeout: timedelta | None
    """How long it may take in all, retries included."""
    start_to_close_timeout: timedelta | None
    """How long one attempt may take."""
    schedule_to_start_timeout: timedelta | None
    """How long it may wait for a worker."""
    heartbeat_timeout: timedelta | None
    """How long an attempt may go without a heartbeat."""
    id_reuse_policy: ActivityIDReusePolicy
    """Whether the id may be one that an ended activity had."""
    id_conflict_policy: ActivityIDConflictPolicy
    """What to do when an activity of the id runs."""
    retry_policy: RetryPolicy | None
    """Whether and when a failed activity is tried again. None: the server's policy."""
    search_attributes: TypedSearchAttributes | None
    """Values that it can be found by."""
    summary: str | None
    """One line on what it is, for people; may be Markdown."""
    priority: Priority
    """Which tasks go first when workers are busy."""
    start_delay: timedelta | None
    """How long to wait before its first attempt."""
    rpc_metadata: Mapping[str, str | bytes]
    """Headers of the call; they win over the client's."""
    rpc_timeout: timedelta | None
    """How long the call may take."""


def signature_of(other: Callable[..., Any], *, without: str = "") -> Callable[[Function], Function]:
    """Gives a function that hands all its parameters on to another one the signature of that other."""
    parameters = inspect.signature(other).parameters

    def decorate(function: Function) -> Function:
        kept = [parameter for name, parameter in parameters.items() if name != without]
        result = inspect.signature(function).return_annotation
        function.__signature__ = inspect.Signature(kept, return_annotation=result)  # type: ignore[attr-defined]
        return function

    return decorate
