"""Updates in flight: admitted, sent to a worker, waited for. In memory only, until they are accepted (workflow-core.md 5.7)."""

import asyncio
from collections.abc import Mapping, Sequence

import msgspec
from google.protobuf.any_pb2 import Any
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage as Stage
from temporalio.api.protocol.v1 import Message
from temporalio.api.update.v1 import Outcome, Request

from outlast.engine.keys import ExecutionKey
from outlast.engine.limits import UPDATES_IN_FLIGHT_BYTES_MAX, UPDATES_IN_FLIGHT_MAX
from outlast.engine.machines.update import CLOSING, failed_by_close
from outlast.engine.refusals import WORKFLOW_COMPLETED, Busy, NotFound, TooManyAtOnce, UpdateLost, WorkflowNotReady
from outlast.engine.state import Run, WorkflowTask
from outlast.engine.transition import Transition
from outlast.engine.triggers import AdmitUpdate, AttachToUpdate
from outlast.server.shard.entity import Entity, PendingUpdate
from outlast.server.shard.histories import Histories
from outlast.server.shard.shard import Shard

ADMITTED = Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED
ACCEPTED = Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED
COMPLETED = Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED


class Reached(msgspec.Struct, frozen=True):
    """How far an update has come."""

    run: Run
    stage: "Stage.ValueType"
    outcome: Outcome | None = None


