"""What is known of a signal, query or update handler, worked out once, when the handler is defined."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MethodType
from typing import Any

from outlast import common
from outlast.workflow._options import HandlerUnfinishedPolicy

SIGNAL_ATTRIBUTE = "__temporal_signal_definition"
"""Where a decorated function keeps its `_SignalDefinition`."""
QUERY_ATTRIBUTE = "__temporal_query_definition"
"""Where a decorated function keeps its `_QueryDefinition`."""
METHODS_KEPT_MAX = 1024
"""How many methods' type hints are kept; more are looked at again."""


@dataclass(frozen=True)
class _SignalDefinition:
    """How to call a signal handler."""

    name: str | None
    """None for the handler of all signals that have no handler of their own."""
    fn: Callable[..., Awaitable[None] | None]
    is_method: bool
    """Whether `fn` still wants the workflow instance as its first argument."""
    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON
    description: str | None = None
    arg_types: list[type] | None = None
    """None if not all can be passed by position; in it, None for one that is not annotated."""
    dynamic_vararg: bool = False
    """A dynamic handler in the old form, which takes `*args` instead of a sequence of raw values."""
    is_async: bool = field(init=False, compare=False, repr=False, default=False)

    @staticmethod
    def from_fn(fn: Callable[..., Any]) -> _SignalDefinition | None:
        return getattr(fn, SIGNAL_ATTRIBUTE, None)

    @staticmethod
    def must_name_from_fn_or_str(signal: str | Callable[..., Any]) -> str:
        if not callable(signal):
            return str(signal)
        definition = _SignalDefinition.from_fn(signal)
        if definition is None:
            name = getattr(signal, "__qualname__", signal)
            raise RuntimeError(f"Signal definition not found on {name}, is it decorated with @workflow.signal?")
        if not definition.name:
            raise RuntimeError("Cannot invoke dynamic signal definition")
        return definition.name

    def __post_init__(self) -> None:
        _set(self, is_async=_is_async(self.fn))
        if self.arg_types is None:
            arg_types, _ = _type_hints(self.fn)
            vararg = not self.name and not _assert_dynamic_handler_args(self.fn, arg_types, self.is_method)
            _set(self, arg_types=arg_types, dynamic_vararg=vararg)

    def bind_fn(self, obj: Any) -> Callable[..., Any]:
        return _bind_method(obj, self.fn)


@dataclass(frozen=True)
class _QueryDefinition:
    """How to call a query handler."""

    name: str | None
    """None for the handler of all queries that have no handler of their own."""
    fn: Callable[..., Any]
    is_method: bool
    """Whether `fn` still wants the workflow instance as its first argument."""
    description: str | None = None
    arg_types: list[type] | None = None
    """None if not all can be passed by position; in it, None for one that is not annotated."""
    ret_type: type | None = None
    dynamic_vararg: bool = False
    """A dynamic handler in the old form, which takes `*args` instead of a sequence of raw values."""
    is_async: bool = field(init=False, compare=False, repr=False, default=False)

    @staticmethod
    def from_fn(fn: Callable[..., Any]) -> _QueryDefinition | None:
        return getattr(fn, QUERY_ATTRIBUTE, None)

    def __post_init__(self) -> None:
        _set(self, is_async=_is_async(self.fn))
        if self.arg_types is None and self.ret_type is None:
            arg_types, ret_type = _type_hints(self.fn)
            vararg = not self.name and not _assert_dynamic_handler_args(self.fn, arg_types, self.is_method)
            _set(self, arg_types=arg_types, ret_type=ret_type, dynamic_vararg=vararg)

    def bind_fn(self, obj: Any) -> Callable[..., Any]:
        return _bind_method(obj, self.fn)


@dataclass(frozen=True)
class _UpdateDefinition:
    """How to call an update handler and its validator."""

    name: str | None
    """None for the handler of all updates that have no handler of their own."""
    fn: Callable[..., Any]
    is_method: bool
    """Whether `fn` still wants the workflow instance as its first argument."""
    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON
    description: str | None = None
    arg_types: list[type] | None = None
    """None if not all can be passed by position; in it, None for one that is not annotated."""
    ret_type: type | None = None
    validator: Callable[..., None] | None = None
    dynamic_vararg: bool = False
    is_async: bool = field(init=False, compare=False, repr=False, default=False)

    def __post_init__(self) -> None:
        _set(self, is_async=_is_async(self.fn))
        if self.arg_types is None:
            arg_types, ret_type = _type_hints(self.fn)
            if not self.name and not _assert_dynamic_handler_args(self.fn, arg_types, self.is_method):
                raise RuntimeError("Dynamic updates do not support a vararg third param, use Sequence[RawValue]")
            _set(self, arg_types=arg_types, ret_type=ret_type)

    def bind_fn(self, obj: Any) -> Callable[..., Any]:
        return _bind_method(obj, self.fn)

    def bind_validator(self, obj: Any) -> Callable[..., Any]:
        if self.validator is None:
            return _accept_all
        return _bind_method(obj, self.validator)

    def set_validator(self, validator: Callable[..., None]) -> None:
        # Nobody awaits a validator: an async one would let everything pass.
        if _is_async(validator):
            raise ValueError("Update validator must not be an async function")
        if self.validator:
            raise RuntimeError(f"Validator already set for update {self.name}")
        _set(self, validator=validator)

    @classmethod
    def get_name_and_result_type(cls, name_or_update_fn: str | Callable[..., Any]) -> tuple[str, type | None]:
        definition = getattr(name_or_update_fn, "_defn", None)
        if not isinstance(definition, cls):
            return str(name_or_update_fn), None
        if not definition.name:
            raise RuntimeError("Cannot invoke dynamic update definition")
        return definition.name, definition.ret_type


def _type_hints(fn: Callable[..., Any]) -> tuple[list[type] | None, type | None]:
    """The types of a handler's arguments and of its result. Workflows set the same methods in every run, so that those are kept."""
    return _type_hints_of_method(fn.__func__) if isinstance(fn, MethodType) else common._type_hints_from_func(fn)


@lru_cache(maxsize=METHODS_KEPT_MAX)
def _type_hints_of_method(function: Callable[..., Any]) -> tuple[list[type] | None, type | None]:
    return common._type_hints_from_func(MethodType(function, object()))


def _set(definition: Any, **values: Any) -> None:
    for name, value in values.items():
        object.__setattr__(definition, name, value)


def _is_async(fn: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(fn)


def _accept_all(*args: Any, **kwargs: Any) -> None:
    """The validator of an update that has none."""


def _bind_method(obj: Any, fn: Callable[..., Any]) -> Callable[..., Any]:
    return MethodType(fn, obj)


def _assert_dynamic_handler_args(fn: Callable[..., Any], arg_types: list[type] | None, is_method: bool) -> bool:
    """Check what a dynamic handler takes: a name and a sequence of raw values. False for the old form, a name and `*args`."""
    params = list(inspect.signature(fn).parameters.values())
    if (
        len(params) == (3 if is_method else 2)
        and params[-2].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        and params[-1].kind is inspect.Parameter.VAR_POSITIONAL
    ):
        return False
    if arg_types is None or len(arg_types) != 2 or arg_types[0] is not str or not _is_raw_values(arg_types[1]):
        raise RuntimeError("Dynamic handler must have 3 arguments: self, str, and Sequence[RawValue]")
    return True


def _is_raw_values(hint: Any) -> bool:
    return hint in (Sequence[common.RawValue], typing.Sequence[common.RawValue])
