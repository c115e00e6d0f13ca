"""What an activity's code may call, and the decorator that makes a function an activity.

Most of it works through a context variable that is set before the activity starts. Code that an activity runs in a thread of its own
must take the context along (`contextvars.copy_context`).
"""

from __future__ import annotations

import contextvars
import inspect
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn, overload

from outlast import common
from outlast.types import CallableType

if TYPE_CHECKING:
    import asyncio

    from outlast import converter
    from outlast.client import Client

_DEFINITION_ATTRIBUTE = "__temporal_activity_definition"
"""Where a decorated function keeps its `_Definition`."""


@overload
def defn(fn: CallableType) -> CallableType: ...
@overload
def defn(*, name: str | None = None, no_thread_cancel_exception: bool = False) -> Callable[[CallableType], CallableType]: ...
@overload
def defn(*, no_thread_cancel_exception: bool = False, dynamic: bool = False) -> Callable[[CallableType], CallableType]: ...


def defn(
    fn: CallableType | None = None,
    *,
    name: str | None = None,
    no_thread_cancel_exception: bool = False,
    dynamic: bool = False,
) -> CallableType | Callable[[CallableType], CallableType]:
    """Make a function, a method or a callable class an activity. It may be async or not.

    Args:
        fn: The function. It takes positional parameters only; one object that can grow is best.
        name: The activity type, if it is not the function's name. Not together with `dynamic`.
        no_thread_cancel_exception: Do not raise CancelledError in the thread of an activity that is not async when it is cancelled.
        dynamic: Run every activity type that the worker has no function for. It then takes one `Sequence[RawValue]`.

    Raises:
        ValueError: It is an activity already.
        TypeError: It cannot be called, or it has parameters that can only be named.
    """

    def decorate(fn: CallableType) -> CallableType:
        _Definition._apply_to_callable(
            fn,
            activity_name=None if dynamic else name or fn.__name__,
            no_thread_cancel_exception=no_thread_cancel_exception,
        )
        return fn

    return decorate if fn is None else decorate(fn)


@dataclass(frozen=True)
class Info:
    """The running attempt of an activity, from `info()`.

    Do not make one: fields may be added. A test takes `outlast.testing.ActivityEnvironment.default_info` and `dataclasses.replace`.
    """

    activity_id: str
    activity_type: str
    attempt: int
    current_attempt_scheduled_time: datetime
    heartbeat_details: Sequence[Any]
    """What the last attempt that heartbeat said."""
    heartbeat_timeout: timedelta | None
    is_local: bool
    namespace: str
    schedule_to_close_timeout: timedelta | None
    scheduled_time: datetime
    start_to_close_timeout: timedelta | None
    started_time: datetime
    task_queue: str
    task_token: bytes
    """With it, another process can complete the activity."""
    workflow_id: str | None
    """None if no workflow started the activity."""
    workflow_namespace: str | None
    """None if no workflow started the activity. Deprecated: it is always `namespace`."""
    workflow_run_id: str | None
    """None if no workflow started the activity."""
    workflow_type: str | None
    """None if no workflow started the activity."""
    priority: common.Priority
    retry_policy: common.RetryPolicy | None
    """As the server applies it, which may differ from what was asked for. None if the server did not say."""
    activity_run_id: str | None = None
    """Its own run id, if no workflow started the activity."""

    @property
    def in_workflow(self) -> bool:
        """Whether a workflow started the activity."""
        return self.workflow_id is not None

    def _logger_details(self) -> Mapping[str, Any]:
        return {
            "activity_id": self.activity_id,
            "activity_type": self.activity_type,
            "attempt": self.attempt,
            "namespace": self.namespace,
            "task_queue": self.task_queue,
            "workflow_id": self.workflow_id,
            "workflow_run_id": self.workflow_run_id,
            "workflow_type": self.workflow_type,
        }


