"""The choices that workflow code makes about the work it starts; their numbers are those of the wire or of the official SDK."""

from __future__ import annotations

from enum import Enum, IntEnum

__all__ = [
    "ActivityCancellationType",
    "ChildWorkflowCancellationType",
    "ContinueAsNewVersioningBehavior",
    "HandlerUnfinishedPolicy",
    "ParentClosePolicy",
    "UnfinishedSignalHandlersWarning",
    "UnfinishedUpdateHandlersWarning",
    "VersioningIntent",
]


class ActivityCancellationType(IntEnum):
    """What happens to an activity when the workflow cancels the wait for it."""

    TRY_CANCEL = 0
    """Ask the activity to stop and report it cancelled at once."""
    WAIT_CANCELLATION_COMPLETED = 1
    """Ask the activity to stop and wait until it has ended, however it ends. It hears of it only if it heartbeats."""
    ABANDON = 2
    """Report it cancelled at once and let it run on, without a word."""


class ChildWorkflowCancellationType(IntEnum):
    """What happens to a child workflow when its parent cancels the wait for it."""

    ABANDON = 0
    """Report it cancelled at once and let it run on, without a word."""
    TRY_CANCEL = 1
    """Ask the child to stop and report it cancelled at once."""
    WAIT_CANCELLATION_COMPLETED = 2
    """Ask the child to stop and wait until it has ended, however it ends."""
    WAIT_CANCELLATION_REQUESTED = 3
    """Ask the child to stop and report it cancelled once the request has reached it."""


class ParentClosePolicy(IntEnum):
    """What the server does to a child workflow that still runs when its parent closes."""

    UNSPECIFIED = 0
    TERMINATE = 1
    ABANDON = 2
    REQUEST_CANCEL = 3


class VersioningIntent(Enum):
    """Which workers a command should go to. Deprecated: version whole deployments of workers."""

    COMPATIBLE = 1
    """Those whose build is compatible with the build that runs this workflow."""
    DEFAULT = 2
    """Those with the default build of the task queue that the command goes to."""


class ContinueAsNewVersioningBehavior(IntEnum):
    """Which version of the worker takes the first task of the run that continues this one. Experimental."""

    UNSPECIFIED = 0
    """As always when a run is continued: a pinned run stays on its version."""
    AUTO_UPGRADE = 1
    """The version that its task queue has as its target at that time; a pinned override still comes first."""
    USE_RAMPING_VERSION = 2
    """The version that is being ramped up on its task queue, or the current one if there is none; a pinned override still comes first."""


class HandlerUnfinishedPolicy(Enum):
    """What happens when the workflow ends while a handler of a signal or an update is still at work."""

    WARN_AND_ABANDON = 1
    """Warn and leave the handler unfinished."""
    ABANDON = 2
    """Leave the handler unfinished, silently. A caller who waits for the update gets an error."""


class UnfinishedUpdateHandlersWarning(RuntimeWarning):
    """The workflow ended while handlers of updates were still at work."""


class UnfinishedSignalHandlersWarning(RuntimeWarning):
    """The workflow ended while handlers of signals were still at work."""
