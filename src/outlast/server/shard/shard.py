"""The shard: one way in for every change of a run. Load, decide, commit; only then is anything visible."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice

import msgspec
from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import WorkflowIdConflictPolicy as Conflict

from outlast.engine import triggers
from outlast.engine.begin import begin
from outlast.engine.decide import decide
from outlast.engine.keys import ExecutionKey, WorkflowKey
from outlast.engine.machines.reset import Reset, begin_again
from outlast.engine.machines.workflow_task import SERVER_IDENTITY
from outlast.engine.refusals import NotFound
from outlast.engine.state import Execution
from outlast.engine.stored import decode_execution
from outlast.engine.transition import Effect, OfferActivity, OfferWorkflowTask, Transition
from outlast.engine.triggers import (
    Attach,
    Context,
    NamespaceView,
    Signal,
    Start,
    Terminate,
    Trigger,
)
from outlast.engine.work import expired, next_due, pending_work
from outlast.server.handover import QueueKind, QueueName, TaskQueues
from outlast.server.shard import limits
from outlast.server.shard.commits import Commits
from outlast.server.shard.deletions import Deletions
from outlast.server.shard.entity import Entity
from outlast.server.shard.id_policies import already_running, check_reuse
from outlast.server.shard.ids import new_run_id
from outlast.server.shard.insist import insist
from outlast.server.shard.protocol import ActivityWork, Namespaces, StartedTask, StartResult, WorkflowWork
from outlast.server.shard.timers import Timers
from outlast.server.shard.true_refusals import TrueRefusals
from outlast.server.store.errors import StoreError
from outlast.server.store.protocol import RunWrite, Store

logger = logging.getLogger(__name__)


class Shard:
    """Owns the runs. Everything that changes a run goes through `update`, `start` or `signal_with_start`."""

    def __init__(
        self,
        store: Store,
        matching: TaskQueues[StartedTask, object],
        namespaces: Namespaces,
        clock: Callable[[], int],
    ) -> None:
        self.store = store
        self.matching = matching
        self.namespaces = namespaces
        self.clock = clock
        self._entities: OrderedDict[ExecutionKey, Entity] = OrderedDict()
        self._current: dict[WorkflowKey, str] = {}
        self._commits = Commits(store, self._lost)
        self._timers = Timers(store, clock, self._due)
        self._deletions = Deletions(store, self._not_deleted)
        self._deliver: Callable[[ExecutionKey, Effect], None] = lambda key, effect: None
        self._background: set[asyncio.Task[None]] = set()
        self._starved: set[QueueName] = set()
        self.waits_released = False
        self._setbacks = 0
        """Commits that failed in a row."""
        self.noted: Callable[[Entity], None] = _ignored
        """Told of every run that has changed, or may have."""

    def bind(self, deliver: Callable[[ExecutionKey, Effect], None]) -> None:
        """Say who takes the messages between runs (the outbox)."""
        self._deliver = deliver

    # Life

    async def open(self) -> None:
        """Take up where the last process ended: offer again what was to be done, and set the timers."""
        self._commits.start()
        after: ExecutionKey | None = None
        while page := await self.store.runs_with_work(after, limits.WORK_PAGE):
            for key in page:
                await self._resume(key)
            after = page[-1]
        await self._timers.start()

    async def _resume(self, key: ExecutionKey) -> None:
        entity = await self._load(key)
        if entity is not None:
            # What follows from a commit that is under way leaves when it lands.
            await self.settled(entity)
            self._run_effects(key, pending_work(entity.execution))
            self.retime(entity)

    def retime(self, entity: Entity) -> None:
        """Have the timers know the run's next moment."""
        self._timers.set(entity.key, entity.due_at, stored=not entity.unwritten)
        self.noted(entity)

    async def flush(self) -> None:
        """Wait until all that was decided is written, or lost."""
        await self._commits.flush()

    def time_jumped(self) -> None:
        """Look at the clock again: it is later than it was a moment ago."""
        self._timers.wake()

    def release_waits(self) -> None:
        """For a clean shutdown: whoever waits for something to happen to a run is answered with how things stand."""
        self.waits_released = True
        for entity in list(self._entities.values()):
            entity.wake()

    async def close(self) -> None:
        """Write what is not written yet; nothing may come in any more."""
        await self._timers.stop()
        await self._deletions.stop()
        for task in list(self._background):
            task.cancel()
        for entity in list(self._entities.values()):
            if entity.unwritten:
                self._submit([(entity, None)])
        await self._commits.stop()

    def spawn(self, work: "asyncio.Future[None] | asyncio.Task[None]") -> None:
        """Keep a background task until it ends."""
        task = asyncio.ensure_future(work)
        self._background.add(task)  # type: ignore[arg-type]
        task.add_done_callback(self._background.discard)

    # Load

    async def find(self, key: ExecutionKey) -> Entity:
        """The run in memory; the current one when `key.run_id` is empty. Raises NotFound."""
        if key.run_id:
            entity = await self._load(key)
            if entity is None:
                raise NotFound(f'workflow execution not found for workflow ID "{key.workflow_id}" and run ID "{key.run_id}"')
            return entity
        entity = await self.find_current(key.workflow)
        if entity is None:
            raise NotFound(f"workflow not found for ID: {key.workflow_id}")
        return entity

    async def find_current(self, workflow: WorkflowKey) -> Entity | None:
        missing: str | None = None
        while True:
            run_id = self._current.get(workflow)
            if run_id is None:
                run_id = await self.store.read_current(workflow)
                run_id = self._current.get(workflow, run_id)
            if run_id is None or run_id == missing:
                return None
            entity = await self._load(ExecutionKey(*workflow, run_id))
            if entity is None:
                missing = run_id  # it has been deleted while we waited for it; another may have been started
            elif self._current.setdefault(workflow, run_id) == run_id:
                return entity

    async def _load(self, key: ExecutionKey) -> Entity | None:
        while True:
            await self._deletions.settled(key)
            entity = self._entities.get(key)
            if entity is not None:
                self._entities.move_to_end(key)
                return entity
            deleted = self._deletions.count
            stored = await self.store.read_run(key)
            if key in self._entities:
                return self._entities[key]
            if stored is None:
                return None
            if self._deletions.count == deleted:
                break
        execution = decode_execution(stored.core, stored.parts)
        entity = Entity(key, execution, next_due(execution))
        entity.readable = execution
        self._keep(entity)
        return entity

    def _keep(self, entity: Entity) -> None:
        self._entities[entity.key] = entity
        excess = len(self._entities) - limits.CACHED_RUNS_MAX
        if excess > 0:
            oldest = [other for other in islice(self._entities.values(), excess + 8) if other.idle and other is not entity]
            for other in oldest[:excess]:
                self._drop(other)

    def _drop(self, entity: Entity) -> None:
        self._entities.pop(entity.key, None)
        if self._current.get(entity.key.workflow) == entity.key.run_id:
            del self._current[entity.key.workflow]

    # Decide, commit

    def context(self, namespace_id: str) -> Context:
        return Context(self.clock(), new_run_id(), self.namespaces.view(namespace_id), self.namespaces.ids())

    async def update(self, key: ExecutionKey, trigger: Trigger) -> Transition:
        """Load, decide, commit: the one way a run changes. Returns when the transition is durable.

        Raises a Refusal (nothing has changed, or history says what was wrong) or a StoreError (nothing was written).
        """
        entity = await self.find(key)
        async with self.true_refusals(entity):
            transition = self.decide(entity, trigger)
        await self.settled(entity)
        if transition.refusal is not None:
            raise transition.refusal
        return transition

    def true_refusals(self, entity: Entity) -> TrueRefusals:
        """A refusal speaks of the run's state: it leaves when that is durable. A StoreError, when it is lost, leaves instead."""
        return TrueRefusals(partial(self.settled, entity))

    def decide(self, entity: Entity, trigger: Trigger) -> Transition:
        """Decide, and let it be the state in memory; its commit is on its way."""
        check_kept(entity)
        transition = decide(entity.execution, trigger, self.context(entity.key.namespace_id))
        self._apply(entity, transition)
        return transition

    def _apply(self, entity: Entity, transition: Transition) -> None:
        if not transition.changed:
            return
        entity.apply(transition)
        if not transition.durable:
            self.retime(entity)
            self._run_effects(entity.key, transition.effects)
            entity.wake()
            return
        submitted: list[tuple[Entity, Transition | None]] = [(entity, transition)]
        if transition.successor is not None:
            submitted.append((self._adopt(transition.successor), transition.successor))
        self._submit(submitted)

    def _adopt(self, first: Transition) -> Entity:
        """A run that has just begun, and is its workflow id's current one from now on."""
        key = first.after.key
        entity = Entity(key, first.after, first.due_at)
        entity.apply(first)
        self._keep(entity)
        self._current[key.workflow] = key.run_id
        return entity

    def _submit(self, changed: Sequence[tuple[Entity, Transition | None]]) -> None:
        writes: list[RunWrite] = []
        for entity, transition in changed:
            has_work = bool(pending_work(entity.execution)) if transition is None else transition.has_work
            is_first = transition is not None and bool(transition.batches) and transition.batches[0].first_event_id == 1
            namespace = self.namespaces.view(entity.key.namespace_id)
            writes.append(entity.take_write(namespace, has_work, make_current=is_first))

        written = [entity.execution for entity, _ in changed]

        def landed() -> None:
            self._setbacks = 0
            for (entity, transition), execution in zip(changed, written, strict=True):
                entity.landed(execution)
                entity.trim_tail()
                self.retime(entity)
                if transition is not None:
                    self._run_effects(entity.key, transition.effects)
                entity.wake()

        self._commits.submit(writes, [entity for entity, _ in changed], landed)

    async def settled(self, entity: Entity) -> None:
        """Wait until all that was decided about the run is durable. Raises a StoreError when it could not be written."""
        if entity.pending is not None:
            await entity.pending.landing()

    async def readable(self, entity: Entity) -> Execution:
        """The run as readers may see it: all of it is durable, but perhaps the start of a workflow task."""
        if entity.readable is None:
            await self.settled(entity)
        assert entity.readable is not None
        return entity.readable

    def _lost(self, entities: Sequence[Entity]) -> None:
        """Forget what could not be written, and take it up again from what the store has."""
        keys = dict.fromkeys(entity.key for entity in entities)
        for entity in entities:
            entity.lost = True
            self._drop(entity)
            entity.wake()
        self._setbacks += 1
        pause = min(limits.DELIVERY_BACKOFF_S * 2 ** min(self._setbacks, 10), limits.DELIVERY_BACKOFF_MAX_S)
        for key in keys:
            self.spawn(asyncio.ensure_future(insist(partial(self._resume, key), key, first_pause_s=pause)))

    # Effects

    def _run_effects(self, key: ExecutionKey, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case OfferWorkflowTask():
                    self.offer(self.workflow_queue(key, effect), WorkflowWork(key, effect.scheduled_event_id, effect.attempt))
                case OfferActivity():
                    queue = QueueName(key.namespace_id, effect.task_queue, QueueKind.ACTIVITY)
                    self.offer(queue, ActivityWork(key, effect.scheduled_event_id, effect.attempt, effect.stamp))
                case _:
                    self._deliver(key, effect)

    def workflow_queue(self, key: ExecutionKey, effect: OfferWorkflowTask) -> QueueName:
        """The sticky queue if its worker is alive, else the normal one."""
        if effect.sticky_queue:
            sticky = QueueName(key.namespace_id, effect.sticky_queue, QueueKind.WORKFLOW, sticky=True)
            if self.matching.has_recent_poller(sticky):
                return sticky
        return QueueName(key.namespace_id, effect.task_queue, QueueKind.WORKFLOW)

    def offer(self, queue: QueueName, work: WorkflowWork | ActivityWork) -> None:
        if not self.matching.offer(queue, work):
            self._starved.add(queue)

    def drained(self, queue: QueueName) -> None:
        """A full queue has room again: go through all that is to be done."""
        if queue in self._starved:
            self._starved.discard(queue)
            self.spawn(asyncio.ensure_future(insist(self._refill, "refill of the task queues")))

    async def _refill(self) -> None:
        after: ExecutionKey | None = None
        while page := await self.store.runs_with_work(after, limits.WORK_PAGE):
            for key in page:
                await self._resume(key)
            after = page[-1]

    def _due(self, keys: Sequence[ExecutionKey]) -> None:
        self.spawn(asyncio.ensure_future(self._all_due(keys)))

    async def _all_due(self, keys: Sequence[ExecutionKey]) -> None:
        for place, key in enumerate(keys, start=1):
            self.spawn(asyncio.ensure_future(self._time_passed(key)))
            if place % limits.DUE_AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _time_passed(self, key: ExecutionKey) -> None:
        try:
            entity = await self._load(key)
        except StoreError as error:
            logger.warning("timer of %s: it stays due: %s", key, error)
            await insist(partial(self._resume, key), key, first_pause_s=limits.DELIVERY_BACKOFF_S)
            return
        if entity is None:
            return
        # If a commit fails the run is taken up again by `_lost`.
        if expired(entity.execution, self.clock()):
            await self._delete(entity)
        else:
            self.decide(entity, triggers.TimersDue())
            self.retime(entity)

    async def _delete(self, entity: Entity) -> None:
        """Its time is over: forget it, here and in the store."""
        try:
            await self.settled(entity)
        except StoreError:
            return
        if entity.deleted or self._entities.get(entity.key) is not entity:
            return
        entity.deleted, entity.due_at = True, None
        self._drop(entity)
        self.retime(entity)
        self._deletions.submit(entity.key)
        entity.wake()

    def _not_deleted(self, keys: Sequence[ExecutionKey]) -> None:
        for key in keys:
            self._timers.set(key, self.clock() + limits.DELETION_RETRY_NS, stored=False)

    # Starting

    async def start(
        self,
        namespace: NamespaceView,
        first: Start,
        reuse: int,
        conflict: int,
        attach: Attach | None = None,
        joined: Callable[[Entity], None] | None = None,
    ) -> StartResult:
        """Start a run, unless the id policies or the request id say otherwise. Raises AlreadyStarted.

        With `attach`, a run that is used instead is told of the request. `joined` gets the run, new or not, before
        any worker can see it.
        """
        joined = joined or _ignored
        current = await self.find_current(WorkflowKey(namespace.id, first.workflow_id))
        if current is not None:
            async with self.true_refusals(current):
                used = self._use_existing(current, first, reuse, conflict, attach, joined)
            if used is not None:
                await self.settled(current)
                return msgspec.structs.replace(used, execution=await self.readable(current))
        entity = self._begin(namespace, first, current)
        joined(entity)
        await self.settled(entity)
        return StartResult(await self.readable(entity), True)

    def _use_existing(
        self, current: Entity, first: Start, reuse: int, conflict: int, attach: Attach | None, joined: Callable[[Entity], None]
    ) -> StartResult | None:
        """The answer to a start that the current run takes; None when another run is to begin. Raises AlreadyStarted."""
        run = current.execution.run
        if run.create_request_id == first.request_id:
            joined(current)
            return StartResult(current.execution, True)
        if first.request_id in current.execution.attached:
            return StartResult(current.execution, False, attached=True)
        if run.open and conflict == Conflict.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING:
            if attach is not None:
                self.decide(current, attach)
            joined(current)
            return StartResult(current.execution, False, attached=attach is not None)
        if run.open and conflict != Conflict.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING:
            raise already_running(run)
        check_reuse(current.execution, reuse)
        return None

    def _begin(self, namespace: NamespaceView, first: Start, current: Entity | None) -> Entity:
        """Start a run; an open current one is terminated in the same commit."""
        context = self.context(namespace.id)
        changed: list[tuple[Entity, Transition | None]] = []
        if current is not None and current.execution.run.open:
            details = Payloads()
            details.payloads.add(metadata={"encoding": b"json/plain"}, data=f'"terminated by new runID: {context.fresh_id}"'.encode())
            reason = "TerminateIfRunning WorkflowIdReusePolicy"
            terminated = decide(current.execution, Terminate(reason, SERVER_IDENTITY, details), context)
            current.apply(terminated)
            changed.append((current, terminated))
        transition = begin(first, context.fresh_id, context)
        entity = self._adopt(transition)
        self._submit([*changed, (entity, transition)])
        return entity

    def begin_again(self, base: Entity, current: Entity, terminate: Terminate, reset: Reset) -> Entity:
        """Make a new run of `base`; the current one, if it is open, ends in the same commit. Raises NotFound."""
        if base.key == current.key:
            base = current  # one of them may have been dropped from memory, and loaded anew, since it was found
        for entity in (base, current):
            check_kept(entity)
        context = self.context(base.key.namespace_id)
        changed: list[tuple[Entity, Transition | None]] = []
        terminated = None
        if current.execution.run.open:
            terminated = decide(current.execution, terminate, context)
            flushed = [event for batch in terminated.batches for event in batch.events]
            reset = msgspec.structs.replace(reset, later=[*reset.later, *flushed])
        new = begin_again(reset, context)
        if terminated is not None:
            current.apply(terminated)
            changed.append((current, terminated))
        base.mark_reset(new.after.run.run_id)
        if base is not current or terminated is None:
            changed.append((base, None))
        entity = self._adopt(new)
        self._submit([*changed, (entity, new)])
        return entity

    async def signal_with_start(self, namespace: NamespaceView, first: Start, signal: Signal, reuse: int, conflict: int) -> StartResult:
        """Signal the current run if it is open, else start one with the signal in its first batch."""
        current = await self.find_current(WorkflowKey(namespace.id, first.workflow_id))
        if current is not None:
            run = current.execution.run
            if first.request_id == run.create_request_id or first.request_id in current.execution.request_ids:
                await self.settled(current)
                return StartResult(await self.readable(current), False)
            async with self.true_refusals(current):
                if run.open and conflict != Conflict.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING:
                    transition = self.decide(current, signal)
                    await self.settled(current)
                    if transition.refusal is not None:
                        raise transition.refusal
                    return StartResult(await self.readable(current), False)
                check_reuse(current.execution, reuse)
        entity = self._begin(namespace, first, current)
        await self.settled(entity)
        return StartResult(await self.readable(entity), True)


def check_kept(entity: Entity) -> None:
    """Nothing may happen to a run that is being deleted, or is gone. Raises NotFound."""
    if entity.deleted:
        raise NotFound(f'workflow execution not found for workflow ID "{entity.key.workflow_id}" and run ID "{entity.key.run_id}"')


def _ignored(_: Entity) -> None:
    pass
