"""Runs the code of one attempt of an activity: in the event loop, in a thread or in another process."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING, Any

from temporalio.api.common.v1 import Payload
from temporalio.api.workflowservice.v1 import PollActivityTaskQueueResponse

from outlast import activity
from outlast.common import MetricMeter, Priority, RawValue, RetryPolicy
from outlast.converter import ActivitySerializationContext, DataConverter
from outlast.exceptions import ApplicationError
from outlast.worker._activity_definitions import ActivityDefinitions
from outlast.worker._attempt import Attempt
from outlast.worker._interceptor import ActivityInboundInterceptor, ActivityOutboundInterceptor, ExecuteActivityInput, Interceptor
from outlast.worker._shared_state import SharedHeartbeatSender, SharedStateManager
from outlast.worker._thread_cancel import ThreadCancel
from outlast.worker._wire import Server

if TYPE_CHECKING:
    from datetime import timedelta

    from google.protobuf.duration_pb2 import Duration


class ActivityRunner:
    """Runs attempts for one worker."""

    def __init__(
        self,
        server: Server,
        task_queue: str,
        definitions: ActivityDefinitions,
        converter: DataConverter,
        *,
        executor: Executor | None = None,
        shared_state: SharedStateManager | None = None,
        interceptors: Sequence[Interceptor] = (),
        metric_meter: MetricMeter = MetricMeter.noop,
        headers_encoded: bool = False,
    ) -> None:
        self.server = server
        self.definitions = definitions
        self.executor = executor
        self.shared_state = shared_state
        self._task_queue = task_queue
        self._converter = converter
        self._local_converter = converter if converter.payload_codec is None else replace(converter, payload_codec=None)
        """What goes to and from local activities never leaves the worker as it is: the codec comes when it does, with a marker."""
        self._interceptors = tuple(interceptors)
        self._metric_meter = metric_meter
        self._headers_encoded = headers_encoded and converter.payload_codec is not None
        self._shutdown: activity._CompositeEvent | None = None
        self._shutdown_elsewhere: threading.Event | None = None
        """The same for activities in other processes."""

    def notify_shutdown(self) -> None:
        """Tell running activities that the worker shuts down."""
        self._shutdown_event().set()
        if self._shutdown_elsewhere is not None:
            self._shutdown_elsewhere.set()

    def converter_for(self, task: PollActivityTaskQueueResponse, is_local: bool) -> DataConverter:
        """The data converter, in the context of the activity if any part of it asks for that."""
        converter = self._local_converter if is_local else self._converter
        if not converter._contextual:
            return converter
        context = ActivitySerializationContext(
            namespace=task.workflow_namespace or self.server.namespace,
            activity_id=task.activity_id,
            activity_type=task.activity_type.name,
            activity_task_queue=self._task_queue,
            workflow_id=task.workflow_execution.workflow_id or None,
            workflow_type=task.workflow_type.name or None,
            is_local=is_local,
        )
        return converter.with_context(context)

    async def run(self, attempt: Attempt, converter: DataConverter) -> Any:
        """Run an attempt. Returns what its function returned, and raises what it raised."""
        task = attempt.task
        definition = self.definitions.find(task.activity_type.name, task.workflow_execution.workflow_id)
        self._prepare(attempt, definition)
        args = await _arguments(definition, task, converter)
        heartbeat_details = await _heartbeat_details(task, converter)
        executor = self.executor if attempt.sync else None
        in_process = executor is not None and not isinstance(executor, ThreadPoolExecutor)
        info = _Info(self, attempt, heartbeat_details)
        context = activity._Context(
            info=info,
            heartbeat=None if self._interceptors else attempt.heartbeat,
            cancelled_event=attempt.cancelled,  # type: ignore[arg-type]
            worker_shutdown_event=self._shutdown_event(),
            shield_thread_cancel_exception=attempt.thread.shielded if attempt.thread is not None else None,
            payload_converter_class_or_instance=converter.payload_converter,
            runtime_metric_meter=None if in_process else self._metric_meter,
            client=None if attempt.sync else self.server.client,
            cancellation_details=attempt.details,
        )
        activity._Context.set(context)
        if activity.logger.isEnabledFor(logging.DEBUG):
            activity.logger.debug("Starting activity")
        headers: Mapping[str, Payload] = task.header.fields
        if self._headers_encoded and headers:
            headers = {name: (await converter._decode_payloads([payload]))[0] for name, payload in headers.items()}
        input = ExecuteActivityInput(fn=definition.fn, args=args, executor=executor, headers=headers)
        if not self._interceptors:
            return await self.execute(attempt, input)
        inbound: ActivityInboundInterceptor = _Inbound(self, attempt)
        for interceptor in reversed(self._interceptors):
            inbound = interceptor.intercept_activity(inbound)
        inbound.init(_Outbound(info, attempt.heartbeat))
        return await inbound.execute_activity(input)

    def _prepare(self, attempt: Attempt, definition: activity._Definition) -> None:
        """Set up how the attempt is told that it is cancelled."""
        if definition.is_async:
            attempt.cancelled = activity._CompositeEvent(None, asyncio.Event())
        elif isinstance(self.executor, ThreadPoolExecutor):
            attempt.sync = True
            attempt.cancelled = activity._CompositeEvent(threading.Event(), None)
            if not definition.no_thread_cancel_exception:
                attempt.thread = ThreadCancel()
        else:
            assert self.shared_state is not None
            attempt.sync = True
            attempt.cancelled = activity._CompositeEvent(self.shared_state.new_event(), None)

    async def execute(self, attempt: Attempt, input: ExecuteActivityInput) -> Any:
        """Call the function, where it belongs."""
        if inspect.iscoroutinefunction(input.fn) or inspect.iscoroutinefunction(getattr(input.fn, "__call__", None)):  # noqa: B004
            return await input.fn(*input.args)
        context = activity._Context.current()
        if isinstance(input.executor, ThreadPoolExecutor):
            loop = asyncio.get_running_loop()
            heartbeat = context.heartbeat
            assert heartbeat is not None
            context.heartbeat = partial(_in_loop, loop, heartbeat)
            copy = contextvars.copy_context()
            return await loop.run_in_executor(input.executor, copy.run, _in_thread, attempt.thread, input.fn, *input.args)
        return await self._execute_elsewhere(attempt, input, context)

    async def _execute_elsewhere(self, attempt: Attempt, input: ExecuteActivityInput, context: activity._Context) -> Any:
        """Call the function in another process."""
        assert self.shared_state is not None
        assert context.heartbeat is not None
        assert attempt.cancelled is not None
        if self._shutdown_elsewhere is None:
            self._shutdown_elsewhere = self.shared_state.new_event()
        loop = asyncio.get_running_loop()
        heartbeat = context.heartbeat
        info = context.info()
        sender = await self.shared_state.register_heartbeater(info.task_token, partial(_in_loop, loop, heartbeat))
        try:
            return await loop.run_in_executor(
                input.executor,
                _in_process,
                info,
                sender,
                attempt.cancelled.thread_event,
                self._shutdown_elsewhere,
                self._converter.payload_converter_class,
                input.fn,
                *input.args,
            )
        finally:
            await self.shared_state.unregister_heartbeater(info.task_token)

    def _shutdown_event(self) -> activity._CompositeEvent:
        if self._shutdown is None:
            self._shutdown = activity._CompositeEvent(threading.Event(), asyncio.Event())
        return self._shutdown

    def info(self, attempt: Attempt, heartbeat_details: Sequence[Any]) -> activity.Info:
        """What the activity's code sees of its attempt."""
        task = attempt.task
        run = task.workflow_execution
        return activity.Info(
            activity_id=task.activity_id,
            activity_type=task.activity_type.name,
            attempt=task.attempt,
            current_attempt_scheduled_time=task.current_attempt_scheduled_time.ToDatetime(UTC),
            heartbeat_details=heartbeat_details,
            heartbeat_timeout=_time(task.heartbeat_timeout),
            is_local=attempt.is_local,
            namespace=task.workflow_namespace or self.server.namespace,
            schedule_to_close_timeout=_time(task.schedule_to_close_timeout),
            scheduled_time=task.scheduled_time.ToDatetime(UTC),
            start_to_close_timeout=_time(task.start_to_close_timeout),
            started_time=task.started_time.ToDatetime(UTC),
            task_queue=self._task_queue,
            task_token=task.task_token,
            workflow_id=run.workflow_id or None,
            workflow_namespace=task.workflow_namespace or None,
            workflow_run_id=run.run_id or None,
            workflow_type=task.workflow_type.name or None,
            priority=Priority._from_proto(task.priority),
            retry_policy=RetryPolicy.from_proto(task.retry_policy) if task.HasField("retry_policy") else None,
            activity_run_id=None if run.workflow_id else task.activity_run_id or None,
        )


