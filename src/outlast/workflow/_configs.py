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
    task_queue: str | None
    cancellation_type: ChildWorkflowCancellationType
    parent_close_policy: ParentClosePolicy
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    id_reuse_policy: common.WorkflowIDReusePolicy
    retry_policy: common.RetryPolicy | None
    cron_schedule: str
    memo: Mapping[str, Any] | None
    search_attributes: common.SearchAttributes | common.TypedSearchAttributes | None
    versioning_intent: VersioningIntent | None
    versioning_override: common.VersioningOverride | None
    static_summary: str | None
    static_details: str | None
    event_groups: Sequence[EventGroup] | None
    priority: common.Priority
