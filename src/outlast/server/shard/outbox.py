"""Messages between runs, and to callbacks: sent until acknowledged, applied once (design rule 5)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid5

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import (
    ParentClosePolicy,
    StartChildWorkflowExecutionFailedCause,
    WorkflowIdConflictPolicy,
)
from temporalio.api.history.v1 import History, HistoryEvent

from outlast.engine import triggers as t
from outlast.engine.keys import ExecutionKey, WorkflowKey
from outlast.engine.machines.child_workflow import start_of_child
from outlast.engine.machines.workflow_task import SERVER_IDENTITY
from outlast.engine.refusals import AlreadyStarted, HistoryTooLarge, InvalidArgument, NotFound
from outlast.engine.state import Child, Run
from outlast.engine.transition import (
    ApplyClosePolicy,
    DeliverCallback,
    Effect,
    NotifyParent,
    ReleaseChild,
    StartChild,
    TellExternal,
)
from outlast.engine.wire import moment
from outlast.server.shard.callbacks import Callbacks
from outlast.server.shard.histories import Histories
from outlast.server.shard.insist import insist
from outlast.server.shard.shard import Shard

logger = logging.getLogger(__name__)


class Outbox:
    """Delivers each message in a task of its own, and tries again while the store is out of order."""

    def __init__(self, shard: Shard, histories: Histories, callbacks: Callbacks) -> None:
        self._shard = shard
        self._callbacks = callbacks
        self._histories = histories
        self._under_way: dict[tuple[ExecutionKey, Effect], asyncio.Task[None]] = {}

    def deliver(self, key: ExecutionKey, effect: Effect) -> None:
        """Begin the delivery of a message of the run `key`, unless it is under way."""
        message = (key, effect)
        if message not in self._under_way:
            delivery = asyncio.ensure_future(self._persist(message, self._delivery(key, effect)))
            self._under_way[message] = delivery
            self._shard.spawn(delivery)

    def _delivery(self, key: ExecutionKey, effect: Effect) -> Callable[[], Awaitable[None]]:
        match effect:
            case StartChild(initiated_event_id=event_id):
                return lambda: self._start_child(key, event_id)
            case ReleaseChild(initiated_event_id=event_id):
                return lambda: self._release_child(key, event_id)
            case ApplyClosePolicy(initiated_event_id=event_id):
                return lambda: self._apply_close_policy(key, event_id)
            case TellExternal(initiated_event_id=event_id):
                return lambda: self._tell_external(key, event_id)
            case DeliverCallback():
                return lambda: self._callbacks.deliver(key, effect)
            case NotifyParent():
                return lambda: self._notify_parent(key)
            case _:
                raise AssertionError(f"not a message: {effect!r}")

    async def _persist(self, message: tuple[ExecutionKey, Effect], attempt: Callable[[], Awaitable[None]]) -> None:
        try:
            await insist(attempt, f"delivery of {message}")
        except (NotFound, HistoryTooLarge) as gone:
            logger.info("delivery of %s is over, for its run is: %s", message, gone)
        finally:
            self._under_way.pop(message, None)

    async def _start_child(self, parent_key: ExecutionKey, initiated_event_id: int) -> None:
        parent = await self._shard.find(parent_key)
        child = parent.execution.children.get(initiated_event_id)
        if child is None or child.run_id:
            return
        if not parent.execution.run.open:
            # An attempt before this one may have made the child, and then have failed to tell it how it goes on.
            if first_run_id := await self._unheard_of(parent.execution.run, child):
                await self._close_policy(parent.execution.run, child, first_run_id)
            return
        initiated = await self._histories.event(parent, initiated_event_id)
        attributes = initiated.start_child_workflow_execution_initiated_event_attributes
        first = start_of_child(parent.execution.run, initiated, self._shard.clock())
        namespace = self._shard.namespaces.view(child.namespace_id)
        try:
            result = await self._shard.start(
                namespace,
                first,
                attributes.workflow_id_reuse_policy,
                WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
            )
        except AlreadyStarted as taken:
            kept = moment(initiated.event_time) < parent.execution.run.last_reset_time
            if kept and await self._is_ours(parent.execution.run, child, taken.run_id):
                started = t.ChildStarted(initiated_event_id, taken.first_execution_run_id)
                await self._ignoring_not_found(self._shard.update(parent_key, started))
                return
            cause = StartChildWorkflowExecutionFailedCause
            already = cause.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS
            await self._shard.update(parent_key, t.ChildStartFailed(initiated_event_id, already))
            return
        run_id = result.execution.run.run_id
        try:
            header = attributes.header if attributes.HasField("header") else None
            await self._shard.update(parent_key, t.ChildStarted(initiated_event_id, run_id, header))
        except (NotFound, HistoryTooLarge):
            # The parent closed while its child was being made: the child lives or dies by the close policy.
            run = (await self._shard.find(parent_key)).execution.run
            await self._close_policy(run, child, run_id)

    async def _release_child(self, parent_key: ExecutionKey, initiated_event_id: int) -> None:
        parent = await self._shard.find(parent_key)
        child = parent.execution.children.get(initiated_event_id)
        if child is None:
            return
        await self._ignoring_not_found(
            self._shard.update(ExecutionKey(child.namespace_id, child.workflow_id, child.run_id), t.ReleaseFirstTask())
        )
        await self._shard.update(parent_key, t.ChildFirstTaskReleased(initiated_event_id))

    async def _apply_close_policy(self, parent_key: ExecutionKey, initiated_event_id: int) -> None:
        parent = await self._shard.find(parent_key)
        child = parent.execution.children.get(initiated_event_id)
        if child is None or not child.policy_to_apply:
            return
        starting = self._under_way.get((parent_key, StartChild(initiated_event_id)))
        if starting is not None:
            await asyncio.wait([starting])
        first_run_id = child.run_id or await self._unheard_of(parent.execution.run, child)
        if first_run_id:
            await self._close_policy(parent.execution.run, child, first_run_id)
        await self._shard.update(parent_key, t.ChildPolicyApplied(initiated_event_id))

    async def _unheard_of(self, parent: Run, child: Child) -> str:
        """The first run of a child whose start its parent never heard of; empty when there is none."""
        current = await self._shard.find_current(WorkflowKey(child.namespace_id, child.workflow_id))
        run = current.execution.run if current is not None else None
        if run is None or run.parent is None:
            return ""
        ours = run.parent.run_id == parent.run_id and run.parent.initiated_event_id == child.initiated_event_id
        return run.first_run_id if ours else ""

    async def _close_policy(self, parent: Run, child: Child, first_run_id: str) -> None:
        """Treat the child's current run as its parent's close asks."""
        if child.parent_close_policy == ParentClosePolicy.PARENT_CLOSE_POLICY_TERMINATE:
            trigger: t.Trigger = t.Terminate("by parent close policy", SERVER_IDENTITY, first_execution_run_id=first_run_id)
        else:
            first = ExecutionKey(child.namespace_id, child.workflow_id, first_run_id)
            await self._ignoring_not_found(self._shard.update(first, t.ReleaseFirstTask()))
            if child.parent_close_policy != ParentClosePolicy.PARENT_CLOSE_POLICY_REQUEST_CANCEL:
                return
            trigger = t.RequestCancel(
                identity=SERVER_IDENTITY,
                first_execution_run_id=first_run_id,
                external=WorkflowExecution(workflow_id=parent.workflow_id, run_id=parent.run_id),
            )
        current = ExecutionKey(child.namespace_id, child.workflow_id, "")
        await self._ignoring_not_found(self._shard.update(current, trigger))

    async def _is_ours(self, parent: Run, child: Child, run_id: str) -> bool:
        """Whether the workflow in the way is the very child, started before the parent was reset."""
        run = (await self._shard.find(ExecutionKey(child.namespace_id, child.workflow_id, run_id))).execution.run
        if run.parent is None or run.parent.workflow_id != parent.workflow_id:
            return False
        if run.parent.initiated_event_id != child.initiated_event_id:
            return False
        try:
            old = await self._shard.find(ExecutionKey(run.parent.namespace_id, run.parent.workflow_id, run.parent.run_id))
        except NotFound:
            return False
        return old.execution.run.original_run_id == parent.original_run_id

    async def _after_resets(self, key: ExecutionKey, child: Run) -> ExecutionKey:
        """The run that has taken the place of a child's parent, if that was reset."""
        while True:
            try:
                run = (await self._shard.find(key)).execution.run
            except NotFound:
                return await self._heir(key, child)
            if run.open:
                return key
            if not run.reset_run_id:
                return await self._heir(key, child)
            key = ExecutionKey(*key.workflow, run.reset_run_id)

    async def _heir(self, key: ExecutionKey, child: Run) -> ExecutionKey:
        """The parent run is closed, or even deleted, and names no other: the workflow's current run, if it waits for this child."""
        current = await self._shard.find_current(key.workflow)
        assert child.parent is not None
        awaited = current.execution.children.get(child.parent.initiated_event_id) if current is not None else None
        ours = awaited is not None and (awaited.workflow_id, awaited.run_id) == (child.workflow_id, child.first_run_id)
        return current.key if current is not None and ours else key

    async def _tell_external(self, key: ExecutionKey, initiated_event_id: int) -> None:
        origin = await self._shard.find(key)
        if initiated_event_id not in origin.execution.externals or not origin.execution.run.open:
            return
        initiated = await self._histories.event(origin, initiated_event_id)
        failure = ""
        try:
            await self._shard.update(*_message(origin.execution.run, initiated))
        except (NotFound, HistoryTooLarge):
            failure = "EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND"
        except InvalidArgument:
            failure = "SIGNAL_COUNT_LIMIT_EXCEEDED"
        await self._shard.update(key, t.ExternalTold(initiated, failure))

    async def _notify_parent(self, key: ExecutionKey) -> None:
        entity = await self._shard.find(key)
        run = entity.execution.run
        if run.parent is not None and run.parent_to_notify:
            close_event = History.FromString(await self._histories.last_batch(entity)).events[-1]
            parent_key = await self._after_resets(ExecutionKey(run.parent.namespace_id, run.parent.workflow_id, run.parent.run_id), run)
            closed = t.ChildClosed(run.parent.initiated_event_id, run.first_run_id, run.run_id, close_event)
            await self._ignoring_not_found(self._shard.update(parent_key, closed))
        await self._shard.update(key, t.ParentNotified())

    async def _ignoring_not_found(self, update: Awaitable[object]) -> None:
        """The other side has closed or gone: then the message has nobody to tell."""
        try:
            await update
        except (NotFound, HistoryTooLarge):
            return


