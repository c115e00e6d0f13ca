"""Completion callbacks: addresses that are told how a run, or an update, ended (workflow-core.md 1.18, platform.md 7.7).

The states are drawn at `state.Callback`. To deliver is an effect; what came of it is a trigger.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from temporalio.api.common.v1 import Callback as WireCallback
from temporalio.api.enums.v1 import EventType, RetryState
from temporalio.api.history.v1 import HistoryEvent, WorkflowExecutionStartedEventAttributes

from outlast.engine import limits
from outlast.engine.refusals import FailedPrecondition
from outlast.engine.state import BACKING_OFF, DELIVERY_FAILED, SCHEDULED, STANDBY, SUCCEEDED, Callback
from outlast.engine.triggers import CallbackAnswered
from outlast.engine.wire import moment
from outlast.engine.work import deliver

if TYPE_CHECKING:
    from outlast.engine.draft import Draft


def attach(draft: Draft, callbacks: Sequence[WireCallback], request_id: str, event: HistoryEvent, update_id: str = "") -> None:
    """Have them wait, unless the request has attached them before (an update that is applied again after a reset)."""
    if not callbacks or any((known.request_id, known.update_id) == (request_id, update_id) for known in draft.callbacks):
        return
    for callback in callbacks:
        attached = Callback(callback.SerializeToString(), request_id, moment(event.event_time), update_id)
        draft.callbacks.put(len(draft.callbacks), attached)


def check_number(draft: Draft, more: int, update_id: str = "") -> None:
    """Refuse so many more. Raises FailedPrecondition."""
    there = len(draft.callbacks)
    allowed = limits.CALLBACKS_WITH_UPDATES_MAX if update_id else limits.CALLBACKS_MAX
    if more and there + more > allowed:
        raise FailedPrecondition(f"cannot attach more than {allowed} callbacks to a workflow ({there} callbacks already attached)")
    of_update = sum(known.update_id == update_id for known in draft.callbacks) if update_id else 0
    if update_id and of_update + more > limits.CALLBACKS_OF_UPDATE_MAX:
        raise FailedPrecondition(
            f'cannot attach more than {limits.CALLBACKS_OF_UPDATE_MAX} callbacks to update "{update_id}"'
            f" ({of_update} callbacks already attached)"
        )


def carry(draft: Draft, following: WorkflowExecutionStartedEventAttributes) -> None:
    """Give the run that follows those that wait for the end of this one."""
    following.ClearField("completion_callbacks")
    waiting = [callback for callback in draft.callbacks if callback.state == STANDBY and not callback.update_id]
    following.completion_callbacks.extend(WireCallback.FromString(callback.data) for callback in waiting)


def run_is_over(draft: Draft, closed: HistoryEvent) -> None:
    """Deliver: all, or only those of updates when they are not told of this run's end but of the next one's."""
    if not len(draft.callbacks):
        return
    attributes = getattr(closed, closed.WhichOneof("attributes") or "")
    continued = closed.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
    retried = getattr(attributes, "retry_state", 0) == RetryState.RETRY_STATE_IN_PROGRESS
    _schedule(draft, (n for n, callback in draft.callbacks.entries() if callback.update_id or not (continued or retried)))


def update_is_over(draft: Draft, update_id: str) -> None:
    """The update has an outcome."""
    if len(draft.callbacks):
        _schedule(draft, (n for n, callback in draft.callbacks.entries() if callback.update_id == update_id))


def _schedule(draft: Draft, numbers: Iterable[int]) -> None:
    for number in numbers:
        if draft.callbacks[number].state == STANDBY:
            callback = draft.callbacks.edit(number)
            callback.state = SCHEDULED
            draft.effects.append(deliver(number, callback))


def try_again(draft: Draft, number: int) -> None:
    """The backoff is over."""
    callback = draft.callbacks.edit(number)
    callback.state = SCHEDULED
    callback.next_attempt_time = 0
    draft.effects.append(deliver(number, callback))
    draft.changed = True


def answered(draft: Draft, answer: CallbackAnswered) -> None:
    """Note what came of an attempt."""
    known = draft.callbacks.get(answer.number)
    if known is None or known.state != SCHEDULED or known.attempt != answer.attempt:
        return
    callback = draft.callbacks.edit(answer.number)
    callback.attempt += 1
    callback.last_attempt_complete_time = draft.context.now
    callback.failure = answer.failure
    draft.changed = True
    if not answer.failure:
        callback.state = SUCCEEDED
    elif not answer.again:
        callback.state = DELIVERY_FAILED
    else:
        callback.state = BACKING_OFF
        callback.next_attempt_time = draft.context.now + _backoff(draft, callback.attempt)


def _backoff(draft: Draft, attempt: int) -> int:
    """Doubling; drawn from the upper fifth, so that many do not come back at the same time."""
    span = min(limits.CALLBACK_BACKOFF_FIRST << min(attempt - 1, 12), limits.CALLBACK_BACKOFF_MAX)
    drawn = int(draft.context.fresh_id[-6:], 16) / 0x1000000
    return int(span * (0.8 + 0.2 * drawn))


def attached_request_ids(event: HistoryEvent) -> list[str]:
    """The request ids that an OPTIONS_UPDATED event brings."""
    attributes = event.workflow_execution_options_updated_event_attributes
    ids = [attributes.attached_request_id, *(update.attached_request_id for update in attributes.workflow_update_options)]
    return [request_id for request_id in ids if request_id]