@dataclass(frozen=True)
class ActivityCancellationDetails:
    """Why an activity was cancelled. Once known it does not change."""

    not_found: bool = False
    """The server no longer knows the activity: it, or its workflow, is over."""
    cancel_requested: bool = False
    paused: bool = False
    reset: bool = False
    timed_out: bool = False
    worker_shutdown: bool = False


@dataclass
class _ActivityCancellationDetailsHolder:
    """Where the worker leaves the reason; shared by all that look for it."""

    details: ActivityCancellationDetails | None = None


@dataclass
class _CompositeEvent:
    """An event that is awaited in an event loop and waited for in threads. Whoever sets it is in that loop, or has none."""

    thread_event: threading.Event | None
    """Made when a thread first waits, if it was not given."""
    async_event: asyncio.Event | None
    """None where the activity is not async."""

    def set(self) -> None:
        if self.async_event:
            self.async_event.set()
        if self.thread_event:
            self.thread_event.set()

    def is_set(self) -> bool:
        event = self.async_event or self.thread_event
        return event is not None and event.is_set()

    async def wait(self) -> None:
        if self.async_event is None:
            raise RuntimeError("not in async activity")
        await self.async_event.wait()

    def wait_sync(self, timeout: float | None = None) -> None:
        if self.thread_event is None:
            self.thread_event = threading.Event()
            # Looked at after the assignment: whoever sets the event from now on sets both.
            if self.is_set():
                self.thread_event.set()
        self.thread_event.wait(timeout)


@dataclass
class _Context:
    """What the worker gives to a running activity."""

    info: Callable[[], Info]
    heartbeat: Callable[..., None] | None
    """None while interceptors are set up."""
    cancelled_event: _CompositeEvent
    worker_shutdown_event: _CompositeEvent
    shield_thread_cancel_exception: Callable[[], AbstractContextManager[None]] | None
    """None where no exception is raised in the activity's thread."""
    payload_converter_class_or_instance: type[converter.PayloadConverter] | converter.PayloadConverter
    """A class where the activity runs in another process."""
    runtime_metric_meter: common.MetricMeter | None
    """None where the activity runs in another process."""
    client: Client | None
    """None where the activity is not async."""
    cancellation_details: _ActivityCancellationDetailsHolder
    _logger_details: Mapping[str, Any] | None = None
    _payload_converter: converter.PayloadConverter | None = None
    _metric_meter: common.MetricMeter | None = None

    @staticmethod
    def current() -> _Context:
        context = _current_context.get(None)
        if context is None:
            raise RuntimeError("Not in activity context")
        return context

    @staticmethod
    def set(context: _Context) -> contextvars.Token[_Context]:
        return _current_context.set(context)

    @staticmethod
    def reset(token: contextvars.Token[_Context]) -> None:
        _current_context.reset(token)

    @property
    def logger_details(self) -> Mapping[str, Any]:
        if self._logger_details is None:
            self._logger_details = self.info()._logger_details()
        return self._logger_details

    @property
    def payload_converter(self) -> converter.PayloadConverter:
        if self._payload_converter is None:
            given = self.payload_converter_class_or_instance
            self._payload_converter = given() if isinstance(given, type) else given
        return self._payload_converter

    @property
    def metric_meter(self) -> common.MetricMeter:
        if self.runtime_metric_meter is None:
            raise RuntimeError("Metrics meter not available in non-threaded sync activities like multiprocess")
        # Two threads of one activity may both make it: that costs less than a lock, and both are as good.
        if self._metric_meter is None:
            info = self.info()
            self._metric_meter = self.runtime_metric_meter.with_additional_attributes(
                {"namespace": info.namespace, "task_queue": info.task_queue, "activity_type": info.activity_type}
            )
        return self._metric_meter


_current_context: contextvars.ContextVar[_Context] = contextvars.ContextVar("activity")


def in_activity() -> bool:
    """Whether this code runs in an activity."""
    return _current_context.get(None) is not None