class _Info:
    """The attempt's `Info`, made when somebody asks for it."""

    __slots__ = ("_attempt", "_details", "_info", "_runner")

    def __init__(self, runner: ActivityRunner, attempt: Attempt, details: Sequence[Any]) -> None:
        self._runner = runner
        self._attempt = attempt
        self._details = details
        self._info: activity.Info | None = None

    def __call__(self) -> activity.Info:
        if self._info is None:
            self._info = self._runner.info(self._attempt, self._details)
        return self._info


class _Inbound(ActivityInboundInterceptor):
    """The end of the chain: runs the function."""

    def __init__(self, runner: ActivityRunner, attempt: Attempt) -> None:
        self._runner = runner
        self._attempt = attempt

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        context = activity._Context.current()
        context.info = outbound.info
        context.heartbeat = outbound.heartbeat

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        return await self._runner.execute(self._attempt, input)


class _Outbound(ActivityOutboundInterceptor):
    """The end of the chain: knows the attempt."""

    def __init__(self, info: Callable[[], activity.Info], heartbeat: Callable[..., None]) -> None:
        self._info = info
        self._heartbeat = heartbeat

    def info(self) -> activity.Info:
        return self._info()

    def heartbeat(self, *details: Any) -> None:
        self._heartbeat(*details)


