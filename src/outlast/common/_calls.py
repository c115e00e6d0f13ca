"""Helpers of the public calls: their arguments, headers and type hints."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_type_hints

if TYPE_CHECKING:
    import google.protobuf.internal.containers
    import temporalio.api.common.v1

_arg_unset = object()
"""The argument that was not given; None is an argument."""


def _arg_or_args(arg: Any, args: Sequence[Any]) -> Sequence[Any]:
    """The arguments of a call that takes one as `arg` or several as `args`."""
    if arg is _arg_unset:
        return args
    if args:
        raise ValueError("Cannot have arg and args")
    return [arg]


def _apply_headers(
    source: Mapping[str, temporalio.api.common.v1.Payload] | None,
    dest: google.protobuf.internal.containers.MessageMap[str, temporalio.api.common.v1.Payload],
) -> None:
    for key, payload in (source or {}).items():
        dest[key].CopyFrom(payload)  # maps of messages take nothing else


def _type_hints_from_func(func: Callable[..., Any]) -> tuple[list[type] | None, type | None]:
    """The types of a function's parameters and of its result.

    The parameters are None when one of them cannot be passed by position; a first parameter `self` without a type is left
    out. A parameter without a hint has the type None.
    """
    func = _callable_behind(func)
    hints = get_type_hints(func)
    args: list[Any] = []
    for index, parameter in enumerate(inspect.signature(func).parameters.values()):
        if index == 0 and parameter.name == "self" and _is_plain_self(parameter):
            continue
        if parameter.kind not in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            return None, hints.get("return")
        args.append(hints.get(parameter.name))
    return args, hints.get("return")


def _is_plain_self(parameter: inspect.Parameter) -> bool:
    return parameter.annotation is inspect.Parameter.empty or str(parameter.annotation) == "typing.Self"


def _callable_behind(func: Callable[..., Any]) -> Callable[..., Any]:
    """The function that has the signature: of an object or a class its `__call__`."""
    if inspect.isfunction(func) or isinstance(func, types.MethodType | types.BuiltinFunctionType):
        return func
    owner = func if isinstance(func, type) else type(func)
    return getattr(owner, "__call__", func)  # noqa: B004