def info() -> Info:
    """The running activity. Raises RuntimeError outside of activities, as all functions here do that need one."""
    return _Context.current().info()


def client() -> Client:
    """A client of the server that this activity's worker works for.

    Raises:
        RuntimeError: The activity is not async, or a test gave its `ActivityEnvironment` no client.
    """
    client = _Context.current().client
    if client is None:
        raise RuntimeError(
            "No client available. The client is only available in `async def` activities; not in `def` activities. "
            "In tests you can pass a client when creating ActivityEnvironment."
        )
    return client


def heartbeat(*details: Any) -> None:
    """Tell the server that the activity is alive, and how far it has come. The next attempt finds the details in `info()`.

    It is also how the activity learns that it was cancelled. Call it as often as you like: the worker sends what is needed.
    """
    heartbeat_fn = _Context.current().heartbeat
    if heartbeat_fn is None:
        raise RuntimeError("Can only execute heartbeat after interceptor init")
    heartbeat_fn(*details)


def cancellation_details() -> ActivityCancellationDetails | None:
    """Why this activity was cancelled, None if it was not."""
    return _Context.current().cancellation_details.details


def is_cancelled() -> bool:
    """Whether this activity was cancelled."""
    return _Context.current().cancelled_event.is_set()


async def wait_for_cancelled() -> None:
    """Wait until this async activity is cancelled."""
    await _Context.current().cancelled_event.wait()


def wait_for_cancelled_sync(timeout: timedelta | float | None = None) -> None:
    """Block until this activity is cancelled or the time (in seconds if it is a number) is up. `is_cancelled` tells which."""
    _Context.current().cancelled_event.wait_sync(_seconds(timeout))


@contextmanager
def shield_thread_cancel_exception() -> Iterator[None]:
    """Hold back the CancelledError that cancellation raises in the thread of an activity, until the end of the outermost such block.

    It is then raised whatever the block returns or raises. Without effect in activities that run otherwise.
    """
    shield = _Context.current().shield_thread_cancel_exception
    if shield is None:
        yield
        return
    with shield():
        yield


def is_worker_shutdown() -> bool:
    """Whether this activity's worker is shutting down."""
    return _Context.current().worker_shutdown_event.is_set()


async def wait_for_worker_shutdown() -> None:
    """Wait, in an async activity, until its worker shuts down."""
    await _Context.current().worker_shutdown_event.wait()


def wait_for_worker_shutdown_sync(timeout: timedelta | float | None = None) -> None:
    """Block until the worker shuts down or the time (in seconds if it is a number) is up. `is_worker_shutdown` tells which."""
    _Context.current().worker_shutdown_event.wait_sync(_seconds(timeout))


def _seconds(timeout: timedelta | float | None) -> float | None:
    return timeout.total_seconds() if isinstance(timeout, timedelta) else timeout


def raise_complete_async() -> NoReturn:
    """Leave the activity without ending it: somebody else completes it, with its task token or its id."""
    raise _CompleteAsyncError


class _CompleteAsyncError(BaseException):
    """How `raise_complete_async` leaves the activity."""


def payload_converter() -> converter.PayloadConverter:
    """The converter of this activity, to be used on raw values. It knows the activity that it serves."""
    return _Context.current().payload_converter


def metric_meter() -> common.MetricMeter:
    """The meter of this activity. Raises RuntimeError where the activity runs in another process."""
    return _Context.current().metric_meter


