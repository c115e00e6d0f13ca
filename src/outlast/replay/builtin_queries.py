"""Queries that every workflow answers: where its tasks are, and what handlers it has."""

from __future__ import annotations

import linecache
import traceback
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from temporalio.api.sdk.v1 import (
    EnhancedStackTrace,
    StackTrace,
    StackTraceFileLocation,
    StackTraceFileSlice,
    StackTraceSDKInfo,
    WorkflowDefinition,
    WorkflowInteractionDefinition,
    WorkflowMetadata,
)

from outlast import workflow
from outlast.replay.flags import SDK_NAME
from outlast.replay.loop import Task, current_task, waiting_frames

if TYPE_CHECKING:
    from outlast.replay.instance import Instance


def definitions(instance: Instance) -> dict[str | None, workflow._QueryDefinition]:
    """The queries by name."""
    return {
        name: workflow._QueryDefinition(name=name, fn=_ask(instance, answer), is_method=False, arg_types=[], ret_type=result)
        for name, answer, result in _BUILT_IN
    }


def _ask(instance: Instance, answer: Any) -> Any:
    return lambda: answer(instance)


def _others(instance: Instance) -> list[Task[Any]]:
    """The tasks that are not done, but for the one that answers the query."""
    return [task for task in instance.loop.pending() if task is not current_task(instance.loop)]


def stack_trace(instance: Instance) -> str:
    """Where each task waits, as text."""
    stacks = []
    for task in _others(instance):
        frames = [traceback.FrameSummary(f.f_code.co_filename, f.f_lineno, f.f_code.co_name) for f in waiting_frames(task)]
        stacks.append(f"Stack for {task!r} (most recent call last):\n" + "\n".join(traceback.format_list(frames)))
    return "\n\n".join(stacks)


def enhanced_stack_trace(instance: Instance) -> EnhancedStackTrace:
    """Where each task waits, with the sources."""
    sources: dict[str, StackTraceFileSlice] = {}
    stacks = []
    for task in _others(instance):
        locations = []
        for frame in waiting_frames(task):
            path = frame.f_code.co_filename
            if path not in sources:
                sources[path] = StackTraceFileSlice(line_offset=0, content="".join(linecache.getlines(path)))
            locations.append(StackTraceFileLocation(file_path=path, line=frame.f_lineno, column=-1, function_name=frame.f_code.co_name))
        stacks.append(StackTrace(locations=locations))
    sdk = StackTraceSDKInfo(name=SDK_NAME, version=instance.settings.sdk_version)
    return EnhancedStackTrace(sdk=sdk, sources=sources, stacks=stacks)


def metadata(instance: Instance) -> WorkflowMetadata:
    """The workflow's type, its handlers, and its current details."""
    handlers = instance.handlers
    definition = WorkflowDefinition(
        type=instance.info.workflow_type,
        query_definitions=_interactions(handlers.queries.values()),
        signal_definitions=_interactions(handlers.signals.values()),
        update_definitions=_interactions(handlers.updates.values()),
    )
    return WorkflowMetadata(definition=definition, current_details=instance.details)


def _interactions(
    handlers: Iterable[workflow._QueryDefinition | workflow._SignalDefinition | workflow._UpdateDefinition],
) -> list[WorkflowInteractionDefinition]:
    made = [WorkflowInteractionDefinition(name=handler.name or "", description=handler.description or "") for handler in handlers]
    return sorted(made, key=lambda interaction: interaction.name)


_BUILT_IN = (
    ("__stack_trace", stack_trace, str),
    ("__enhanced_stack_trace", enhanced_stack_trace, EnhancedStackTrace),
    ("__temporal_workflow_metadata", metadata, WorkflowMetadata),
)
