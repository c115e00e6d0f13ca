"""Completion callbacks: when they are due, what follows from their answers, and which run has them."""

from typing import Any

import pytest
from temporalio.api.common.v1 import Callback as WireCallback
from temporalio.api.common.v1 import Link
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.protocol.v1 import Message
from temporalio.api.update.v1 import Acceptance, Input, Meta, Outcome, Request, Response

from outlast.engine import limits
from outlast.engine import triggers as t
from outlast.engine.limits import SECOND
from outlast.engine.refusals import FailedPrecondition
from outlast.engine.state import (
    BACKING_OFF,
    DELIVERY_FAILED,
    SCHEDULED,
    STANDBY,
    SUCCEEDED,
    Attached,
    Callback,
)
from outlast.engine.stored import decode_execution, encode_core
from outlast.engine.transition import DeliverCallback
from outlast.engine.work import expired, has_work, next_due, pending_work
from tests.engine import ask
from tests.engine.given import (
    Given,
    application_failure,
    attributes,
    completion,
    do,
    given_started,
    news,
    refused,
    taken,
    told,
    wait,
    waiting,
    with_workflow_task_started,
)

DAY = 24 * 3600


def url(path: str = "/done") -> WireCallback:
    return WireCallback(nexus=WireCallback.Nexus(url=f"http://127.0.0.1:1{path}", header={"token": "x"}))


def states(given: Given) -> list[int]:
    return [callback.state for callback in given.execution.callbacks.values()]


def the(given: Given) -> Callback:
    (callback,) = given.execution.callbacks.values()
    return callback


def given_closed(**fields: Any) -> Given:
    """A run that has completed, with one callback to deliver."""
    return do(given_started(completion_callbacks=[url()], **fields), ask.completed("1"))


def answered(given: Given, failure: str = "", *, again: bool = False, attempt: int = 0, **fields: Any) -> Given:
    return told(given, t.CallbackAnswered(0, attempt, failure, again), **fields)


# Waiting and being due


def test_a_callback_stands_by_while_the_run_goes_on() -> None:
    given = given_started(completion_callbacks=[url()])

    assert states(given) == [STANDBY]
    assert (the(given).request_id, the(given).registration_time) == ("start-request", given.now)
    assert DeliverCallback(0, 0) not in given.effects
    assert attributes(given, "WORKFLOW_EXECUTION_STARTED").completion_callbacks == [url()]


def test_a_callback_is_delivered_when_the_run_is_over() -> None:
    given = given_closed()

    assert states(given) == [SCHEDULED]
    assert DeliverCallback(0, 0) in given.effects
    assert has_work(given.execution)
    assert pending_work(given.execution) == [DeliverCallback(0, 0)]


@pytest.mark.parametrize("end", [t.Terminate("r", "i"), t.Delete()])
def test_every_end_is_told(end: t.Trigger) -> None:
    given = told(given_started(completion_callbacks=[url()]), end)

    assert states(given) == [SCHEDULED]


def test_a_run_that_a_reset_replaces_tells_nothing() -> None:
    given = told(given_started(completion_callbacks=[url()]), t.Terminate("r", "i", for_reset=True))

    assert states(given) == [STANDBY]
    assert given.effects == []


# Answers


def test_a_delivered_callback_is_done() -> None:
    given = answered(given_closed(), after=1)

    assert states(given) == [SUCCEEDED]
    assert (the(given).attempt, the(given).last_attempt_complete_time) == (1, given.now)
    assert not has_work(given.execution)
    assert given.last.changed


def test_a_refused_callback_is_not_tried_again() -> None:
    given = answered(given_closed(), "no")

    assert states(given) == [DELIVERY_FAILED]
    assert (the(given).failure, the(given).next_attempt_time) == ("no", 0)
    assert not has_work(given.execution)


