"""Handlers that a workflow looks up or exchanges while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from outlast.workflow._runtime import Runtime

__all__ = [
    "all_handlers_finished",
    "get_dynamic_query_handler",
    "get_dynamic_signal_handler",
    "get_dynamic_update_handler",
    "get_query_handler",
    "get_signal_handler",
    "get_update_handler",
    "set_dynamic_query_handler",
    "set_dynamic_signal_handler",
    "set_dynamic_update_handler",
    "set_query_handler",
    "set_signal_handler",
    "set_update_handler",
]


def get_signal_handler(name: str) -> Callable[..., Any] | None:
    """What handles this signal, decorated or set. Never the dynamic handler."""
    return Runtime.current().signal_handler(name)


def set_signal_handler(name: str, handler: Callable[..., Any] | None) -> None:
    """Handle this signal with `handler`, which also gets those that came before it; None ends that.

    It goes before a decorated handler.
    """
    Runtime.current().set_signal_handler(name, handler)


def get_dynamic_signal_handler() -> Callable[..., Any] | None:
    """What handles signals that have no handler of their own."""
    return Runtime.current().signal_handler(None)


def set_dynamic_signal_handler(handler: Callable[..., Any] | None) -> None:
    """Handle signals that have no handler of their own with `handler`, which also gets those that came before it; None ends that.

    It goes before a decorated dynamic handler.
    """
    Runtime.current().set_signal_handler(None, handler)


def get_query_handler(name: str) -> Callable[..., Any] | None:
    """What handles this query, decorated or set. Never the dynamic handler."""
    return Runtime.current().query_handler(name)


def set_query_handler(name: str, handler: Callable[..., Any] | None) -> None:
    """Handle this query with `handler`; None ends that. It goes before a decorated handler."""
    Runtime.current().set_query_handler(name, handler)


def get_dynamic_query_handler() -> Callable[..., Any] | None:
    """What handles queries that have no handler of their own."""
    return Runtime.current().query_handler(None)


def set_dynamic_query_handler(handler: Callable[..., Any] | None) -> None:
    """Handle queries that have no handler of their own with `handler`; None ends that. It goes before a decorated dynamic handler."""
    Runtime.current().set_query_handler(None, handler)


def get_update_handler(name: str) -> Callable[..., Any] | None:
    """What handles this update, decorated or set. Never the dynamic handler."""
    return Runtime.current().update_handler(name)


def set_update_handler(name: str, handler: Callable[..., Any] | None, *, validator: Callable[..., Any] | None = None) -> None:
    """Handle this update with `handler`; None ends that. It goes before a decorated handler.

    Args:
        name: The update's name.
        handler: What handles it.
        validator: What judges its arguments first, by raising; not async.
    """
    Runtime.current().set_update_handler(name, handler, validator)


def get_dynamic_update_handler() -> Callable[..., Any] | None:
    """What handles updates that have no handler of their own."""
    return Runtime.current().update_handler(None)


def set_dynamic_update_handler(handler: Callable[..., Any] | None, *, validator: Callable[..., Any] | None = None) -> None:
    """Handle updates that have no handler of their own with `handler`; None ends that. It goes before a decorated dynamic handler.

    Args:
        handler: What handles them.
        validator: What judges their arguments first, by raising; not async.
    """
    Runtime.current().set_update_handler(None, handler, validator)


def all_handlers_finished() -> bool:
    """Whether no handler of a signal or an update is at work. Wait for it (`wait_condition`) before the workflow ends or continues."""
    return Runtime.current().all_handlers_finished()