async def _arguments(definition: activity._Definition, task: PollActivityTaskQueueResponse, converter: DataConverter) -> Sequence[Any]:
    payloads = task.input.payloads
    types = definition.arg_types
    if definition.name is None:
        types = [RawValue] * len(payloads)
    elif types is not None and len(types) != len(payloads):
        types = None
    try:
        args = await converter.decode(payloads, types) if payloads else []
    except Exception as error:
        raise ApplicationError("Failed decoding arguments") from error
    return args if definition.name is not None else [args]


async def _heartbeat_details(task: PollActivityTaskQueueResponse, converter: DataConverter) -> Sequence[Any]:
    if not task.heartbeat_details.payloads:
        return []
    try:
        return await converter.decode(task.heartbeat_details.payloads)
    except Exception as error:
        raise ApplicationError("Failed decoding heartbeat details", non_retryable=True) from error


def _time(duration: Duration) -> timedelta | None:
    return duration.ToTimedelta() if duration.seconds or duration.nanos else None


def _in_loop(loop: asyncio.AbstractEventLoop, heartbeat: Callable[..., None], *details: Any) -> None:
    loop.call_soon_threadsafe(heartbeat, *details)


def _in_thread(thread: ThreadCancel | None, fn: Callable[..., Any], *args: Any) -> Any:
    if thread is None:
        return fn(*args)
    with thread.active():
        return fn(*args)


def _in_process(
    info: activity.Info,
    sender: SharedHeartbeatSender,
    cancelled: threading.Event | None,
    worker_shutdown: threading.Event,
    payload_converter: type[Any],
    fn: Callable[..., Any],
    *args: Any,
) -> Any:
    activity._Context.set(
        activity._Context(
            info=lambda: info,
            heartbeat=lambda *details: sender.send_heartbeat(info.task_token, *details),
            cancelled_event=activity._CompositeEvent(cancelled, None),
            worker_shutdown_event=activity._CompositeEvent(worker_shutdown, None),
            shield_thread_cancel_exception=None,
            payload_converter_class_or_instance=payload_converter,
            runtime_metric_meter=None,
            client=None,
            cancellation_details=activity._ActivityCancellationDetailsHolder(),
        )
    )
    return fn(*args)
