"""The functions by which workflow code learns about its run and changes what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from outlast import common
from outlast.types import AnyType, ParamType
from outlast.workflow._info import Info, UpdateInfo, _current_update_info
from outlast.workflow._runtime import Runtime

if TYPE_CHECKING:
    from outlast import converter
    from outlast.workflow._event_groups import EventGroup

__all__ = [
    "cancellation_reason",
    "current_update_info",
    "deprecate_patch",
    "extern_functions",
    "get_current_details",
    "get_last_completion_result",
    "get_last_failure",
    "has_last_completion_result",
    "in_workflow",
    "info",
    "instance",
    "is_failure_exception",
    "memo",
    "memo_value",
    "metric_meter",
    "patched",
    "payload_converter",
    "set_current_details",
    "upsert_memo",
    "upsert_search_attributes",
]


def in_workflow() -> bool:
    """Whether this code runs in a workflow."""
    return Runtime.maybe_current() is not None


def info() -> Info:
    """The running workflow."""
    return Runtime.current().info()


def instance() -> Any:
    """The object of the workflow class that runs."""
    return Runtime.current().instance()


def current_update_info() -> UpdateInfo | None:
    """The update that this code, or the handler that started it as a task, handles; None outside of updates."""
    return _current_update_info.get(None)


def extern_functions() -> Mapping[str, Callable[..., Any]]:
    """Functions that interceptors lend to the workflow, by name. They run with the guard off."""
    return Runtime.current().extern_functions()


def payload_converter() -> converter.PayloadConverter:
    """The converter of this workflow, to be used on raw values. It knows the workflow that it serves."""
    return Runtime.current().payload_converter()


def metric_meter() -> common.MetricMeter:
    """The meter of this workflow. It records nothing while history is replayed."""
    return Runtime.current().metric_meter()


def is_failure_exception(err: BaseException) -> bool:
    """Whether this error, if it left the workflow's code, would fail the workflow and not just its task."""
    return Runtime.current().is_failure_exception(err)


def cancellation_reason() -> str | None:
    """Why somebody asked for this workflow to be cancelled: maybe an empty string, but None only if nobody did.

    It tells a cancelled workflow from an `asyncio.CancelledError` of the workflow's own making.
    """
    return Runtime.current().cancellation_reason()


def patched(id: str, *, event_groups: Sequence[EventGroup] | None = None) -> bool:
    """Whether to take the new path at a place where the code was changed.

    True for a run that comes here for the first time or that took the new path before; False for one that passed here before the change.
    When no run that took the old path is left, or will be queried, delete that path and call `deprecate_patch`.

    Args:
        id: The name of this change. The same name may be asked for at many places, and gets the same answer.
        event_groups: Groups that the patch's event belongs to, beside those of the current scope.
    """
    return Runtime.current().patch(id, deprecated=False, event_groups=event_groups)


def deprecate_patch(id: str, *, event_groups: Sequence[EventGroup] | None = None) -> None:
    """Say that the old path of a change is gone. When no run is left that has seen `patched`, delete this call, too.

    Args:
        id: The name that `patched` was given.
        event_groups: Groups that the patch's event belongs to, beside those of the current scope.
    """
    Runtime.current().patch(id, deprecated=True, event_groups=event_groups)


def memo() -> Mapping[str, Any]:
    """The memo, converted without type hints, so that what was a dataclass is a dictionary. `memo_value` takes a hint."""
    return Runtime.current().memo()


@overload
def memo_value(key: str, default: Any = common._arg_unset) -> Any: ...
@overload
def memo_value(key: str, *, type_hint: type[ParamType]) -> ParamType: ...
@overload
def memo_value(key: str, default: AnyType, *, type_hint: type[ParamType]) -> AnyType | ParamType: ...


def memo_value(key: str, default: Any = common._arg_unset, *, type_hint: type | None = None) -> Any:
    """One value of the memo.

    Args:
        key: Its name.
        default: What to return if there is no such value.
        type_hint: What to convert it to.

    Raises:
        KeyError: There is no such value and no default.
    """
    return Runtime.current().memo_value(key, default, type_hint=type_hint)


def upsert_memo(updates: Mapping[str, Any], *, event_groups: Sequence[EventGroup] | None = None) -> None:
    """Change the memo: values are added or replaced, those set to None are removed, all others stay.

    Args:
        updates: Values by name.
        event_groups: Groups that the event belongs to, beside those of the current scope.
    """
    Runtime.current().upsert_memo(updates, event_groups=event_groups)


def upsert_search_attributes(
    attributes: common.SearchAttributes | Sequence[common.SearchAttributeUpdate[Any]],
    *,
    event_groups: Sequence[EventGroup] | None = None,
) -> None:
    """Change the search attributes; those that are not named stay.

    Args:
        attributes: What `value_set` and `value_unset` of a key return. A dictionary still works, but is deprecated: it has no types.
        event_groups: Groups that the event belongs to, beside those of the current scope.
    """
    if not attributes:
        return
    common._warn_on_deprecated_search_attributes(attributes)
    Runtime.current().upsert_search_attributes(attributes, event_groups=event_groups)


def get_current_details() -> str:
    """The details that this workflow last set about itself, for the UI and the command line."""
    return Runtime.current().current_details()


def set_current_details(description: str) -> None:
    """Say where the workflow stands, for the UI and the command line: Markdown, any number of lines, as often as you like."""
    Runtime.current().set_current_details(description)


def has_last_completion_result() -> bool:
    """Whether an earlier run, by cron or schedule, left a result."""
    return Runtime.current().has_last_completion_result()


@overload
def get_last_completion_result() -> Any | None: ...
@overload
def get_last_completion_result(type_hint: type[ParamType]) -> ParamType | None: ...


def get_last_completion_result(type_hint: type | None = None) -> Any | None:
    """The result of the last run, by cron or schedule, that completed. None if there was none, or if it was None."""
    return Runtime.current().last_completion_result(type_hint)


def get_last_failure() -> BaseException | None:
    """How the run before this one failed, None if it did not."""
    return Runtime.current().last_failure()
