"""Replays histories with today's workflow code, to see whether it still makes the same decisions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict, cast

from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent

from outlast import workflow
from outlast.common import HeaderCodecBehavior
from outlast.converter import DataConverter
from outlast.replay.protocol import RunSettings, Step, WorkflowTask
from outlast.replay.run import WorkflowRun
from outlast.runtime import Runtime
from outlast.worker._codec import WorkflowCodec
from outlast.worker._eviction import evict
from outlast.worker._interceptor import Interceptor
from outlast.worker._plugin import Plugin
from outlast.worker._runner import UnsandboxedWorkflowRunner, WorkflowRunner
from outlast.worker._watchdog import WATCHDOG
from outlast.worker._workflow_definitions import workflow_definitions, workflow_interceptors
from outlast.worker.workflow_sandbox import SandboxedWorkflowRunner

if TYPE_CHECKING:
    from outlast.client import WorkflowHistory

Replay = Callable[["Replayer", AsyncIterator["WorkflowHistory"]], AbstractAsyncContextManager[AsyncIterator["WorkflowReplayResult"]]]


class ReplayerConfig(TypedDict, total=False):
    """The arguments of a :class:`Replayer`. They mean what they mean for a :class:`outlast.worker.Worker`."""

    workflows: Sequence[type]
    workflow_task_executor: ThreadPoolExecutor | None
    workflow_runner: WorkflowRunner
    unsandboxed_workflow_runner: WorkflowRunner
    namespace: str
    data_converter: DataConverter
    interceptors: Sequence[Interceptor]
    build_id: str | None
    identity: str | None
    workflow_failure_exception_types: Sequence[type[BaseException]]
    debug_mode: bool
    runtime: Runtime | None
    disable_safe_workflow_eviction: bool
    header_codec_behavior: HeaderCodecBehavior


@dataclass(frozen=True)
class WorkflowReplayResult:
    """What came of replaying one history."""

    history: WorkflowHistory
    replay_failure: Exception | None
    """Why the code does not go with the history, most often a :class:`outlast.workflow.NondeterminismError`; None if it does.

    That a workflow failed, as its history says, is no failure of the replay.
    """


@dataclass(frozen=True)
class WorkflowReplayResults:
    """What came of replaying many histories."""

    replay_failures: Mapping[str, Exception]
    """By run id, of those that failed."""


class Replayer:
    """Replays histories."""

    def __init__(
        self,
        *,
        workflows: Sequence[type],
        workflow_task_executor: ThreadPoolExecutor | None = None,
        workflow_runner: WorkflowRunner = SandboxedWorkflowRunner(),  # noqa: B008
        unsandboxed_workflow_runner: WorkflowRunner = UnsandboxedWorkflowRunner(),  # noqa: B008
        namespace: str = "ReplayNamespace",
        data_converter: DataConverter = DataConverter.default,
        interceptors: Sequence[Interceptor] = [],
        plugins: Sequence[Plugin] = [],
        build_id: str | None = None,
        identity: str | None = None,
        workflow_failure_exception_types: Sequence[type[BaseException]] = [],
        debug_mode: bool = False,
        runtime: Runtime | None = None,
        disable_safe_workflow_eviction: bool = False,
        header_codec_behavior: HeaderCodecBehavior = HeaderCodecBehavior.NO_CODEC,
    ) -> None:
        """Set up a replayer. Give it what the worker had that ran the workflows.

        Raises:
            ValueError: No workflows, or workflows that cannot go together.
        """
        config = cast(ReplayerConfig, {name: value for name, value in locals().items() if name not in ("self", "plugins")})
        self._initial_config = cast(ReplayerConfig, dict(config))
        self.plugins = plugins
        for plugin in plugins:
            config = plugin.configure_replayer(config)
        self._config = config
        if not config.get("workflows"):
            raise ValueError("At least one workflow must be specified")

    def config(self, *, active_config: bool = False) -> ReplayerConfig:
        """The parameters that the replayer was made with; with `active_config` as plugins have changed them."""
        config = cast(ReplayerConfig, dict(self._config if active_config else self._initial_config))
        config["workflows"] = list(config.get("workflows", []))
        return config

    async def replay_workflow(self, history: WorkflowHistory, *, raise_on_replay_failure: bool = True) -> WorkflowReplayResult:
        """Replay one history. Raises the failure of the replay, unless that is not wanted."""

        async def only() -> AsyncIterator[WorkflowHistory]:
            yield history

        async with self.workflow_replay_iterator(only()) as results:
            async for result in results:
                if raise_on_replay_failure and result.replay_failure is not None:
                    raise result.replay_failure
                return result
        raise RuntimeError("No histories")

    async def replay_workflows(
        self, histories: AsyncIterator[WorkflowHistory], *, raise_on_replay_failure: bool = True
    ) -> WorkflowReplayResults:
        """Replay many histories, and collect the failures. Raises the first failure instead, unless that is not wanted."""
        failures: dict[str, Exception] = {}
        async with self.workflow_replay_iterator(histories) as results:
            async for result in results:
                if result.replay_failure is not None:
                    if raise_on_replay_failure:
                        raise result.replay_failure
                    failures[result.history.run_id] = result.replay_failure
        return WorkflowReplayResults(failures)

    def workflow_replay_iterator(
        self, histories: AsyncIterator[WorkflowHistory]
    ) -> AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]]:
        """Replay histories as they come: ``async with`` gives an iterator of results, in the order of the histories."""

        def wrapped(plugin: Plugin, inner: Replay) -> Replay:
            return lambda replayer, histories: plugin.run_replayer(replayer, histories, inner)

        chain: Replay = Replayer._replays
        for plugin in reversed(self.plugins):
            chain = wrapped(plugin, chain)
        return chain(self, histories)

    @asynccontextmanager
    async def _replays(self, histories: AsyncIterator[WorkflowHistory]) -> AsyncIterator[AsyncIterator[WorkflowReplayResult]]:
        settings = self._settings()

        async def results() -> AsyncIterator[WorkflowReplayResult]:
            async for history in histories:
                yield WorkflowReplayResult(history, await self._replay(settings, history))

        watched = not self._config.get("debug_mode")
        if watched:
            WATCHDOG.start()
        try:
            yield results()
        finally:
            if watched:
                WATCHDOG.stop()

    async def _replay(self, settings: RunSettings, history: WorkflowHistory) -> Exception | None:
        events = await self._decoded(settings, history)
        task = _task(history, events)
        run = WorkflowRun(settings, task.run_id)
        watched = not self._config.get("debug_mode")
        try:
            step = WATCHDOG.run(run.activate, task) if watched else run.activate(task)
        except Exception as error:  # noqa: BLE001 - whatever comes of a history is its result
            return error
        finally:
            evict(run, watched=watched)
        return _failure(step)

    async def _decoded(self, settings: RunSettings, history: WorkflowHistory) -> Sequence[HistoryEvent]:
        if settings.data_converter.payload_codec is None:
            return history.events
        headers = self._config.get("header_codec_behavior") is not HeaderCodecBehavior.NO_CODEC
        started = history.events[0].workflow_execution_started_event_attributes
        codec = WorkflowCodec(settings.data_converter, settings.namespace, started.task_queue.name, headers)
        events = []
        for event in history.events:
            copy = HistoryEvent()
            copy.CopyFrom(event)
            events.append(copy)
        await codec.decode(history.workflow_id, started.workflow_type.name, events, (), {})
        return events

    def _settings(self) -> RunSettings:
        config = self._config
        runner = config.get("workflow_runner") or SandboxedWorkflowRunner()
        extern_functions: dict[str, Callable[..., Any]] = {}
        return RunSettings(
            namespace=config.get("namespace", "ReplayNamespace"),
            task_queue=f"replay-{config.get('build_id')}",
            definitions=workflow_definitions(
                config.get("workflows", ()), runner, config.get("unsandboxed_workflow_runner") or UnsandboxedWorkflowRunner()
            ),
            data_converter=config.get("data_converter") or DataConverter.default,
            interceptors=workflow_interceptors(config.get("interceptors", ()), extern_functions),
            extern_functions=extern_functions,
            failure_exception_types=config.get("workflow_failure_exception_types", ()),
            metric_meter=(config.get("runtime") or Runtime.default()).metric_meter,
            build_id=config.get("build_id") or "",
            guarded=runner.guarded,
        )


def _task(history: WorkflowHistory, events: Sequence[HistoryEvent]) -> WorkflowTask:
    started = events[0].workflow_execution_started_event_attributes
    tasks = [event.event_id for event in events if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED]
    return WorkflowTask(
        workflow_id=history.workflow_id,
        run_id=history.run_id,
        workflow_type=started.workflow_type.name,
        attempt=1,
        previous_started_event_id=tasks[-2] if len(tasks) > 1 else 0,
        started_event_id=tasks[-1] if tasks else 0,
        events=events,
        replay_only=True,
    )


def _failure(step: Step) -> Exception | None:
    if step.failure is None:
        return None
    if step.failure_cause == WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR:
        return workflow.NondeterminismError(step.failure.message)
    return RuntimeError(step.failure.message)
