"""Time skipping as clients see it: what is shown, and waiting for a fast-forward (platform.md 9a)."""

import asyncio

from temporalio.api.common.v1 import TimeSkippingConfig, TimeSkippingFastForwardInfo, TimeSkippingInfo
from temporalio.api.enums.v1 import FastForwardPollingResult as Result
from temporalio.api.workflowservice.v1 import PollWorkflowExecutionTimeSkippingRequest, PollWorkflowExecutionTimeSkippingResponse

from outlast.engine.keys import ExecutionKey
from outlast.engine.machines.time_skipping import config_of
from outlast.engine.refusals import Unsupported
from outlast.engine.state import Run, TimeSkipping
from outlast.engine.wire import set_time
from outlast.server.frontend import checks
from outlast.server.frontend.calls import Call
from outlast.server.frontend.features import Features
from outlast.server.frontend.namespaces import NamespaceRegistry
from outlast.server.frontend.polls import long_poll_s
from outlast.server.shard.shard import Shard


def shown(skipping: TimeSkipping, now: int) -> TimeSkippingInfo:
    """How things stand at the world's time `now`: as much as the reference server shows."""
    info = TimeSkippingInfo()
    set_time(info.current_time, now + skipping.skipped)
    config = config_of(skipping)
    if config is not None:
        info.effective_config.CopyFrom(config)
    return info


def forward_of(skipping: TimeSkipping | None) -> TimeSkippingFastForwardInfo | None:
    """The fast-forward, if there is one."""
    if skipping is None or not skipping.target:
        return None
    config = TimeSkippingConfig.FromString(skipping.config).fast_forward_config
    info = TimeSkippingFastForwardInfo(fast_forward_id=config.id, has_completed=skipping.reached)
    info.fast_forward_duration.CopyFrom(config.duration)
    set_time(info.target_time, skipping.target)
    return info


class TimeSkippingCalls:
    def __init__(self, shard: Shard, namespaces: NamespaceRegistry, features: Features) -> None:
        self._shard = shard
        self._namespaces = namespaces
        self._features = features

    async def poll(self, request: PollWorkflowExecutionTimeSkippingRequest, call: Call) -> PollWorkflowExecutionTimeSkippingResponse:
        """Wait until the fast-forward has come to its target, or will not."""
        checks.check_execution(request, request.workflow_execution)
        namespace = self._namespaces.find(request.namespace)
        if not self._features.time_skipping:
            raise Unsupported(checks.TIME_SKIPPING_OFF)
        checks.check_forward_id(request.fast_forward_id)
        key = ExecutionKey(namespace.id, request.workflow_execution.workflow_id, request.workflow_execution.run_id)
        return await self._wait(key, request.fast_forward_id, asyncio.get_running_loop().time() + long_poll_s(call))

    async def _wait(self, key: ExecutionKey, forward_id: str, deadline: float) -> PollWorkflowExecutionTimeSkippingResponse:
        loop = asyncio.get_running_loop()
        first: TimeSkippingFastForwardInfo | None = None
        while True:
            entity = await self._shard.find(key)
            run = (await self._shard.readable(entity)).run
            if not run.open and run.new_run_id:
                key = ExecutionKey(*key.workflow, run.new_run_id)
                if first is not None or forward_of(run.time_skipping) is None:
                    continue
            reply = _judged(run, forward_id, first)
            if reply.fast_forward_polling_result != Result.FAST_FORWARD_POLLING_RESULT_POLL_TIMEOUT:
                return reply
            if loop.time() >= deadline or self._shard.waits_released:
                return reply
            first = first or reply.fast_forward_info
            if run.open:
                await entity.woken(deadline)


def _judged(run: Run, forward_id: str, first: TimeSkippingFastForwardInfo | None) -> PollWorkflowExecutionTimeSkippingResponse:
    """What is to be said now; POLL_TIMEOUT while there is something to wait for."""
    forward = forward_of(run.time_skipping)
    reply = PollWorkflowExecutionTimeSkippingResponse(
        fast_forward_info=forward, fast_forward_polling_result=Result.FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_FAILED
    )
    if forward is None or forward.fast_forward_id != forward_id:
        reply.failed_reason = "the requested fast_forward_id does not match the execution's current fast-forward"
    elif first is not None and first.target_time != forward.target_time:
        reply.failed_reason = "the fast-forward was reset"
    elif forward.has_completed:
        reply.fast_forward_polling_result = Result.FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_COMPLETED
    elif not run.open and not run.new_run_id:
        reply.failed_reason = "the execution ended before the fast-forward completed"
    elif run.time_skipping is None or not run.time_skipping.enabled:
        reply.failed_reason = "time skipping was disabled before the fast-forward completed"
    else:
        reply.fast_forward_polling_result = Result.FAST_FORWARD_POLLING_RESULT_POLL_TIMEOUT
    return reply
