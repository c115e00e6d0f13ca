"""What the functions of `outlast.workflow` raise, beside the errors of `outlast.exceptions`."""

from __future__ import annotations

from outlast.exceptions import TemporalError

__all__ = ["ContinueAsNewError", "NondeterminismError", "ReadOnlyContextError"]


class NondeterminismError(TemporalError):
    """The workflow's code asks for something else than its history records.

    Change the code back, or guard the change with `outlast.workflow.patched`.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ReadOnlyContextError(TemporalError):
    """A query handler or an update validator tried to change the workflow. Such code may only look."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class _NotInWorkflowEventLoopError(TemporalError):
    """A function that only works inside of a workflow was called outside of one."""

    def __init__(self, *args: object) -> None:
        super().__init__("Not in workflow event loop")
        self.message = "Not in workflow event loop"


class ContinueAsNewError(BaseException):
    """Raised by `outlast.workflow.continue_as_new` to leave the workflow. Let it pass: never catch it, never make one."""

    def __init__(self, *args: object) -> None:
        if type(self) is ContinueAsNewError:
            raise RuntimeError("Cannot instantiate ContinueAsNewError directly")
        super().__init__(*args)