def test_a_callback_that_was_not_delivered_is_tried_again_after_a_backoff() -> None:
    given = answered(given_closed(), "down", again=True)
    due = next_due(given.execution)

    assert states(given) == [BACKING_OFF]
    assert due == the(given).next_attempt_time
    assert 0.8 * SECOND <= due - given.now <= SECOND
    assert not has_work(given.execution)

    given = told(given, t.TimersDue(), after=1)
    assert states(given) == [SCHEDULED]
    assert given.effects == [DeliverCallback(0, 1)]


def test_the_backoff_doubles_up_to_an_hour() -> None:
    given = given_closed()
    spans = []
    for attempt in range(16):
        given = answered(given, "down", again=True, attempt=attempt)
        spans.append((the(given).next_attempt_time - given.now) / SECOND)
        given = told(given, t.TimersDue(), after=3600)

    assert all(0.8 * min(2**n, 3600) <= span <= min(2**n, 3600) for n, span in enumerate(spans))


def test_an_answer_to_an_attempt_that_is_over_changes_nothing() -> None:
    given = answered(given_closed(), "down", again=True)

    assert not answered(given, attempt=0).last.changed
    assert not answered(told(given, t.TimersDue(), after=1), attempt=0).last.changed
    assert not told(given, t.CallbackAnswered(7, 0)).last.changed


def test_a_success_wipes_the_failure_before_it() -> None:
    given = told(answered(given_closed(), "down", again=True), t.TimersDue(), after=1)

    assert the(answered(given, attempt=1)).failure == ""


def test_the_run_is_forgotten_in_time_though_nobody_answers() -> None:
    given = given_closed()

    assert not expired(given.execution, given.now + DAY * SECOND - 1)
    assert expired(given.execution, given.now + DAY * SECOND)
    assert next_due(given.execution) == given.now + DAY * SECOND


def test_callbacks_survive_being_stored() -> None:
    given = answered(given_closed(), "down", again=True)
    changes = {**given_started(completion_callbacks=[url()]).last.changes, **given.last.changes}
    stored = {key: data for key, data in changes.items() if data is not None}

    assert dict(decode_execution(encode_core(given.run), stored).callbacks) == dict(given.execution.callbacks)


# Attached later


def attach(request_id: str = "second", count: int = 1) -> t.Attach:
    return t.Attach(request_id, (), [url("/later")] * count)


def test_a_start_that_uses_this_run_leaves_its_callbacks() -> None:
    given = told(given_started(completion_callbacks=[url()]), attach())

    assert news(given) == ["WORKFLOW_EXECUTION_OPTIONS_UPDATED"]
    assert attributes(given, "WORKFLOW_EXECUTION_OPTIONS_UPDATED").attached_completion_callbacks == [url("/later")]
    assert states(given) == [STANDBY, STANDBY]
    assert not told(given, attach()).last.changed


def test_a_callback_attached_while_a_task_runs_is_there_at_once_and_its_event_later() -> None:
    given = told(with_workflow_task_started(given_started()), attach())

    assert waiting(given) == ["WORKFLOW_EXECUTION_OPTIONS_UPDATED"]
    assert states(given) == [STANDBY]
    assert given.execution.attached["second"].event_id == 0

    given = told(given, completion(given))
    event: HistoryEvent = next(e for e in given.history if e.HasField("workflow_execution_options_updated_event_attributes"))
    assert given.execution.attached["second"] == Attached(event.event_id, event.event_type)


def test_there_are_only_so_many() -> None:
    given = told(given_started(), attach(count=limits.CALLBACKS_MAX))

    assert isinstance(refused(given, attach("third")), FailedPrecondition)
    assert news(told(given, t.Attach("third", [Link()]))) == ["WORKFLOW_EXECUTION_OPTIONS_UPDATED"]


# The next run


