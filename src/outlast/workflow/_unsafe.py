"""What workflow code should only use when it knows why: whether it is replayed, and the guard's off switch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Flag, auto

from outlast.workflow._runtime import Runtime
from outlast.workflow._scope import scope

__all__ = ["SandboxImportNotificationPolicy", "unsafe"]


class SandboxImportNotificationPolicy(Flag):
    """What to do about imports in workflow code. Outlast imports no module a second time, so that none of these has an effect."""

    SILENT = auto()
    WARN_ON_DYNAMIC_IMPORT = auto()
    WARN_ON_UNINTENTIONAL_PASSTHROUGH = auto()
    RAISE_ON_UNINTENTIONAL_PASSTHROUGH = auto()


_sandbox_unrestricted: ContextVar[bool] = ContextVar("outlast_sandbox_unrestricted", default=False)
_imports_passed_through: ContextVar[bool] = ContextVar("outlast_imports_passed_through", default=False)
_import_policy: ContextVar[SandboxImportNotificationPolicy | None] = ContextVar("outlast_import_policy", default=None)


class unsafe:
    """Functions that are seldom right in a workflow. Never make an object of this class."""

    def __init__(self) -> None:
        raise NotImplementedError

    @staticmethod
    def in_sandbox() -> bool:
        """Whether this code runs in a workflow whose calls are guarded."""
        runtime = Runtime.maybe_current()
        return runtime is not None and runtime.is_guarded()

    @staticmethod
    def is_replaying() -> bool:
        """Whether the workflow is being replayed. True also in a query or an update's validator that comes in between."""
        return Runtime.current().is_replaying()

    @staticmethod
    def is_replaying_history_events() -> bool:
        """Whether history is being replayed. Not true in a query or an update's validator: those happen now."""
        return Runtime.current().is_replaying_history_events()

    @staticmethod
    def is_read_only() -> bool:
        """Whether this code may not change the workflow: it is a query or an update's validator."""
        return Runtime.current().is_read_only()

    @staticmethod
    def is_sandbox_unrestricted() -> bool:
        """Whether this code is in a block of `sandbox_unrestricted`."""
        return _sandbox_unrestricted.get()

    @staticmethod
    @contextmanager
    def sandbox_unrestricted() -> Iterator[None]:
        """Allow calls that are not deterministic in this block, and in what it calls. What they return must not matter to the workflow."""
        with scope(_sandbox_unrestricted, True):
            yield

    @staticmethod
    def is_imports_passed_through() -> bool:
        """Whether this code is in a block of `imports_passed_through`."""
        return _imports_passed_through.get()

    @staticmethod
    @contextmanager
    def imports_passed_through() -> Iterator[None]:
        """Has no effect: Outlast imports no module a second time, so that all are shared. Here for programs that say it."""
        with scope(_imports_passed_through, True):
            yield

    @staticmethod
    def current_import_notification_policy_override() -> SandboxImportNotificationPolicy | None:
        """The policy of the innermost block of `sandbox_import_notification_policy`."""
        return _import_policy.get()

    @staticmethod
    @contextmanager
    def sandbox_import_notification_policy(policy: SandboxImportNotificationPolicy) -> Iterator[None]:
        """Has no effect: Outlast imports no module a second time. Here for programs that say it."""
        with scope(_import_policy, policy):
            yield
