"""What the engine refuses, and how.

Refusal                     the caller asked for something impossible; nothing changes
├── InvalidArgument         the request itself is wrong: mend it
│   └── HistoryTooLarge     this would have made the history too large: the run has been terminated
├── NotFound                what it names is not there (any more)
├── NamespaceNotFound       the namespace that it names is not there
├── NamespaceExists         the namespace that it would register is there
├── AlreadyStarted          a start collided with another run of the same workflow id
├── FailedPrecondition      not possible in this state: retrying as it is will not help
├── WorkflowNotReady        not possible in this state of the workflow task
├── Busy                    the workflow cannot take it just now: try again later
├── TooManyAtOnce           a bound on what may be under way: try again later
├── UpdateLost              an update in flight was forgotten: send it again
├── PermissionDenied        nobody may do that
└── Unsupported             a part of the protocol that is not built yet
BadCommand                  a worker's command is wrong: the workflow task fails, with a cause

The frontend gives each kind its gRPC status; the texts are those of the reference server
(../shared/spec/workflow-core.md, section 7), because SDKs and tests match on them.
"""

from temporalio.api.enums.v1 import WorkflowTaskFailedCause


class Refusal(Exception):
    """The request is refused and nothing has changed."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidArgument(Refusal):
    """Mend the request."""


class HistoryTooLarge(InvalidArgument):
    """The run was terminated instead of doing what was asked. Start workflows that continue as new in time."""


class NotFound(Refusal):
    """What the request names is not there."""


class NamespaceNotFound(Refusal):
    """The namespace is not registered."""

    def __init__(self, namespace: str) -> None:
        super().__init__(f"Namespace {namespace} is not found.")
        self.namespace = namespace


class NamespaceExists(Refusal):
    """The name is registered."""

    def __init__(self, namespace: str) -> None:
        super().__init__(f'Namespace "{namespace}" already exists')


class AlreadyStarted(Refusal):
    """Another run of this workflow id is in the way, by the id policies of the request."""

    def __init__(self, message: str, start_request_id: str, run_id: str, first_execution_run_id: str) -> None:
        super().__init__(message)
        self.start_request_id = start_request_id
        self.run_id = run_id
        self.first_execution_run_id = first_execution_run_id


class FailedPrecondition(Refusal):
    """Not possible in the present state."""


class WorkflowNotReady(FailedPrecondition):
    """The workflow cannot answer now."""


class Busy(Refusal):
    """Too much at once for one workflow; try again later."""


class TooManyAtOnce(Refusal):
    """More at once than one workflow may have; try again when some are done."""


class UpdateLost(Refusal):
    """The server forgot an update that was in flight; send it again."""


class PermissionDenied(Refusal):
    """Not allowed to anybody."""


class Unsupported(Refusal):
    """The request uses a part of the protocol that is not built yet."""


class BadCommand(Exception):
    """A command of a workflow task is wrong: the task fails with `cause`, or the run is terminated when `terminates`."""

    def __init__(self, cause: "WorkflowTaskFailedCause.ValueType", text: str = "", *, terminates: bool = False) -> None:
        super().__init__(text)
        self.cause = cause
        self.text = text
        self.terminates = terminates


WORKFLOW_COMPLETED = "workflow execution already completed"
WORKFLOW_TASK_NOT_FOUND = "Workflow task not found."
NO_SUCH_ACTIVITY = "Can't find pending activity with such ID. Invalid activityID or activity already completed"
ACTIVITY_NOT_FOUND = "invalid activityID or activity already timed out or invoking workflow is completed"