class LoggerAdapter(logging.LoggerAdapter[logging.Logger]):
    """Adds to each record what activity it comes from.

    Attributes:
        activity_info_on_message: Append the main facts to the message. On by default.
        activity_info_on_extra: Put the main facts into the record, as `temporal_activity`. On by default.
        full_activity_info_on_extra: Put the whole `Info` into the record, as `activity_info`. Off by default.
    """

    def __init__(self, logger: logging.Logger, extra: Mapping[str, Any] | None) -> None:
        super().__init__(logger, extra or {})
        self.activity_info_on_message = True
        self.activity_info_on_extra = True
        self.full_activity_info_on_extra = False

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Add the activity; what the caller gives as `extra` goes before it."""
        context = _current_context.get(None)
        if context is None:
            return msg, kwargs
        extra = dict(kwargs.get("extra") or {})
        if self.activity_info_on_extra:
            extra["temporal_activity"] = context.logger_details
        if self.full_activity_info_on_extra:
            extra["activity_info"] = context.info()
        if extra:
            kwargs["extra"] = extra
        if self.activity_info_on_message:
            msg = f"{msg} ({context.logger_details})"
        return msg, kwargs

    @property
    def base_logger(self) -> logging.Logger:
        """The logger underneath, for handlers and formatters."""
        return self.logger


logger = LoggerAdapter(logging.getLogger(__name__), None)
"""A logger whose records say what activity they come from."""


@dataclass(frozen=True)
class _Definition:
    """An activity as the SDK sees it, worked out once, when the function is decorated."""

    name: str | None
    """None for the activity of all types that have no function of their own."""
    fn: Callable[..., Any]
    is_async: bool
    no_thread_cancel_exception: bool
    arg_types: list[type] | None = None
    """None if not all can be passed by position; in it, None for one that is not annotated."""
    ret_type: type | None = None

    @staticmethod
    def from_callable(fn: Callable[..., Any]) -> _Definition | None:
        definition = getattr(fn, _DEFINITION_ATTRIBUTE, None)
        if not isinstance(definition, _Definition):
            return None
        # A bound method shares the definition of its function, but it is the method that must be called.
        return definition if definition.fn is fn else replace(definition, fn=fn)

    @staticmethod
    def must_from_callable(fn: Callable[..., Any]) -> _Definition:
        return _Definition.from_callable(fn) or _raise_missing(fn)

    @classmethod
    def get_name_and_result_type(cls, name_or_run_fn: str | Callable[..., Any]) -> tuple[str, type | None]:
        if isinstance(name_or_run_fn, str):
            return name_or_run_fn, None
        if not callable(name_or_run_fn):
            raise TypeError("Activity must be a string or callable")
        definition = getattr(name_or_run_fn, _DEFINITION_ATTRIBUTE, None)
        if not isinstance(definition, cls):
            _raise_missing(name_or_run_fn)
        if not definition.name:
            raise ValueError(f"Activity {name_or_run_fn} definition has no name")
        return definition.name, definition.ret_type

    @staticmethod
    def _apply_to_callable(fn: Callable[..., Any], *, activity_name: str | None, no_thread_cancel_exception: bool = False) -> None:
        if hasattr(fn, _DEFINITION_ATTRIBUTE):
            raise ValueError("Function already contains activity definition")
        if not callable(fn):
            raise TypeError("Activity is not callable")
        if any(parameter.kind is parameter.KEYWORD_ONLY for parameter in inspect.signature(fn).parameters.values()):
            raise TypeError("Activity cannot have keyword-only arguments")
        # An object is async if its `__call__` is.
        is_async = inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(fn.__call__)  # type: ignore[operator]
        definition = _Definition(activity_name, fn, is_async, no_thread_cancel_exception)
        setattr(fn, _DEFINITION_ATTRIBUTE, definition)

    def __post_init__(self) -> None:
        if self.arg_types is not None or self.ret_type is not None:
            return
        arg_types, ret_type = common._type_hints_from_func(self.fn)
        if self.name is None and arg_types != [Sequence[common.RawValue]]:
            raise TypeError("Dynamic activity must accept a single Sequence[outlast.common.RawValue]")
        object.__setattr__(self, "arg_types", arg_types)
        object.__setattr__(self, "ret_type", ret_type)


def _raise_missing(fn: Callable[..., Any]) -> NoReturn:
    name = getattr(fn, "__name__", "<unknown>")
    raise TypeError(f"Activity {name} missing attributes, was it decorated with @activity.defn?")
