"""Handlers of signals, queries and updates: which there are, which are at work, and calling them."""

from __future__ import annotations

import inspect
import json
import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from temporalio.api.enums.v1 import QueryResultType
from temporalio.api.query.v1 import WorkflowQuery, WorkflowQueryResult

from outlast import common, exceptions, workflow
from outlast.replay import builtin_queries
from outlast.replay.interceptor import HandleQueryInput, HandleSignalInput, HandleUpdateInput
from outlast.replay.loop import Cancelled
from outlast.workflow._event_groups import _inbound_event_group, _inbound_update_event_group
from outlast.workflow._info import _set_current_update_info

if TYPE_CHECKING:
    from temporalio.api.common.v1 import Payload
    from temporalio.api.history.v1 import HistoryEvent

    from outlast.replay.instance import Instance
    from outlast.replay.machines.update import Update

_logger = logging.getLogger("outlast.workflow")
_ANSWERED, _FAILED = QueryResultType.QUERY_RESULT_TYPE_ANSWERED, QueryResultType.QUERY_RESULT_TYPE_FAILED
Definition = workflow._SignalDefinition | workflow._QueryDefinition | workflow._UpdateDefinition


class _AtWork(NamedTuple):
    name: str
    policy: workflow.HandlerUnfinishedPolicy
    id: str | None = None


