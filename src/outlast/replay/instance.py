"""The running code of one workflow: its object, its main task and its loop, and what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, MutableMapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from random import Random
from typing import TYPE_CHECKING, Any, cast

from temporalio.api.common.v1 import Payload, SearchAttributes
from temporalio.api.failure.v1 import Failure

from outlast import common, exceptions, workflow
from outlast.replay import guard, kinds
from outlast.replay.convert import Converters
from outlast.replay.face import Face
from outlast.replay.handlers import Handlers
from outlast.replay.inout import ContinueAsNew, Inbound, Outbound
from outlast.replay.interceptor import ExecuteWorkflowInput, WorkflowInboundInterceptor, WorkflowOutboundInterceptor
from outlast.replay.ledger import Jobs, Ledger
from outlast.replay.loop import Cancelled, Future, Task, TimerHandle, WorkflowLoop, wait_for
from outlast.replay.machines.machine import Plain
from outlast.replay.machines.timer import Timer, TimerOptions
from outlast.replay.seed import seed_of
from outlast.replay.wire import Fields, make_command
from outlast.workflow._event_groups import _capture_event_group_markers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from temporalio.api.history.v1 import WorkflowExecutionStartedEventAttributes

    from outlast.replay.protocol import RunSettings

_timer_options: ContextVar[TimerOptions | None] = ContextVar("outlast_timer_options", default=None)
"""What timers bear that asyncio starts on behalf of `wait_condition`."""


class Instance:
    """The running code. It knows nothing of history: `Jobs` come in, machines take note of what it asks for."""

    def __init__(
        self,
        settings: RunSettings,
        definition: workflow._Definition,
        info: workflow.Info,
        ledger: Ledger,
        started: WorkflowExecutionStartedEventAttributes,
    ) -> None:
        self.settings = settings
        self.definition = definition
        self.info = info
        self.ledger = ledger
        self.started = started
        self.initial_memo = dict(started.memo.fields)
        self.upserted: dict[str, Payload] = {}
        """Search attributes that the code has set."""
        self.object: Any = None
        self.cancel_reason: str | None = None
        self.versioning_behavior = definition.versioning_behavior
        self.replaying = False
        self.single_batch = False
        """Whether all that an activation brings is applied before any code runs."""
        self.in_query = False
        self.patches_found: set[str] = set()
        self.patches: dict[str, bool] = {}
        self.details = ""
        self.failure_exception_types: Sequence[type[BaseException]] = definition.failure_exception_types
        self.seed_source = started.original_execution_run_id
        self.seed_callbacks: list[Callable[[int], None]] = []
        self._seed: int | None = None
        self._random: Random | None = None
        self._input: ExecuteWorkflowInput | None = None
        self._main: Task[None] | None = None
        self._cancel_main_first = False
        self.converters = Converters(settings.data_converter, info, self.fails_workflow)
        suffix = f" (workflow: {info.workflow_type}, id: {info.workflow_id}, run: {info.run_id})"
        self.face = Face(self)
        self.loop = WorkflowLoop(self.face, self._start_timer, suffix, guarded=settings.guarded and definition.sandboxed)  # type: ignore[abstract]
        self.handlers = Handlers(self)
        if self.loop.guarded:
            guard.protect(definition.cls)
        self.inbound: WorkflowInboundInterceptor = Inbound(self)
        self.outbound: WorkflowOutboundInterceptor = Outbound(self)
        if settings.interceptors:
            self.loop.inside(self._intercept)

    def _intercept(self) -> None:
        root, inbound = cast(Inbound, self.inbound), self.inbound
        for interceptor in reversed(self.settings.interceptors):
            inbound = interceptor(inbound)
        inbound.init(self.outbound)
        self.inbound, self.outbound = inbound, root.outbound or self.outbound

    # Activations

    def activate(self, jobs: Jobs, *, replaying: bool) -> None:
        """Bring the code what has happened, and let it run until nothing is ready.

        Raises:
            BaseException: What fails the workflow task.
        """
        self.replaying = replaying
        self.loop.now_ns = self.ledger.now_ns
        self.ledger.accepted_updates = 0
        self.single_batch = self.ledger.flags.single_batch(replaying=replaying)
        had_terminal = self.ledger.terminal is not None
        try:
            self.loop.inside(lambda: self._apply(jobs))
        except Exception as err:
            if not self.fails_workflow(err):
                raise
            self._fail_workflow(err)
        if self.ledger.terminal is not None and not had_terminal and not replaying:
            self.handlers.warn_of_unfinished()

    def _apply(self, jobs: Jobs) -> None:
        self.patches_found.update(jobs.patches)
        may_check = self._may_check_conditions(jobs)
        if self._main is None and self._input is None:
            self._input = self._decode_input()
        if self.single_batch:
            self._do(jobs.messages)
            self._do(jobs.main)
            self._run(may_check if jobs.messages or jobs.main else None)
            return
        if jobs.patches:
            self._run(None)
        if jobs.messages:
            self._do(jobs.messages)
            self._run(may_check)
        if jobs.main:
            self._do(jobs.main)
            self._run(may_check)

    @staticmethod
    def _do(jobs: Sequence[tuple[Callable[..., None], tuple[Any, ...]]]) -> None:
        for work, args in jobs:
            work(*args)

    def _may_check_conditions(self, jobs: Jobs) -> Callable[[], bool]:
        """An update that is rejected must leave no trace, and so wakes no condition."""
        return lambda: not jobs.only_updates or self.ledger.accepted_updates > 0

    def _run(self, check_conditions: Callable[[], bool] | None) -> None:
        if self.object is None:
            self.object = self._make_object()
        self.loop.run_ready(check_conditions)

    def query(self, work: Coroutine[Any, Any, None]) -> None:
        """Let a query have its turn."""
        self.replaying = True
        self.loop.now_ns = self.ledger.now_ns

        def run() -> None:
            self.loop.create_task(work, name="query")
            self._run(None)

        self.loop.inside(run)

    def evict(self) -> None:
        """Tear the code down."""
        self.replaying = True
        self.loop.evict()
        # Everything here refers to everything else. Collecting such circles takes longer than running a small workflow.
        self.loop.forget()
        vars(self).clear()

    # The main task

    def start(self) -> None:
        """Job: begin."""
        assert self._input is not None
        self._main = self.loop.create_task(self.top_level(self._execute(self._input)), name="run")
        if self._cancel_main_first:
            self.loop.call_soon(self._main.cancel)

    def cancel(self, reason: str) -> None:
        """Job: someone asks the workflow to stop."""
        self.cancel_reason = reason
        if self._main is not None:
            # It may not have begun: only code that runs can see the cancellation.
            self.loop.call_soon(self._main.cancel)
        else:
            self._cancel_main_first = self.single_batch

    def reseed(self, run_id: str) -> None:
        """Job: the run was reset, and draws new numbers from here on."""
        self.seed_source, self._seed = run_id, None
        if self._random is not None:
            self._random.seed(self.seed)
        for callback in self.seed_callbacks:
            callback(self.seed)

    def _decode_input(self) -> ExecuteWorkflowInput:
        payloads = self.started.input.payloads
        if self.definition.name:
            args = self.converters.own.decode(payloads, self.definition.arg_types)
        else:
            args = [self.converters.own.decode(payloads, [common.RawValue] * len(payloads))]
        return ExecuteWorkflowInput(type=self.definition.cls, run_fn=self.definition.run_fn, args=args, headers=self.started.header.fields)

    def _make_object(self) -> Any:
        assert self._input is not None
        made = self.definition.cls(*self._input.args) if self.definition.init_takes_args else self.definition.cls()
        if self.definition.name is None and self.definition.dynamic_config_fn is not None:
            with self.read_only(in_query=False):
                config = self.definition.dynamic_config_fn(made)
            if config.failure_exception_types is not None:
                self.failure_exception_types = config.failure_exception_types
            if config.versioning_behavior != common.VersioningBehavior.UNSPECIFIED:
                self.versioning_behavior = config.versioning_behavior
        return made

    async def _execute(self, input: ExecuteWorkflowInput) -> None:
        result = await self.inbound.execute_workflow(input)
        command = None
        if not self.ledger.replaying:
            attributes: Fields = {"result": {"payloads": [self.converters.own.encode_one(result)]}}
            command = make_command(4, "complete_workflow_execution_command_attributes", attributes)
        self._end(kinds.WORKFLOW_COMPLETED, "completion of the workflow", command)

    async def top_level(self, work: Coroutine[Any, Any, None]) -> None:
        """Run the main function or a signal handler, and judge how it ends."""
        try:
            await work
        except ContinueAsNew as err:
            if not self.loop.evicting:
                self._end(kinds.CONTINUED_AS_NEW, "continue as new", err.command(self))
        except (Exception, Cancelled) as err:  # noqa: BLE001 - what the code raises ends the workflow or its task
            if not self.loop.evicting:
                self._ended_with(err)

    def _ended_with(self, err: BaseException) -> None:
        if isinstance(err, Cancelled):
            err = exceptions.CancelledError(str(err))
        if self.cancel_reason is not None and exceptions.is_cancelled_exception(err):
            command = None
            if not self.ledger.replaying:
                command = make_command(7, "cancel_workflow_execution_command_attributes", {})
            self._end(kinds.WORKFLOW_CANCELED, "cancellation of the workflow", command)
        elif self.fails_workflow(err):
            self._fail_workflow(err)
        else:
            self.loop.error = err

    def _fail_workflow(self, err: BaseException) -> None:
        command = None
        if not self.ledger.replaying:
            try:
                failure = self.converters.own.failure(err)
            except Exception as inner:
                raise ValueError("Failed converting workflow exception") from inner
            command = make_command(5, "fail_workflow_execution_command_attributes", {"failure": failure})
        self._end(kinds.WORKFLOW_FAILED, "failure of the workflow", command)

    def _end(self, event_kind: int, what: str, command: Any) -> None:
        self.loop.assert_writable("add command")
        self.ledger.ask_terminal(event_kind, Plain(self.ledger, what), command)

    def fails_workflow(self, err: BaseException) -> bool:
        """Whether an error fails the workflow or update, and not just the task."""
        return isinstance(
            err, (exceptions.FailureError, TimeoutError, *self.failure_exception_types, *self.settings.failure_exception_types)
        )

    @contextmanager
    def read_only(self, *, in_query: bool) -> Iterator[None]:
        """Let code look, but not touch."""
        before = self.loop.read_only, self.in_query
        self.loop.read_only, self.in_query = True, in_query
        try:
            yield
        finally:
            self.loop.read_only, self.in_query = before

    # What the code waits for

    def _start_timer(self, delay: float, handle: TimerHandle, options: TimerOptions | None) -> Timer:
        options = options or _timer_options.get() or TimerOptions(markers=_capture_event_group_markers(None))
        return Timer(self.ledger, self.loop, delay, handle, options)

    async def sleep(self, seconds: float, summary: str | None, event_groups: Sequence[workflow.EventGroup] | None) -> None:
        options = self._options(summary, event_groups)
        future: Future[None] = self.loop.create_future()
        timer = self.loop.start_timer(seconds, options, lambda: None if future.done() else future.set_result(None))
        future.add_done_callback(lambda done: timer.cancel() if done.cancelled() else None)
        await future

    async def wait_condition(
        self,
        fn: Callable[[], bool],
        timeout: float | None,
        summary: str | None,
        event_groups: Sequence[workflow.EventGroup] | None,
    ) -> None:
        was_cancelled = self.cancel_reason is not None

        def cancelled_meanwhile() -> bool:
            return self.single_batch and not was_cancelled and self.cancel_reason is not None

        future: Future[None] = self.loop.create_future()
        self.loop.add_condition(fn, future)
        if timeout is None:
            await wait_for(future, None)
        else:
            token = _timer_options.set(self._options(summary, event_groups))
            try:
                await wait_for(future, timeout)
            except TimeoutError:
                if cancelled_meanwhile():
                    raise Cancelled from None
                raise
            finally:
                _timer_options.reset(token)
        if cancelled_meanwhile():
            raise Cancelled

    def _options(self, summary: str | None, event_groups: Sequence[workflow.EventGroup] | None) -> TimerOptions:
        metadata = None if self.ledger.replaying else self.converters.own.metadata(summary)
        return TimerOptions(metadata, _capture_event_group_markers(event_groups))

    def settler(self, future: Future[None], workflow_id: str) -> Callable[[Failure | None], None]:
        """What settles a future by how a call to another workflow came out."""

        def settle(failure: Failure | None) -> None:
            if future.cancelled():
                return
            if failure is None:
                future.set_result(None)
            else:
                future.set_exception(self.converters.of_workflow(workflow_id).error(failure))

        return settle

    # Chance

    @property
    def seed(self) -> int:
        if self._seed is None:
            self._seed = seed_of(self.seed_source)
        return self._seed

    @property
    def random(self) -> Random:
        if self._random is None:
            self._random = Random(self.seed)
        return self._random

    # Properties

    def ask_plain(self, event_kind: int, what: str, command: Callable[[], Any]) -> None:
        """Ask for a command that nothing more comes of."""
        self.loop.assert_writable("add command")
        self.ledger.ask(event_kind, Plain(self.ledger, what), None if self.ledger.replaying else command())

    def carried_search_attributes(self) -> SearchAttributes | None:
        """The search attributes as they are now, for the run that continues this one."""
        fields = {**self.started.search_attributes.indexed_fields, **self.upserted}
        return SearchAttributes(indexed_fields=fields) if fields else None

    @property
    def raw_memo(self) -> MutableMapping[str, Payload]:
        return cast("MutableMapping[str, Payload]", self.info.raw_memo)
