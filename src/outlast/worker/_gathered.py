"""What has come of a workflow task so far, when it takes more than one step."""

from __future__ import annotations

from temporalio.api.sdk.v1 import WorkflowTaskCompletedMetadata

from outlast.replay.protocol import Step


class Gathered:
    """Adds the steps of one workflow task up. Starting and cancelling local activities is not added up: it is done at once."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self._commands = list(step.commands)
        self._messages = list(step.messages)
        self._queries = dict(step.query_results)

    def add(self, step: Step) -> Step:
        """Returns all steps as one."""
        self._commands += step.commands
        self._messages += step.messages
        self._queries.update(step.query_results)
        before = self.step
        self.step = Step(
            commands=self._commands,
            messages=self._messages,
            query_results=self._queries,
            query_result=step.query_result or before.query_result,
            metadata=_both(before, step),
            versioning_behavior=step.versioning_behavior or before.versioning_behavior,
            waiting=step.waiting,
            failure=step.failure,
            failure_cause=step.failure_cause,
            closed=step.closed,
        )
        return self.step


def _both(before: Step, after: Step) -> WorkflowTaskCompletedMetadata | None:
    if before.metadata is None or after.metadata is None:
        return after.metadata or before.metadata
    metadata = WorkflowTaskCompletedMetadata()
    metadata.CopyFrom(before.metadata)
    metadata.MergeFrom(after.metadata)
    return metadata
