"""Runs whose workflow tasks fail again and again say so in a search attribute, until one is completed (workflow-core.md 2.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent

from outlast.engine import limits
from outlast.engine.search_attributes import keyword_list
from outlast.engine.state import TaskProblem

if TYPE_CHECKING:
    from outlast.engine.draft import Draft

PROBLEMS = "TemporalReportedProblems"


def note(draft: Draft, event: HistoryEvent, *, written: bool, counts: bool) -> None:
    """Count the failures; from the fifth on a search attribute names the last one that history knows."""
    before = draft.run.task_problem or TaskProblem(0, "", "")
    category, cause = before.category, before.cause
    if written and event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
        category, cause = "Failed", cause_name(event.workflow_task_failed_event_attributes.cause)
    elif written:
        category, cause = "TimedOut", "StartToClose"
    problem = draft.run.task_problem = TaskProblem(before.failures + counts, category, cause)
    if problem.failures >= limits.PROBLEM_REPORTED_FROM_FAILURES:
        keywords = (f"category=WorkflowTask{category}", f"cause=WorkflowTask{category}Cause{cause}")
        if draft.search_attributes.get(PROBLEMS) != keyword_list(keywords):
            draft.search_attributes.put(PROBLEMS, keyword_list(keywords))
            draft.visible = True


def forget(draft: Draft) -> None:
    """A workflow task is completed: all is well."""
    draft.run.task_problem = None
    if PROBLEMS in draft.search_attributes:
        draft.search_attributes.drop(PROBLEMS)
        draft.visible = True


def cause_name(cause: WorkflowTaskFailedCause.ValueType) -> str:
    """A cause in the reference server's words."""
    words = WorkflowTaskFailedCause.Name(cause).removeprefix("WORKFLOW_TASK_FAILED_CAUSE_").split("_")
    return "".join(word.capitalize() for word in words)
