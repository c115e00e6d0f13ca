"""Names of things: how a workflow, a run and a part of a run are addressed inside the server."""

from typing import NamedTuple


class WorkflowKey(NamedTuple):
    """One workflow id in one namespace; at most one of its runs is the current one."""

    namespace_id: str
    workflow_id: str


class ExecutionKey(NamedTuple):
    """One run of one workflow."""

    namespace_id: str
    workflow_id: str
    run_id: str

    @property
    def workflow(self) -> WorkflowKey:
        return WorkflowKey(self.namespace_id, self.workflow_id)


class PartKey(NamedTuple):
    """One separately stored part of a run's state.

    Parts let a transition write what it changed and not the whole state.
    """

    kind: str
    """One letter: see `outlast.engine.stored.PARTS`."""
    id: str
    """Unique within the kind: an event id in decimal, a timer id, a request id."""
