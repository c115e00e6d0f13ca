"""One run in memory: its state, the end of its history, what is not written yet, and who waits for it."""

import asyncio
from collections.abc import Sequence
from copy import copy

import msgspec
from temporalio.api.query.v1 import WorkflowQuery, WorkflowQueryResult
from temporalio.api.update.v1 import Outcome
from temporalio.api.update.v1 import Request as UpdateRequest

from outlast.engine.keys import ExecutionKey, PartKey
from outlast.engine.refusals import Refusal
from outlast.engine.state import Execution
from outlast.engine.stored import encode_core
from outlast.engine.transition import Transition
from outlast.engine.triggers import AttachToUpdate, NamespaceView
from outlast.engine.work import next_due
from outlast.server.shard.limits import TAIL_BATCHES_MAX, TAIL_BYTES_MAX
from outlast.server.shard.visibility import visibility_record
from outlast.server.store.protocol import EventBatch, RunWrite


class BufferedQuery(msgspec.Struct, eq=False):
    """A query that rides on a workflow task. The answer is None when it must be asked directly after all."""

    query_id: str
    query: WorkflowQuery
    answer: "asyncio.Future[WorkflowQueryResult | None]"


class PendingUpdate(msgspec.Struct, eq=False):
    """An update in flight: admitted, perhaps sent, not accepted."""

    request: UpdateRequest
    sent_after: int | None = None
    """The last completed event when a workflow task carried it; None: none has."""
    outcome: Outcome | None = None
    """When it was rejected."""
    attach: list[AttachToUpdate] = []
    """Callbacks that repeated requests have brought."""
    refusal: Refusal | None = None
    """When it came to nothing."""


