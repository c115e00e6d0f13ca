"""Lets the time of single workflows skip: each has a time of its own. Experimental, as in the official SDK."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from outlast.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    StartWorkflowInput,
    StartWorkflowUpdateWithStartInput,
    WorkflowHandle,
    WorkflowUpdateHandle,
)

if TYPE_CHECKING:
    from temporalio.api.common.v1 import FastForwardConfig as FastForwardProto
    from temporalio.api.common.v1 import TimeSkippingConfig as TimeSkippingProto
    from temporalio.api.common.v1 import TimeSkippingInfo

_SUPERSEDED = "fast_forward_id does not match"
"""What the server says of a fast-forward that a later one has replaced."""


@dataclass(frozen=True)
class FastForwardConfig:
    """One jump of a workflow's time, after which it does not skip any more."""

    id: str
    """To ask for it with."""
    duration: timedelta

    def _to_proto(self) -> FastForwardProto:
        from temporalio.api.common.v1 import FastForwardConfig as FastForwardProto

        proto = FastForwardProto(id=self.id)
        proto.duration.FromTimedelta(self.duration)
        return proto


@dataclass(frozen=True)
class TimeSkippingConfig:
    """How the time of a workflow skips. Raises ValueError for a jump of a time that does not skip."""

    enabled: bool = True
    fast_forward_config: FastForwardConfig | None = None
    """None: until the workflow ends."""
    disable_propagation: bool = False
    """Whether the time of child workflows does not skip by itself. It begins where their parent's is in any case."""
    max_session_skip_count: int = 0
    """After so many skips it is enough. 0: as the server thinks right."""

    def __post_init__(self) -> None:
        if not self.enabled and self.fast_forward_config is not None:
            raise ValueError("fast_forward_config cannot be set when enabled is False")

    def _to_proto(self) -> TimeSkippingProto:
        from temporalio.api.common.v1 import TimeSkippingConfig as TimeSkippingProto

        proto = TimeSkippingProto(
            enabled=self.enabled, disable_propagation=self.disable_propagation, max_session_skip_count=self.max_session_skip_count
        )
        if self.fast_forward_config is not None:
            proto.fast_forward_config.CopyFrom(self.fast_forward_config._to_proto())
        return proto


class TimeSkipper:
    """A client whose workflows' time skips, and what moves it. In tests, :meth:`WorkflowEnvironment.start_time_skipping_v2` has one."""

    def __init__(self, client: Client, *, config: TimeSkippingConfig = TimeSkippingConfig()) -> None:
        """Make another client of this one; ``config`` is for the workflows that it starts."""
        self._config = config
        self._stamps = True
        settings = client.config()
        settings["interceptors"] = [*settings["interceptors"], _Stamps(self)]
        self._client = Client(**settings)

    @property
    def client(self) -> Client:
        """The client that starts workflows whose time skips."""
        return self._client

    @property
    def config(self) -> TimeSkippingConfig:
        """For the workflows that are started from now on."""
        return self._config

    @config.setter
    def config(self, value: TimeSkippingConfig) -> None:
        self._config = value

    async def fast_forward(self, handle: WorkflowHandle[Any, Any], duration: timedelta | float | None = None, /) -> bool:
        """Move the workflow's time on by ``duration`` (a number is seconds), or else to the workflow's end, and wait for that.

        True if the time has come there; False if the workflow, and whatever runs followed, ended first, which it always does without a
        duration. Raises RuntimeError if another fast-forward took the place of this one.
        """
        if duration is None:
            await self._configure(handle, None)
            await self._ended(handle)
            return False
        span = duration if isinstance(duration, timedelta) else timedelta(seconds=duration)
        forward = FastForwardConfig(str(uuid4()), span)
        await self._configure(handle, forward)
        return await self._reached(handle, forward.id)

    async def get_time_skipping_info(self, handle: WorkflowHandle[Any, Any]) -> TimeSkippingInfo | None:
        """What the server says of the workflow's time; None if it never skipped."""
        extended = (await handle.describe()).raw_description.workflow_extended_info
        return extended.time_skipping_info if extended.HasField("time_skipping_info") else None

    async def get_current_time(self, handle: WorkflowHandle[Any, Any]) -> datetime:
        """What time it is in the workflow: the machine's, as long as its own never skipped."""
        info = await self.get_time_skipping_info(handle)
        return info.current_time.ToDatetime(UTC) if info is not None else datetime.now(UTC)

    @contextmanager
    def with_time_skipping_disabled(self) -> Iterator[None]:
        """The time of workflows that are started in this block does not skip. Others go on as they are."""
        before, self._stamps = self._stamps, False
        try:
            yield
        finally:
            self._stamps = before

    def _stamp(self) -> TimeSkippingProto | None:
        return self._config._to_proto() if self._stamps else None

    async def _configure(self, handle: WorkflowHandle[Any, Any], forward: FastForwardConfig | None) -> None:
        """The whole configuration is replaced: the server takes nothing less."""
        from temporalio.api.workflowservice.v1 import UpdateWorkflowExecutionOptionsRequest

        config = TimeSkippingConfig(True, forward, self._config.disable_propagation, self._config.max_session_skip_count)
        request = UpdateWorkflowExecutionOptionsRequest(namespace=self._client.namespace, identity=self._client.identity)
        request.workflow_execution.workflow_id = handle.id
        request.workflow_execution.run_id = handle.run_id or ""
        request.workflow_execution_options.time_skipping_config.CopyFrom(config._to_proto())
        request.update_mask.paths.append("time_skipping_config")
        await self._client.workflow_service.update_workflow_execution_options(request, retry=True)

    async def _reached(self, handle: WorkflowHandle[Any, Any], forward_id: str) -> bool:
        """Ask, without a run, so that the answer follows the workflow from run to run."""
        from temporalio.api.enums.v1 import FastForwardPollingResult
        from temporalio.api.workflowservice.v1 import PollWorkflowExecutionTimeSkippingRequest

        request = PollWorkflowExecutionTimeSkippingRequest(namespace=self._client.namespace, fast_forward_id=forward_id)
        request.workflow_execution.workflow_id = handle.id
        while True:
            reply = await self._client.workflow_service.poll_workflow_execution_time_skipping(request, retry=True)
            match reply.fast_forward_polling_result:
                case FastForwardPollingResult.FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_COMPLETED:
                    return True
                case FastForwardPollingResult.FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_FAILED:
                    if _SUPERSEDED in reply.failed_reason:
                        raise RuntimeError(f"the fast-forward {forward_id!r} was overridden by a later one: {reply.failed_reason}")
                    return False

    async def _ended(self, handle: WorkflowHandle[Any, Any]) -> None:
        """Wait until the run's last event."""
        from temporalio.api.enums.v1 import EventType

        ends = {
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
        }
        async for event in handle.fetch_history_events(wait_new_event=True):
            if event.event_type in ends:
                return


class _Stamps(Interceptor):
    def __init__(self, skipper: TimeSkipper) -> None:
        self._skipper = skipper

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _OutboundStamps(next, self._skipper)


class _OutboundStamps(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, skipper: TimeSkipper) -> None:
        super().__init__(next)
        self._skipper = skipper

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        input.time_skipping_config = self._skipper._stamp() or input.time_skipping_config
        return await super().start_workflow(input)

    async def start_update_with_start_workflow(self, input: StartWorkflowUpdateWithStartInput) -> WorkflowUpdateHandle[Any]:
        start = input.start_workflow_input
        start.time_skipping_config = self._skipper._stamp() or start.time_skipping_config
        return await super().start_update_with_start_workflow(input)
