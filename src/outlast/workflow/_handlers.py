"""The decorators of a workflow's handlers: signal, query and update."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Literal, Protocol, cast, overload, runtime_checkable

from outlast.types import (
    CallableSyncOrAsyncReturnNoneType,
    CallableSyncOrAsyncType,
    CallableType,
    MultiParamSpec,
    ProtocolReturnType,
    ReturnType,
)
from outlast.workflow._handler_definitions import (
    QUERY_ATTRIBUTE,
    SIGNAL_ATTRIBUTE,
    _QueryDefinition,
    _SignalDefinition,
    _UpdateDefinition,
)
from outlast.workflow._options import HandlerUnfinishedPolicy

__all__ = ["UpdateMethodMultiParam", "query", "signal", "update"]

_WARN = HandlerUnfinishedPolicy.WARN_AND_ABANDON
_VARARG_WARNING = "Dynamic {} with vararg third param is deprecated, use Sequence[RawValue]"


@overload
def signal(fn: CallableSyncOrAsyncReturnNoneType) -> CallableSyncOrAsyncReturnNoneType: ...
@overload
def signal(
    *, unfinished_policy: HandlerUnfinishedPolicy = _WARN, description: str | None = None
) -> Callable[[CallableSyncOrAsyncReturnNoneType], CallableSyncOrAsyncReturnNoneType]: ...
@overload
def signal(
    *, name: str, unfinished_policy: HandlerUnfinishedPolicy = _WARN, description: str | None = None
) -> Callable[[CallableSyncOrAsyncReturnNoneType], CallableSyncOrAsyncReturnNoneType]: ...
@overload
def signal(
    *, dynamic: Literal[True], unfinished_policy: HandlerUnfinishedPolicy = _WARN, description: str | None = None
) -> Callable[[CallableSyncOrAsyncReturnNoneType], CallableSyncOrAsyncReturnNoneType]: ...


def signal(
    fn: CallableSyncOrAsyncReturnNoneType | None = None,
    *,
    name: str | None = None,
    dynamic: bool | None = False,
    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON,
    description: str | None = None,
) -> Callable[[CallableSyncOrAsyncReturnNoneType], CallableSyncOrAsyncReturnNoneType] | CallableSyncOrAsyncReturnNoneType:
    """Mark a method, async or not, as the handler of a signal. A method that overrides a handler must be marked again.

    Args:
        fn: The method. It takes positional parameters only; one object that can grow is best. What it returns is dropped.
        name: The signal's name, if it is not the method's. Not together with `dynamic`.
        dynamic: Handle every signal that has no handler of its own. The method takes the name and a `Sequence[RawValue]`.
        unfinished_policy: What to do if the workflow ends before this handler does.
        description: One line for the UI and the command line.
    """

    def decorate(fn: CallableSyncOrAsyncReturnNoneType) -> CallableSyncOrAsyncReturnNoneType:
        own_name = name or (None if dynamic else fn.__name__)
        definition = _SignalDefinition(own_name, fn, is_method=True, unfinished_policy=unfinished_policy, description=description)
        setattr(fn, SIGNAL_ATTRIBUTE, definition)
        if definition.dynamic_vararg:
            warnings.warn(_VARARG_WARNING.format("signals"), DeprecationWarning, stacklevel=2)
        return fn

    if fn is not None:
        return decorate(fn)
    _refuse_name_and_dynamic(name, dynamic)
    return decorate


@overload
def query(fn: CallableType) -> CallableType: ...
@overload
def query(*, name: str, description: str | None = None) -> Callable[[CallableType], CallableType]: ...
@overload
def query(*, dynamic: Literal[True], description: str | None = None) -> Callable[[CallableType], CallableType]: ...
@overload
def query(*, description: str) -> Callable[[CallableType], CallableType]: ...


def query(
    fn: CallableType | None = None,
    *,
    name: str | None = None,
    dynamic: bool | None = False,
    description: str | None = None,
) -> CallableType | Callable[[CallableType], CallableType]:
    """Mark a method as the handler of a query. It must not change the workflow. A method that overrides a handler must be marked again.

    Args:
        fn: The method; what it returns is the answer. It takes positional parameters only; one object that can grow is best.
        name: The query's name, if it is not the method's. Not together with `dynamic`.
        dynamic: Handle every query that has no handler of its own. The method takes the name and a `Sequence[RawValue]`.
        description: One line for the UI and the command line.
    """

    def decorate(fn: CallableType) -> CallableType:
        if inspect.iscoroutinefunction(fn):
            warnings.warn("Queries as async def functions are deprecated", DeprecationWarning, stacklevel=3)
        own_name = name or (None if dynamic else fn.__name__)
        definition = _QueryDefinition(own_name, fn, is_method=True, description=description)
        setattr(fn, QUERY_ATTRIBUTE, definition)
        if definition.dynamic_vararg:
            warnings.warn(_VARARG_WARNING.format("queries"), DeprecationWarning, stacklevel=3)
        return fn

    if fn is not None:
        return decorate(fn)
    _refuse_name_and_dynamic(name, dynamic)
    if name is None and not dynamic and not description:
        raise RuntimeError("Cannot create query without function or name or dynamic")
    # The extra frame makes the warning of a bare decorator and of one with arguments point at the same place: the user's line.
    return lambda fn: decorate(fn)


@runtime_checkable
class UpdateMethodMultiParam(Protocol[MultiParamSpec, ProtocolReturnType]):
    """A method that `update` has marked."""

    _defn: _UpdateDefinition

    def __call__(self, *args: MultiParamSpec.args, **kwargs: MultiParamSpec.kwargs) -> ProtocolReturnType | Awaitable[ProtocolReturnType]:
        """The method itself."""
        ...

    def validator(self, vfunc: Callable[MultiParamSpec, None]) -> Callable[MultiParamSpec, None]:
        """Mark the method that judges the update's arguments before the update is accepted.

        It takes the same parameters, is not async (ValueError) and rejects the update by raising.
        """
        ...


@overload
def update(fn: Callable[MultiParamSpec, Awaitable[ReturnType]]) -> UpdateMethodMultiParam[MultiParamSpec, ReturnType]: ...
@overload
def update(fn: Callable[MultiParamSpec, ReturnType]) -> UpdateMethodMultiParam[MultiParamSpec, ReturnType]: ...
@overload
def update(
    *, unfinished_policy: HandlerUnfinishedPolicy = _WARN, description: str | None = None
) -> Callable[[Callable[MultiParamSpec, ReturnType]], UpdateMethodMultiParam[MultiParamSpec, ReturnType]]: ...
@overload
def update(
    *, name: str, unfinished_policy: HandlerUnfinishedPolicy = _WARN, description: str | None = None
) -> Callable[[Callable[MultiParamSpec, ReturnType]], UpdateMethodMultiParam[MultiParamSpec, ReturnType]]: ...
@overload
def update(
    *, dynamic: Literal[True], unfinished_policy: HandlerUnfinishedPolicy = _WARN, description: str | None = None
) -> Callable[[Callable[MultiParamSpec, ReturnType]], UpdateMethodMultiParam[MultiParamSpec, ReturnType]]: ...


def update(
    fn: CallableSyncOrAsyncType | None = None,
    *,
    name: str | None = None,
    dynamic: bool | None = False,
    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON,
    description: str | None = None,
) -> (
    UpdateMethodMultiParam[MultiParamSpec, ReturnType]
    | Callable[[Callable[MultiParamSpec, ReturnType]], UpdateMethodMultiParam[MultiParamSpec, ReturnType]]
):
    """Mark a method, async or not, as the handler of an update. A method that overrides a handler must be marked again.

    Args:
        fn: The method; what it returns is the update's result. It takes positional parameters only; one object that can grow is best.
        name: The update's name, if it is not the method's. Not together with `dynamic`.
        dynamic: Handle every update that has no handler of its own. The method takes the name and a `Sequence[RawValue]`.
        unfinished_policy: What to do if the workflow ends before this handler does.
        description: One line for the UI and the command line.
    """

    def decorate(fn: Any) -> Any:
        own_name = name or (None if dynamic else fn.__name__)
        fn._defn = _UpdateDefinition(own_name, fn, is_method=True, unfinished_policy=unfinished_policy, description=description)
        fn.validator = partial(_update_validator, fn._defn)
        return fn

    if fn is not None:
        return cast("UpdateMethodMultiParam[MultiParamSpec, ReturnType]", decorate(fn))
    _refuse_name_and_dynamic(name, dynamic)
    return decorate


def _update_validator(update_def: _UpdateDefinition, fn: Callable[..., None] | None = None) -> Callable[..., None] | None:
    if fn is not None:
        update_def.set_validator(fn)
    return fn


def _refuse_name_and_dynamic(name: str | None, dynamic: bool | None) -> None:
    if name is not None and dynamic:
        raise RuntimeError("Cannot provide name and dynamic boolean")