class Updates:
    """The registry of updates; what is in it belongs to the runs in memory."""

    def __init__(self, shard: Shard, histories: Histories) -> None:
        self._shard = shard
        self._histories = histories

    # For callers

    async def update(self, key: ExecutionKey, request: Request, wanted: int, timeout_s: float, first_execution_run_id: str = "") -> Reached:
        """Admit the update, unless its id is known already, and wait until it has come as far as `wanted`, or the time is over."""
        entity = await self._shard.find(key)
        run = entity.execution.run
        if first_execution_run_id and first_execution_run_id != run.first_run_id:
            raise NotFound("workflow execution not found")
        async with self._shard.true_refusals(entity):
            self.admit(entity, request)
        return await self._wait(entity, request.meta.update_id, wanted, timeout_s)

    async def poll(self, key: ExecutionKey, update_id: str, wanted: int, timeout_s: float) -> Reached:
        """Wait until an update that is known has come as far as `wanted`, or the time is over."""
        entity = await self._shard.find(key)
        if not self.knows(entity, update_id):
            raise NotFound(f'update "{update_id}" not found')
        return await self._wait(entity, update_id, wanted, timeout_s)

    def knows(self, entity: Entity, update_id: str) -> bool:
        return update_id in entity.execution.updates or update_id in entity.updates

    def serves(self, entity: Entity, update_id: str) -> bool:
        """Whether the update has been answered, or still can be."""
        if entity.execution.run.open:
            return self.knows(entity, update_id)
        known = entity.execution.updates.get(update_id)
        return known is not None and known.completed_event_id > 0

    def admit(self, entity: Entity, request: Request) -> None:
        """Have a workflow task carry the update, unless it is known already."""
        if self.knows(entity, request.meta.update_id):
            self._attach(entity, request)
            return
        if not entity.execution.run.open:
            raise NotFound(WORKFLOW_COMPLETED)
        in_flight = len(entity.updates)
        if in_flight >= UPDATES_IN_FLIGHT_MAX:
            text = f"limit on number of concurrent in-flight updates has been reached ({UPDATES_IN_FLIGHT_MAX})"
            raise TooManyAtOnce(text)
        size = request.ByteSize() + sum(pending.request.ByteSize() for pending in entity.updates.values())
        if size > UPDATES_IN_FLIGHT_BYTES_MAX:
            raise TooManyAtOnce(f"limit on the total size of in-flight updates has been reached ({UPDATES_IN_FLIGHT_BYTES_MAX} bytes)")
        transition = self._shard.decide(entity, AdmitUpdate(in_flight))
        if transition.refusal is not None:
            raise transition.refusal
        entity.updates[request.meta.update_id] = PendingUpdate(request)

    def _attach(self, entity: Entity, request: Request) -> None:
        """A repeated update brings callbacks: they wait until it is accepted, or join those that wait for its outcome."""
        if not request.completion_callbacks:
            return
        attach = AttachToUpdate(request.meta.update_id, request.request_id, tuple(request.completion_callbacks))
        pending = entity.updates.get(attach.update_id)
        if pending is None:
            self._shard.decide(entity, attach)
        elif attach.request_id not in (pending.request.request_id, *(other.request_id for other in pending.attach)):
            pending.attach.append(attach)

    async def _wait(self, entity: Entity, update_id: str, wanted: int, timeout_s: float) -> Reached:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        pending = entity.updates.get(update_id)
        while True:
            reached = await self._reached(entity, update_id, pending, wanted)
            if reached.stage >= wanted or loop.time() >= deadline or self._shard.waits_released:
                return reached
            if not await entity.woken(deadline):
                continue
            now = await self._shard.find(entity.key)
            if now is not entity and update_id not in now.execution.updates:
                raise UpdateLost("workflow update was aborted")
            entity = now

    async def _reached(self, entity: Entity, update_id: str, pending: PendingUpdate | None, wanted: int) -> Reached:
        execution = await self._shard.readable(entity)
        run = execution.run
        accepted = execution.updates.get(update_id)
        if accepted is not None and accepted.completed_event_id:
            event = await self._histories.event(entity, accepted.completed_event_id)
            return Reached(run, COMPLETED, event.workflow_execution_update_completed_event_attributes.outcome)
        if accepted is not None and accepted.accepted_event_id:
            return Reached(run, ACCEPTED) if run.open else Reached(run, COMPLETED, failed_by_close())
        if pending is not None and pending.outcome is not None:
            return Reached(run, COMPLETED, pending.outcome)
        if pending is not None and pending.refusal is not None:
            raise pending.refusal
        if not run.open:
            if run.new_run_id:
                raise Busy(CLOSING)
            raise NotFound(WORKFLOW_COMPLETED if wanted == ACCEPTED else "workflow update was aborted by closing workflow")
        return Reached(run, ADMITTED)

    # For workflow tasks

    def messages(self, entity: Entity, task: WorkflowTask) -> Sequence[Message]:
        """What a workflow task that is being started carries: what no task has carried yet, or one that came to nothing."""
        run = entity.execution.run
        messages = []
        for update_id, pending in entity.updates.items():
            if pending.sent_after not in (None, run.last_completed_event_id):
                continue  # sent with a task whose heartbeat was heard: the worker has it
            pending.sent_after = run.last_completed_event_id
            body = Any()
            body.Pack(pending.request)
            message = Message(id=f"{update_id}/request", protocol_instance_id=update_id, event_id=task.started_event_id - 1)
            message.body.CopyFrom(body)
            messages.append(message)
        return messages

    def sent(self, entity: Entity) -> Mapping[str, Request]:
        return {update_id: pending.request for update_id, pending in entity.updates.items() if pending.sent_after is not None}

    def attachments(self, entity: Entity) -> Mapping[str, Sequence[AttachToUpdate]]:
        """What repetitions of updates in flight have brought."""
        return {update_id: pending.attach for update_id, pending in entity.updates.items() if pending.attach}

    def waiting(self, entity: Entity) -> bool:
        """Whether some update has not been sent yet."""
        return any(pending.sent_after is None for pending in entity.updates.values())

    def take(self, entity: Entity, transition: Transition) -> list[tuple[PendingUpdate, Outcome | None]]:
        """The updates that a completed workflow task has settled: they are in flight no more."""
        taken = []
        for update_id, pending in list(entity.updates.items()):
            outcome = transition.rejected_updates.get(update_id)
            if outcome is not None or update_id in transition.after.updates:
                taken.append((entity.updates.pop(update_id), outcome))
            elif transition.updates_lost and pending.sent_after is not None:
                text = "Unable to perform workflow execution update due to unexpected workflow task failure."
                entity.updates.pop(update_id).refusal = WorkflowNotReady(text)
        return taken

    def publish(self, entity: Entity, taken: list[tuple[PendingUpdate, Outcome | None]]) -> None:
        """Let the callers know, now that what they are told is durable."""
        for pending, outcome in taken:
            pending.outcome = outcome
        entity.wake()