def test_continue_as_new_takes_them_along() -> None:
    given = do(wait(told(given_started(completion_callbacks=[url()]), attach()), 5), ask.continued_as_new())
    new = taken(given.successor, given.now)

    assert states(given) == [STANDBY, STANDBY]
    assert states(new) == [STANDBY, STANDBY]
    assert attributes(new, "WORKFLOW_EXECUTION_STARTED").completion_callbacks == [url(), url("/later")]
    assert {callback.request_id for callback in new.execution.callbacks.values()} == {new.run.create_request_id}


def test_a_retry_takes_them_along_and_the_last_attempt_tells() -> None:
    given = told(given_started(completion_callbacks=[url()], retry_policy=ask.retry_policy(maximum_attempts=2)), attach())
    given = do(given, ask.failed(application_failure()))
    second = taken(given.successor, given.now)

    assert states(given) == [STANDBY, STANDBY]
    assert attributes(second, "WORKFLOW_EXECUTION_STARTED").completion_callbacks == [url(), url("/later")]

    second = do(told(second, t.TimersDue(), after=2), ask.failed(application_failure()))
    assert states(second) == [SCHEDULED, SCHEDULED]


def test_a_cron_run_tells_and_the_next_has_none() -> None:
    given = told(given_started(completion_callbacks=[url()], cron_schedule="@every 1s"), t.TimersDue(), after=1)
    given = do(given, ask.completed("1"))
    new = taken(given.successor, given.now)

    assert states(given) == [SCHEDULED]
    assert states(new) == []


# Of updates


def message(body: Any, name: str) -> Message:
    made = Message(id=f"u/{name}", protocol_instance_id="u")
    made.body.Pack(body)
    return made


def given_accepted() -> Given:
    """A run with an update that it has accepted, and its callback."""
    request = Request(
        meta=Meta(update_id="u"), input=Input(name="change"), request_id="update-request", completion_callbacks=[url("/update")]
    )
    given = with_workflow_task_started(told(do(given_started(completion_callbacks=[url()])), t.AdmitUpdate()))
    acceptance = message(Acceptance(accepted_request_message_id="u/request", accepted_request_sequencing_event_id=5), "accept")
    done = completion(given, [], messages=[acceptance])
    return told(given, t.CompleteWorkflowTask(done.token, done.request, done.request_id, {"u": request}))


def test_a_callback_of_an_update_is_told_its_outcome() -> None:
    given = given_accepted()
    assert states(given) == [STANDBY, STANDBY]

    response = message(Response(meta=Meta(update_id="u"), outcome=Outcome()), "complete")
    given = with_workflow_task_started(told(given, t.Signal("go")))
    given = told(given, completion(given, messages=[response]))

    assert states(given) == [STANDBY, SCHEDULED]
    assert given.effects == [DeliverCallback(1, 0)]
    assert has_work(given.execution)


def test_a_callback_of_an_update_hears_of_the_end_of_its_run_even_if_another_follows() -> None:
    given = do(wait(told(given_accepted(), t.Signal("go")), 5), ask.continued_as_new())

    assert states(given) == [STANDBY, SCHEDULED]
    assert states(taken(given.successor, given.now)) == [STANDBY]


def test_a_repeated_update_leaves_its_callbacks_once() -> None:
    more = t.AttachToUpdate("u", "again", [url("/more")])
    given = told(given_accepted(), more)

    (options,) = attributes(given, "WORKFLOW_EXECUTION_OPTIONS_UPDATED").workflow_update_options
    assert (options.update_id, options.attached_request_id, list(options.attached_completion_callbacks)) == ("u", "again", [url("/more")])
    assert [callback.update_id for callback in given.execution.callbacks.values()] == ["", "u", "u"]
    assert not told(given, more).last.changed


def test_an_update_has_only_so_many() -> None:
    more = t.AttachToUpdate("u", "again", [url()] * limits.CALLBACKS_OF_UPDATE_MAX)

    assert isinstance(refused(given_accepted(), more), FailedPrecondition)


def test_callbacks_for_an_update_that_is_over_are_not_kept() -> None:
    assert not told(given_accepted(), t.AttachToUpdate("other", "again", [url()])).last.changed