class Commit:
    """A commit that is under way, and who waits for it to land: each with a future of its own, so that one may give up."""

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: list[asyncio.Future[None]] = []

    def landing(self) -> "asyncio.Future[None]":
        """Done when everything in the commit is durable; fails with a StoreError when it could not be written."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        return waiter

    def end(self, error: Exception | None) -> None:
        """It has landed, or failed."""
        for waiter in self._waiters:
            if waiter.done():
                continue
            if error is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(error)


class _Undo(msgspec.Struct, frozen=True, eq=False):
    """What a started workflow task looked like before, while nothing has followed it."""

    request_id: str
    before: Execution
    after: Execution
    batch_count: int


class Entity:
    """A run that the shard has in memory. Changed by `apply` only."""

    __slots__ = (
        "_parts",
        "_tail_bytes",
        "_undo",
        "_visible",
        "batches",
        "deleted",
        "due_at",
        "execution",
        "key",
        "lost",
        "pending",
        "queries",
        "readable",
        "tail",
        "unwritten",
        "updates",
        "waiters",
    )

    def __init__(self, key: ExecutionKey, execution: Execution, due_at: int | None) -> None:
        self.key = key
        self.execution = execution
        self.due_at = due_at
        self.deleted = False
        """The run is being deleted, or is gone: whoever still holds this must not change it."""
        self.lost = False
        """What was decided about it last could not be written: the run has been taken up anew, and this is what it never was."""
        self.tail: list[EventBatch] = []
        """The last batches of the history, without a gap up to its end; among them all that is not durable yet."""
        self._tail_bytes = 0
        self.batches: list[EventBatch] = []
        """Batches that no commit carries yet."""
        self._parts: dict[PartKey, bytes | None] = {}
        self._visible = False
        self.unwritten = False
        self.readable: Execution | None = None
        """The last state whose every part is durable, but perhaps the start of a workflow task; None before the first commit."""
        self.pending: Commit | None = None
        """The last commit that carries this run, until it has landed."""
        self.waiters: list[asyncio.Future[bool]] = []
        self.queries: dict[str, BufferedQuery] = {}
        self.updates: dict[str, PendingUpdate] = {}
        self._undo: _Undo | None = None

    @property
    def idle(self) -> bool:
        """Whether it may be dropped from memory without losing anything."""
        return not (self.pending or self.unwritten or self.waiters or self.queries or (self.updates and self.execution.run.open))

    def apply(self, transition: Transition) -> None:
        """Let the transition be the state. It is not durable yet."""
        before = self.execution
        self.execution = transition.after
        for batch in transition.batches:
            stored = EventBatch(batch.first_event_id, len(batch.events), batch.data)
            self.batches.append(stored)
            self.tail.append(stored)
            self._tail_bytes += len(batch.data)
        self._parts.update(transition.changes)
        self._visible = self._visible or transition.visible
        self.due_at = transition.due_at
        self.unwritten = True
        self._undo = None
        if not transition.durable and self.pending is None and self.readable is not None:
            self.readable = transition.after
        task = transition.after.run.workflow_task
        if not transition.durable and task is not None:
            self._undo = _Undo(task.request_id, before, transition.after, len(transition.batches))

    def mark_reset(self, run_id: str) -> None:
        """Remember which run a reset has made of this one."""
        run = copy(self.execution.run)
        run.reset_run_id = run_id
        self.execution = msgspec.structs.replace(self.execution, run=run)
        self.unwritten = True

    def undo_start(self, request_id: str) -> bool:
        """Take back a workflow task's start that nobody has seen. False when it is too late."""
        undo = self._undo
        if undo is None or undo.request_id != request_id or undo.after is not self.execution:
            return False
        if self.readable is self.execution:
            self.readable = undo.before
        self.execution = undo.before
        self.due_at = next_due(undo.before)
        for _ in range(undo.batch_count):
            self.batches.pop()
            self._tail_bytes -= len(self.tail.pop().data)
        self._undo = None
        return True

    def take_write(self, namespace: NamespaceView, has_work: bool, *, make_current: bool = False) -> RunWrite:
        """All that no commit carries yet, to be put into one."""
        execution = self.execution
        write = RunWrite(
            key=self.key,
            core=encode_core(execution.run),
            due_at=self.due_at,
            has_work=has_work,
            parts=self._parts,
            batches=self.batches,
            visibility=visibility_record(execution, namespace) if self._visible else None,
            make_current=make_current,
        )
        self.batches = []
        self._parts = {}
        self._visible = False
        self.unwritten = False
        self._undo = None
        return write

    def landed(self, written: Execution) -> None:
        """A commit that carries the run up to `written` is durable."""
        self.readable = written if self.pending is not None else self.execution

    def trim_tail(self) -> None:
        """Forget the start of the tail when it is long; only when everything is durable."""
        if self.pending is not None or self.unwritten:
            return
        dropped = 0
        while len(self.tail) - dropped > TAIL_BATCHES_MAX or (self._tail_bytes > TAIL_BYTES_MAX and len(self.tail) - dropped > 1):
            self._tail_bytes -= len(self.tail[dropped].data)
            dropped += 1
        del self.tail[:dropped]

    def tail_from(self, first_event_id: int) -> Sequence[EventBatch] | None:
        """The batches from the one with `first_event_id` on, if all of them are in memory."""
        if not self.tail or self.tail[0].first_event_id > first_event_id:
            return None
        return [batch for batch in self.tail if batch.last_event_id >= first_event_id]

    async def woken(self, deadline: float) -> bool:
        """Wait until something of this run is durable, or until the loop's time is `deadline`: False."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        self.waiters.append(waiter)
        alarm = loop.call_at(deadline, _answer, waiter, False)
        try:
            return await waiter
        finally:
            alarm.cancel()
            if waiter in self.waiters:
                self.waiters.remove(waiter)

    def wake(self) -> None:
        """Something has happened that a reader may be waiting for."""
        waiters, self.waiters = self.waiters, []
        for waiter in waiters:
            _answer(waiter, True)


def _answer(waiter: "asyncio.Future[bool]", woken: bool) -> None:
    if not waiter.done():
        waiter.set_result(woken)
