"""Runs an activity's code without a server."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, TypeVar

from outlast import activity, common
from outlast.activity import ActivityCancellationDetails
from outlast.client import Client
from outlast.converter import DataConverter
from outlast.exceptions import CancelledError
from outlast.worker._thread_cancel import ThreadCancel

_Params = ParamSpec("_Params")
_Return = TypeVar("_Return")

_EPOCH = datetime.fromtimestamp(0, UTC)
_DEFAULT_INFO = activity.Info(
    activity_id="test",
    activity_type="unknown",
    attempt=1,
    current_attempt_scheduled_time=_EPOCH,
    heartbeat_details=[],
    heartbeat_timeout=None,
    is_local=False,
    namespace="default",
    schedule_to_close_timeout=timedelta(seconds=1),
    scheduled_time=_EPOCH,
    start_to_close_timeout=timedelta(seconds=1),
    started_time=_EPOCH,
    task_queue="test",
    task_token=b"test",
    workflow_id="test",
    workflow_namespace="default",
    workflow_run_id="test-run",
    workflow_type="test",
    priority=common.Priority.default,
    retry_policy=None,
    activity_run_id=None,
)
_CANCEL_REQUESTED = ActivityCancellationDetails(cancel_requested=True)


class ActivityEnvironment:
    """Stands in for the worker around an activity. Set the attributes before :meth:`run`.

    Attributes:
        info: What ``activity.info()`` gives. ``dataclasses.replace`` makes another of :meth:`default_info`.
        on_heartbeat: Called with the details of each heartbeat.
        payload_converter: What ``activity.payload_converter()`` gives.
        metric_meter: What ``activity.metric_meter()`` builds upon. By default it measures nothing.
    """

    def __init__(self, client: Client | None = None) -> None:
        """``client`` is what ``activity.client()`` gives in async activities."""
        self.info = ActivityEnvironment.default_info()
        self.on_heartbeat: Callable[..., None] = lambda *details: None
        self.payload_converter = DataConverter.default.payload_converter
        self.metric_meter = common.MetricMeter.noop
        self._client = client
        self._cancelled = False
        self._worker_shutdown = False
        self._running: set[_Run] = set()
        self._cancellation_details = activity._ActivityCancellationDetailsHolder()

    @staticmethod
    def default_info() -> activity.Info:
        """The first attempt of an activity called "test", in the workflow "test"."""
        return _DEFAULT_INFO

    def cancel(self, cancellation_details: ActivityCancellationDetails = _CANCEL_REQUESTED) -> None:
        """Cancel what runs, and what is run from now on. Only the first call counts."""
        if self._cancelled:
            return
        self._cancelled = True
        self._cancellation_details.details = cancellation_details
        for run in list(self._running):
            run.cancel()

    def worker_shutdown(self) -> None:
        """Tell the activities that their worker shuts down. Only the first call counts."""
        if self._worker_shutdown:
            return
        self._worker_shutdown = True
        for run in list(self._running):
            run.context.worker_shutdown_event.set()

    def run(self, fn: Callable[_Params, _Return], *args: _Params.args, **kwargs: _Params.kwargs) -> _Return:
        """Run the function as an activity: whatever it returns or raises. For an async function that is an awaitable."""
        return _Run(self, fn).start(*args, **kwargs)  # type: ignore[no-any-return]


class _Run:
    """One call of the activity's function."""

    def __init__(self, env: ActivityEnvironment, fn: Callable[..., Any]) -> None:
        self._env = env
        self._fn = fn
        self._is_async = inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(getattr(fn, "__call__", None))  # noqa: B004
        self._thread = None if self._is_async or _keeps_its_thread(fn) else ThreadCancel()
        self._task: asyncio.Task[Any] | None = None
        self.context = activity._Context(
            info=lambda: env.info,
            heartbeat=lambda *details: env.on_heartbeat(*details),
            cancelled_event=self._event(),
            worker_shutdown_event=self._event(),
            shield_thread_cancel_exception=self._thread.shielded if self._thread is not None else None,
            payload_converter_class_or_instance=env.payload_converter,
            runtime_metric_meter=env.metric_meter,
            client=env._client if self._is_async else None,
            cancellation_details=env._cancellation_details,
        )

    def _event(self) -> activity._CompositeEvent:
        return activity._CompositeEvent(threading.Event(), asyncio.Event() if self._is_async else None)

    def start(self, *args: Any, **kwargs: Any) -> Any:
        if self._is_async:
            return self._run_async(*args, **kwargs)
        with ExitStack() as stack:
            stack.enter_context(self._running())
            thread: AbstractContextManager[None] = self._thread.active() if self._thread is not None else nullcontext()
            stack.enter_context(thread)
            return self._fn(*args, **kwargs)

    async def _run_async(self, *args: Any, **kwargs: Any) -> Any:
        with self._running():
            self._task = asyncio.ensure_future(self._fn(*args, **kwargs))
            if self._env._cancelled:
                self._task.cancel()
            return await self._task

    @contextmanager
    def _running(self) -> Iterator[None]:
        if self._env._cancelled:
            self.context.cancelled_event.set()
        if self._env._worker_shutdown:
            self.context.worker_shutdown_event.set()
        self._env._running.add(self)
        token = activity._Context.set(self.context)
        try:
            yield
        finally:
            activity._Context.reset(token)
            self._env._running.discard(self)

    def cancel(self) -> None:
        self.context.cancelled_event.set()
        if self._thread is not None:
            self._thread.cancel(CancelledError)
        if self._task is not None:
            self._task.cancel()


def _keeps_its_thread(fn: Callable[..., Any]) -> bool:
    """Whether the activity wants no exception raised in its thread."""
    definition = activity._Definition.from_callable(fn)
    return definition is not None and definition.no_thread_cancel_exception
