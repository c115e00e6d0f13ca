"""What a workflow can learn about itself."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from outlast.workflow._runtime import Runtime

if TYPE_CHECKING:
    from temporalio.api.common.v1 import Payload

    from outlast import common

__all__ = ["Info", "ParentInfo", "RootInfo", "UpdateInfo"]


@dataclass(frozen=True)
class Info:
    """The running workflow, from `outlast.workflow.info()`.

    Nothing in it changes but the search attributes, after `upsert_search_attributes`. Never make one: fields may be added.
    """

    attempt: int
    continued_run_id: str | None
    cron_schedule: str | None
    execution_timeout: timedelta | None
    first_execution_run_id: str
    headers: Mapping[str, Payload]
    namespace: str
    original_execution_run_id: str
    """The run id that the start event bears. Unlike `run_id` it stays the same when the run is reset."""
    parent: ParentInfo | None
    root: RootInfo | None
    priority: common.Priority
    """Empty if none was set."""
    raw_memo: Mapping[str, Payload]
    retry_policy: common.RetryPolicy | None
    run_id: str
    run_timeout: timedelta | None
    search_attributes: common.SearchAttributes
    """Deprecated: `typed_search_attributes` knows the types."""
    start_time: datetime
    """When the first task of this run started."""
    task_queue: str
    task_timeout: timedelta
    typed_search_attributes: common.TypedSearchAttributes
    """Not to be relied on for attributes that were upserted as a dictionary, which has no types."""
    workflow_id: str
    workflow_start_time: datetime
    """When the run itself started."""
    workflow_type: str

    def _logger_details(self) -> Mapping[str, Any]:
        return {
            "attempt": self.attempt,
            "namespace": self.namespace,
            "run_id": self.run_id,
            "task_queue": self.task_queue,
            "workflow_id": self.workflow_id,
            "workflow_type": self.workflow_type,
        }

    def get_current_build_id(self) -> str:
        """The build id of the worker that ran, or now runs, the current task; empty if it has none. Safe to decide on.

        Deprecated: ask for `get_current_deployment_version`.
        """
        return Runtime.current().current_build_id()

    def get_current_deployment_version(self) -> common.WorkerDeploymentVersion | None:
        """The deployment version of the worker that ran, or now runs, the current task; None if it has none. Safe to decide on."""
        return Runtime.current().current_deployment_version()

    def get_current_history_length(self) -> int:
        """How many events there were when the current task began. In a query it may be older than that."""
        return Runtime.current().current_history_length()

    def get_current_history_size(self) -> int:
        """How many bytes the history had when the current task began. In a query it may be older than that."""
        return Runtime.current().current_history_size_bytes()

    def is_continue_as_new_suggested(self) -> bool:
        """Whether the server finds the history long enough to be continued as new. In a query it may be older than the current task."""
        return Runtime.current().is_continue_as_new_suggested()

    def is_target_worker_deployment_version_changed(self) -> bool:
        """Whether the workflow would run on another deployment version if it continued as new. Experimental."""
        return Runtime.current().is_target_worker_deployment_version_changed()


@dataclass(frozen=True)
class ParentInfo:
    """The workflow that started this one as its child."""

    namespace: str
    run_id: str
    workflow_id: str


@dataclass(frozen=True)
class RootInfo:
    """The workflow at the top of the tree of parents and children."""

    run_id: str
    workflow_id: str


@dataclass(frozen=True)
class UpdateInfo:
    """The update that is being handled."""

    id: str
    name: str

    @property
    def _logger_details(self) -> Mapping[str, Any]:
        return {"update_id": self.id, "update_name": self.name}


_current_update_info: ContextVar[UpdateInfo] = ContextVar("__temporal_current_update_info")
"""Set while an update is handled; tasks that its handler starts inherit it."""


def _set_current_update_info(info: UpdateInfo) -> None:
    _current_update_info.set(info)
