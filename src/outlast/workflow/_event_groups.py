"""Event groups: names under which the UI shows events that belong together. Experimental."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from outlast.workflow._logging import logger
from outlast.workflow._runtime import Runtime
from outlast.workflow._scope import scope

if TYPE_CHECKING:
    from temporalio.api.sdk.v1 import EventGroupMarker

__all__ = ["EventGroup", "create_event_group"]


class EventGroup(ABC):
    """A group that commands, and the events they make, belong to; from `create_event_group`.

    A command may belong to many groups, and gets them from its `event_groups` option and from the scopes it is in.
    """

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Put every command of this block into the group, and into the groups of the scopes around it. Tasks started here inherit it."""
        Runtime.current()
        with scope(_active, self._applied_over(_active.get())):
            yield

    @abstractmethod
    def _applied_over(self, active: tuple[EventGroup, ...]) -> tuple[EventGroup, ...]:
        """The groups inside of this group's scope, when `active` are those around it."""

    @abstractmethod
    def _to_proto(self) -> EventGroupMarker:
        """What a command bears to belong to the group."""


_active: ContextVar[tuple[EventGroup, ...]] = ContextVar("outlast_event_groups", default=())
"""The groups of the current scope: the handler's own first, then those of the workflow's code in the order of their scopes."""


class _LabelEventGroup(EventGroup):
    """A group that workflow code made."""

    def __init__(self, id: str, label: str | None) -> None:
        self._id = id
        self._label = label

    def _applied_over(self, active: tuple[EventGroup, ...]) -> tuple[EventGroup, ...]:
        if any(self._is_same(group) for group in active):
            return tuple(self if self._is_same(group) else group for group in active)
        return (*active, self)

    def _is_same(self, other: EventGroup) -> bool:
        return isinstance(other, _LabelEventGroup) and other._id == self._id

    def _to_proto(self) -> EventGroupMarker:
        from temporalio.api.sdk.v1 import EventGroupMarker

        from outlast.converter import PayloadConverter

        # The UI shows the label, and knows only the default encoding.
        label = None if self._label is None else PayloadConverter.default.to_payload(self._label)
        return EventGroupMarker(label=EventGroupMarker.Label(id=self._id, label=label))


class _HandlerEventGroup(EventGroup):
    """The group of all that the handler of one signal or update does. It leaves the scopes that the handler was defined in."""

    def __init__(self, marker: EventGroupMarker | None) -> None:
        self._marker = marker

    def _applied_over(self, active: tuple[EventGroup, ...]) -> tuple[EventGroup, ...]:
        return () if self._marker is None else (self,)

    def _to_proto(self) -> EventGroupMarker:
        assert self._marker is not None
        return self._marker


def create_event_group(id: str, *, label: str | None = None) -> EventGroup:
    """Make a group, to be given as an `event_groups` option or used as a `scope`.

    Args:
        id: Groups with the same id are the same. It is stored as plain text: no secrets.
        label: What the UI shows, stored as a payload.

    Raises:
        ValueError: The id or the label is empty.
    """
    Runtime.current()
    if not id:
        raise ValueError("Event group id cannot be empty")
    if label is not None and not label:
        raise ValueError("Event group label cannot be empty")
    return _LabelEventGroup(id, label)


def _inbound_event_group(event_id: int) -> EventGroup:
    """The group of what the handler of a signal does; `event_id` is the signal's event."""
    from temporalio.api.sdk.v1 import EventGroupMarker

    if event_id <= 0:
        logger.warning("No event group for a signal whose event has the id %s", event_id)
        return _HandlerEventGroup(None)
    return _HandlerEventGroup(EventGroupMarker(inbound_event=EventGroupMarker.InboundEvent(inbound_event_id=event_id)))


def _inbound_update_event_group(update_id: str) -> EventGroup:
    """The group of what the handler of an update does."""
    from temporalio.api.sdk.v1 import EventGroupMarker

    return _HandlerEventGroup(EventGroupMarker(inbound_update=EventGroupMarker.InboundUpdate(inbound_update_id=update_id)))


def _capture_event_group_markers(directs: Sequence[EventGroup] | None) -> list[EventGroupMarker]:
    """What a command that is asked for here and now must bear; `directs` is its own `event_groups` option.

    Raises:
        TypeError: One of `directs` was not made by `create_event_group`.
    """
    active = _active.get()
    for group in directs or ():
        if not isinstance(group, _LabelEventGroup):
            raise TypeError("Event groups must be created with workflow.create_event_group()")
        active = group._applied_over(active)
    return [group._to_proto() for group in active]
