"""The options of started work as dictionaries, so that a program can keep a set of them and pass it with `**`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, TypedDict

from outlast import common
from outlast.workflow._event_groups import EventGroup
from outlast.workflow._options import ActivityCancellationType, ChildWorkflowCancellationType, ParentClosePolicy, VersioningIntent

__all__ = ["ActivityConfig", "ChildWorkflowConfig", "LocalActivityConfig"]


class ActivityConfig(TypedDict, total=False):
    """Options of `start_activity` and `execute_activity`."""

    task_queue: str | None
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    heartbeat_timeout: timedelta | None
    retry_policy: common.RetryPolicy | None
    cancellation_type: ActivityCancellationType
    activity_id: str | None
    versioning_intent: VersioningIntent | None
    summary: str | None
    event_groups: Sequence[EventGroup] | None
    priority: common.Priority


class LocalActivityConfig(TypedDict, total=False):
    """Options of `start_local_activity` and `execute_local_activity`."""

    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    retry_policy: common.RetryPolicy | None
    local_retry_threshold: timedelta | None
    cancellation_type: ActivityCancellationType
    activity_id: str | None
    summary: str | None
    event_groups: Sequence[EventGroup] | None


class ChildWorkflowConfig(TypedDict, total=False):
    """Options of `start_child_workflow` and `execute_child_workflow`."""

    id: str | None
    """Its workflow id; a random one if not given."""
    task_queue: str | None
    """Where to run it; the workflow's own queue if not given."""
    cancellation_type: ChildWorkflowCancellationType
    """What happens to the child when the handle is cancelled."""
    parent_close_policy: ParentClosePolicy
    """What happens to the child when this workflow closes before it."""
    execution_timeout: timedelta | None
    """How long it may take with all its runs."""
    run_timeout: timedelta | None
    """How long one run may take."""
    task_timeout: timedelta | None
    """How long one workflow task may take."""
    id_reuse_policy: common.WorkflowIDReusePolicy
    """Whether the id may be that of a workflow that is over."""
    retry_policy: common.RetryPolicy | None
    """How it is tried again; never if not given."""
    cron_schedule: str
    """When to run it again and again, in the syntax of cron."""
    memo: Mapping[str, Any] | None
    """Its memo."""
    search_attributes: common.SearchAttributes | common.TypedSearchAttributes | None
    """Its search attributes. A dictionary still works, but is deprecated: it has no types."""
    versioning_intent: VersioningIntent | None
    """Deprecated: which workers it should go to."""
    versioning_override: common.VersioningOverride | None
    """The version it runs on, whatever its parent's is. Experimental."""
    static_summary: str | None
    """One line of Markdown about it, for the UI and the command line."""
    static_details: str | None
    """More Markdown about it; unlike `set_current_details` it stays as it is."""
    event_groups: Sequence[EventGroup] | None
    """Groups that its events belong to, beside those of the current scope."""
    priority: common.Priority
    """Its priority; the workflow's own if not given."""
