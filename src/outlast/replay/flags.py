"""SDK flags: which versions of a behaviour a history was written with.

A worker that completes a task writes down the flags that it used; on replay a behaviour is used if the history has its flag.
Numbers and meanings are those of the official SDKs, whose histories are replayed, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from temporalio.api.history.v1 import WorkflowTaskCompletedEventAttributes
    from temporalio.api.sdk.v1 import WorkflowTaskCompletedMetadata

SDK_NAME: Final = "outlast-python"

CHECK_IDS_AND_TYPES: Final = 1
"""Core: ids and types of activities and children are compared with history."""
UPSERT_ON_PATCH: Final = 2
"""Core: a patch writes the search attribute TemporalChangeVersion."""
TERMINAL_LAST: Final = 3
"""Core: what ends the run is moved behind all other commands; before, what came after it was dropped."""
_CORE_FLAGS: Final = (CHECK_IDS_AND_TYPES, UPSERT_ON_PATCH, TERMINAL_LAST)

RAISE_ON_CANCELLING_COMPLETED_ACTIVITY: Final = 1
"""Python: who waits for an activity and is cancelled in the task in which it completes sees the cancellation."""
SINGLE_BATCH: Final = 2
"""Python: all jobs of an activation are applied before any code runs."""


class Flags:
    """The flags of one run: those in its history, and those used since its last completed task."""

    def __init__(self, sdk_version: str, enabled: frozenset[int] = frozenset()) -> None:
        self._enabled = enabled
        self.core: set[int] = set()
        self.python: set[int] = set()
        self._python_used: set[int] = set()
        self._sdk_version = sdk_version
        self._last_name = self._last_version = ""

    def seen(self, completed: WorkflowTaskCompletedEventAttributes) -> None:
        """Take over what a completed task wrote down."""
        if not completed.HasField("sdk_metadata"):
            return
        metadata = completed.sdk_metadata
        self.core.update(metadata.core_used_flags)
        self.python.update(metadata.lang_used_flags)
        self._last_name = metadata.sdk_name or self._last_name
        self._last_version = metadata.sdk_version or self._last_version

    def core_allows(self, flag: int, *, replaying: bool) -> bool:
        return not replaying or flag in self.core

    def single_batch(self, *, replaying: bool) -> bool:
        """Whether activations are applied as one batch: if history says so, or if this worker begins with it."""
        if SINGLE_BATCH in self.python:
            return True
        if replaying or SINGLE_BATCH not in self._enabled:
            return False
        self._python_used.add(SINGLE_BATCH)
        return True

    def python_allows(self, flag: int, *, replaying: bool) -> bool:
        """Whether to behave as the flag says; if so while not replaying, it is written down."""
        if not replaying:
            self._python_used.add(flag)
            return True
        return flag in self.python

    def metadata(self) -> WorkflowTaskCompletedMetadata:
        """What the completion of a task writes down."""
        from temporalio.api.sdk.v1 import WorkflowTaskCompletedMetadata

        message = WorkflowTaskCompletedMetadata(
            core_used_flags=[flag for flag in _CORE_FLAGS if flag not in self.core],
            lang_used_flags=sorted(self._python_used - self.python),
            sdk_name="" if self._last_name == SDK_NAME else SDK_NAME,
            sdk_version="" if self._last_version == self._sdk_version else self._sdk_version,
        )
        self.core.update(_CORE_FLAGS)
        self.python |= self._python_used
        self._python_used.clear()
        self._last_name, self._last_version = SDK_NAME, self._sdk_version
        return message