def _message(origin: Run, initiated: HistoryEvent) -> tuple[ExecutionKey, t.Trigger]:
    """Where a message to another workflow goes, and what it says. Raises NotFound when it can never arrive."""
    sender = WorkflowExecution(workflow_id=origin.workflow_id, run_id=origin.run_id)
    request_id = str(uuid5(UUID(origin.run_id), str(initiated.event_id)))
    if initiated.HasField("signal_external_workflow_execution_initiated_event_attributes"):
        signal = initiated.signal_external_workflow_execution_initiated_event_attributes
        target = ExecutionKey(signal.namespace_id, signal.workflow_execution.workflow_id, signal.workflow_execution.run_id)
        trigger: t.Trigger = t.Signal(
            name=signal.signal_name,
            input=signal.input if signal.HasField("input") else None,
            identity=SERVER_IDENTITY,
            header=signal.header if signal.HasField("header") else None,
            request_id=request_id,
            external=sender,
            external_initiated_event_id=initiated.event_id,
            only_child_of=origin.run_id if signal.child_workflow_only else "",
        )
    else:
        cancel = initiated.request_cancel_external_workflow_execution_initiated_event_attributes
        target = ExecutionKey(cancel.namespace_id, cancel.workflow_execution.workflow_id, cancel.workflow_execution.run_id)
        trigger = t.RequestCancel(
            reason=cancel.reason,
            identity=SERVER_IDENTITY,
            request_id=request_id,
            external=sender,
            external_initiated_event_id=initiated.event_id,
            only_child_of=origin.run_id if cancel.child_workflow_only else "",
        )
    if target == ExecutionKey(origin.namespace_id, origin.workflow_id, ""):
        raise NotFound("a workflow cannot send a message to its own current run")
    return target, trigger