class Handlers:
    """The handlers of one run; code may exchange them while it runs."""

    def __init__(self, instance: Instance) -> None:
        definition = instance.definition
        self._instance = instance
        self.signals = dict(definition.signals)
        self.updates = dict(definition.updates)
        self._queries: dict[str | None, workflow._QueryDefinition] | None = None
        self._signals_at_work: dict[int, _AtWork] = {}
        self._updates_at_work: dict[str, _AtWork] = {}
        self._signals_seen = 0
        self._buffered: dict[str, list[HistoryEvent]] = {}
        """Signals that came before a handler did."""

    @property
    def queries(self) -> dict[str | None, workflow._QueryDefinition]:
        """Made when first needed: most runs are never queried."""
        if self._queries is None:
            self._queries = {**self._instance.definition.queries, **builtin_queries.definitions(self._instance)}
        return self._queries

    @property
    def finished(self) -> bool:
        return not self._signals_at_work and not self._updates_at_work

    def bound(self, definition: Definition | None) -> Callable[..., Any] | None:
        """The function to call."""
        if definition is None:
            return None
        return definition.bind_fn(self._instance.object) if definition.is_method else definition.fn

    def _args(self, name: str, payloads: Sequence[Payload], definition: Definition) -> list[Any]:
        converter = self._instance.converters.own
        if definition.name:
            return converter.decode(payloads, definition.arg_types)
        if definition.dynamic_vararg:
            types = definition.arg_types[1:] if definition.arg_types else None
            return [name, *converter.decode(payloads, types)]
        return [name, converter.decode(payloads, [common.RawValue] * len(payloads))]

    # Signals

    def signal(self, event: HistoryEvent) -> None:
        """Job: a signal came."""
        name = event.workflow_execution_signaled_event_attributes.signal_name
        definition = self.signals.get(name) or self.signals.get(None)
        if definition is None:
            self._buffered.setdefault(name, []).append(event)
        else:
            self._handle_signal(definition, event)

    def deliver_buffered(self, name: str | None, definition: workflow._SignalDefinition) -> None:
        """A handler was set: it gets what came before it."""
        names = list(self._buffered) if name is None else [name]
        for event in [event for waiting in names for event in self._buffered.pop(waiting, [])]:
            self._handle_signal(definition, event)

    def _handle_signal(self, definition: workflow._SignalDefinition, event: HistoryEvent) -> None:
        attributes = event.workflow_execution_signaled_event_attributes
        name = attributes.signal_name
        try:
            args = self._args(name, attributes.input.payloads, definition)
        except Exception:
            info = self._instance.info
            message = "Failed deserializing signal input for %s on workflow %s with ID %s and run ID %s, dropping the signal"
            details = {"temporal_workflow": info._logger_details()}
            _logger.exception(message, name, info.workflow_type, info.workflow_id, info.run_id, extra=details)
            return
        input = HandleSignalInput(signal=name, args=args, headers=attributes.header.fields)
        self._signals_seen += 1
        number = self._signals_seen
        self._signals_at_work[number] = _AtWork(name, definition.unfinished_policy)
        work = self._instance.top_level(self._run_signal(input, event.event_id))
        task = self._instance.loop.create_task(work, name=f"signal: {name}")
        task.add_done_callback(lambda _: self._signals_at_work.pop(number, None))

    async def _run_signal(self, input: HandleSignalInput, event_id: int) -> None:
        with _inbound_event_group(event_id).scope():
            await self._instance.inbound.handle_signal(input)

    async def call_signal(self, name: str, args: Sequence[Any]) -> None:
        definition = self.signals.get(name) or self.signals[None]
        await _call(self.bound(definition), definition, args)

    # Updates

    def update(self, update: Update) -> None:
        """Job: an update came."""
        self._instance.loop.create_task(self._run_update(update), name=f"update: {update.name}")

    async def _run_update(self, update: Update) -> None:
        # Also looking up the handler happens here: the main function may set it in the same task.
        _set_current_update_info(workflow.UpdateInfo(id=update.id, name=update.name))
        accepted = False
        loop = self._instance.loop
        try:
            input = self._judge(update)
            accepted = True
            update.accept()
            with _inbound_update_event_group(update.id).scope():
                result = await self._instance.inbound.handle_update_handler(input)
            payload = self._instance.converters.own.encode_one(result)
            loop.assert_writable("add command")
            update.complete(payload)
        except (Exception, Cancelled) as err:  # noqa: BLE001 - what a handler raises is its update's outcome
            self._update_failed(update, err, accepted)
        except workflow.ContinueAsNewError:
            loop.error = RuntimeError("Cannot continue as new from an update handler")
        finally:
            self._updates_at_work.pop(update.id, None)

    def _judge(self, update: Update) -> HandleUpdateInput:
        """The input of the handler, once the validator has let it pass."""
        definition = self.updates.get(update.name) or self.updates.get(None)
        if definition is None:
            known = " ".join(sorted(name for name in self.updates if name))
            raise RuntimeError(
                f"Update handler for '{update.name}' expected but not found, and there is no dynamic handler. known updates: [{known}]"
            )
        self._updates_at_work[update.id] = _AtWork(update.name, definition.unfinished_policy, update.id)
        request = update.asked_for.request.input
        args = self._args(update.name, request.args.payloads, definition)
        input = HandleUpdateInput(id=update.id, update=update.name, args=args, headers=request.header.fields)
        if update.is_new and definition.validator is not None:
            with self._instance.read_only(in_query=True):
                self._instance.inbound.handle_update_validator(input)
                # The validator may have changed its arguments.
                input.args = self._args(update.name, request.args.payloads, definition)
        return input

    def _update_failed(self, update: Update, err: BaseException, accepted: bool) -> None:
        loop = self._instance.loop
        if loop.evicting:
            return
        if isinstance(err, Cancelled):
            err = exceptions.CancelledError(f"Cancellation raised within update {err}")
        if isinstance(err, workflow.ReadOnlyContextError) or (accepted and not self._instance.fails_workflow(err)):
            loop.error = err
        elif accepted:
            update.fail(self._instance.converters.own.failure(err))
        else:
            update.reject(self._instance.converters.own.failure(err))

    def validator(self, name: str | None) -> Callable[..., Any] | None:
        definition = self.updates.get(name) or self.updates.get(None)
        if definition is None or definition.validator is None:
            return None
        return definition.bind_validator(self._instance.object) if definition.is_method else definition.validator

    def call_validator(self, name: str, args: Sequence[Any]) -> None:
        validator = self.validator(name)
        if validator is not None:
            validator(*args)

    async def call_update(self, name: str, args: Sequence[Any]) -> Any:
        definition = self.updates.get(name) or self.updates[None]
        return await _call(self.bound(definition), definition, args)

    # Queries

    async def query(self, query_id: str, query: WorkflowQuery, answer: Callable[[str, WorkflowQueryResult], None]) -> None:
        """Answer a query, whatever comes of it."""
        try:
            with self._instance.read_only(in_query=True):
                result = await self._instance.inbound.handle_query(self._query_input(query_id, query))
                payload = self._instance.converters.own.encode_one(result)
            answer(query_id, WorkflowQueryResult(result_type=_ANSWERED, answer={"payloads": [payload]}))  # type: ignore[arg-type]
        except Exception as err:  # noqa: BLE001 - what a handler raises is the answer
            failure = self._instance.converters.own.failure(err)
            answer(query_id, WorkflowQueryResult(result_type=_FAILED, error_message=failure.message, failure=failure))

    def _query_input(self, query_id: str, query: WorkflowQuery) -> HandleQueryInput:
        name = query.query_type
        definition = self.queries.get(name) or self.queries.get(None)
        if definition is None:
            known = " ".join(sorted(known for known in self.queries if known))
            raise RuntimeError(f"Query handler for '{name}' expected but not found, known queries: [{known}]")
        args = self._args(name, query.query_args.payloads, definition)
        return HandleQueryInput(id=query_id, query=name, args=args, headers=query.header.fields)

    async def call_query(self, name: str, args: Sequence[Any]) -> Any:
        definition = self.queries.get(name) or self.queries[None]
        return await _call(self.bound(definition), definition, args)

    # The end

    def warn_of_unfinished(self) -> None:
        """The workflow ends: say which handlers are cut off, unless they allow it."""
        if updates := _to_warn_of(self._updates_at_work.values()):
            named = json.dumps([{"name": update.name, "id": update.id} for update in updates])
            warnings.warn(workflow.UnfinishedUpdateHandlersWarning(_UNFINISHED_UPDATES + named), stacklevel=2)
        if signals := _to_warn_of(self._signals_at_work.values()):
            counted = Counter(signal.name for signal in signals).most_common()
            named = json.dumps([{"name": name, "count": count} for name, count in counted])
            warnings.warn(workflow.UnfinishedSignalHandlersWarning(_UNFINISHED_SIGNALS + named), stacklevel=2)


async def _call(handler: Callable[..., Any] | None, definition: Definition, args: Sequence[Any]) -> Any:
    assert handler is not None
    result = handler(*args)
    return await result if definition.is_async or inspect.isawaitable(result) else result


def _to_warn_of(at_work: Iterable[_AtWork]) -> list[_AtWork]:
    return [handler for handler in at_work if handler.policy is workflow.HandlerUnfinishedPolicy.WARN_AND_ABANDON]


_ADVICE = (
    " Wait for them with `await workflow.wait_condition(workflow.all_handlers_finished)` before the workflow ends, or allow it with"
    " `unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON` on the handler. Unfinished: "
)
_UNFINISHED_UPDATES = (
    "[TMPRL1102] Workflow finished while update handlers are still running. What they did is cut off, and who waits for such an"
    " update gets an error instead of its result." + _ADVICE
)
_UNFINISHED_SIGNALS = "[TMPRL1102] Workflow finished while signal handlers are still running. What they did is cut off." + _ADVICE
