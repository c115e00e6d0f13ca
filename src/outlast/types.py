"""Type variables and protocols that the signatures of the public API are written with."""

from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, Protocol, TypeVar

AnyType = TypeVar("AnyType")
ClassType = TypeVar("ClassType", bound=type)
SelfType = TypeVar("SelfType")
ParamType = TypeVar("ParamType")
ReturnType = TypeVar("ReturnType", covariant=True)
LocalReturnType = TypeVar("LocalReturnType", covariant=True)
CallableType = TypeVar("CallableType", bound=Callable[..., Any])
CallableAsyncType = TypeVar("CallableAsyncType", bound=Callable[..., Awaitable[Any]])
CallableSyncOrAsyncType = TypeVar("CallableSyncOrAsyncType", bound=Callable[..., Any | Awaitable[Any]])
CallableSyncOrAsyncReturnNoneType = TypeVar("CallableSyncOrAsyncReturnNoneType", bound=Callable[..., Awaitable[None] | None])
MultiParamSpec = ParamSpec("MultiParamSpec")

ProtocolParamType = TypeVar("ProtocolParamType", contravariant=True)
ProtocolReturnType = TypeVar("ProtocolReturnType", covariant=True)
ProtocolSelfType = TypeVar("ProtocolSelfType", contravariant=True)


class CallableAsyncNoParam(Protocol[ProtocolReturnType]):
    """An async function without parameters."""

    def __call__(self) -> Awaitable[ProtocolReturnType]: ...


class CallableSyncNoParam(Protocol[ProtocolReturnType]):
    """A function without parameters."""

    def __call__(self) -> ProtocolReturnType: ...


class CallableAsyncSingleParam(Protocol[ProtocolParamType, ProtocolReturnType]):
    """An async function of one parameter."""

    def __call__(self, __arg: ProtocolParamType) -> Awaitable[ProtocolReturnType]: ...


class CallableSyncSingleParam(Protocol[ProtocolParamType, ProtocolReturnType]):
    """A function of one parameter."""

    def __call__(self, __arg: ProtocolParamType) -> ProtocolReturnType: ...


class MethodAsyncNoParam(Protocol[ProtocolSelfType, ProtocolReturnType]):
    """An async method, not bound, without parameters."""

    def __call__(__self, self: ProtocolSelfType) -> Awaitable[ProtocolReturnType]: ...


class MethodSyncNoParam(Protocol[ProtocolSelfType, ProtocolReturnType]):
    """A method, not bound, without parameters."""

    def __call__(__self, self: ProtocolSelfType) -> ProtocolReturnType: ...


class MethodAsyncSingleParam(Protocol[ProtocolSelfType, ProtocolParamType, ProtocolReturnType]):
    """An async method, not bound, of one parameter."""

    def __call__(self, __self: ProtocolSelfType, __arg: ProtocolParamType, /) -> Awaitable[ProtocolReturnType]: ...


class MethodSyncSingleParam(Protocol[ProtocolSelfType, ProtocolParamType, ProtocolReturnType]):
    """A method, not bound, of one parameter."""

    def __call__(self, __self: ProtocolSelfType, __arg: ProtocolParamType, /) -> ProtocolReturnType: ...


class MethodSyncOrAsyncNoParam(Protocol[ProtocolSelfType, ProtocolReturnType]):
    """A method, async or not, not bound, without parameters."""

    def __call__(self, __self: ProtocolSelfType) -> ProtocolReturnType | Awaitable[ProtocolReturnType]: ...


class MethodSyncOrAsyncSingleParam(Protocol[ProtocolSelfType, ProtocolParamType, ProtocolReturnType]):
    """A method, async or not, not bound, of one parameter."""

    def __call__(self, __self: ProtocolSelfType, __param: ProtocolParamType, /) -> ProtocolReturnType | Awaitable[ProtocolReturnType]: ...
