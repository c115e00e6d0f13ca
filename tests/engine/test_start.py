"""The first event of a run: what a client asks for, made whole."""

import pytest
from temporalio.api.common.v1 import Link, Memo, SearchAttributes
from temporalio.api.enums.v1 import TaskQueueKind

from outlast.engine import triggers as t
from outlast.engine.begin import begin
from outlast.engine.limits import HUNDRED_YEARS, SECOND
from outlast.engine.machines.start import attributes_of_request
from tests.engine import ask
from tests.engine.given import (
    NOON,
    RUN_ID,
    attributes,
    complete,
    context,
    given_started,
    last_event,
    name,
    news,
    payload,
    payloads,
    seconds,
    start_request,
)

TIMEOUTS = ("workflow_execution_timeout", "workflow_run_timeout", "workflow_task_timeout")


@pytest.mark.parametrize(
    "asked, filled",
    [
        ((0, 0, 0), (0, 0, 10)),
        ((0, 0, 300), (0, 0, 120)),
        ((60, 0, 0), (60, 60, 10)),
        ((60, 100, 0), (60, 60, 10)),
        ((60, 30, 0), (60, 30, 10)),
        ((0, 30, 0), (0, 30, 10)),
        ((0, 3, 0), (0, 3, 3)),
        ((0, 3, 300), (0, 3, 3)),
        ((2, 0, 300), (2, 2, 2)),
    ],
)
def test_timeouts_are_filled_in_and_capped_by_the_wider_one(asked: tuple[int, ...], filled: tuple[int, ...]) -> None:
    request = start_request(**dict(zip(TIMEOUTS, asked, strict=True)))

    made = attributes_of_request(request, NOON)

    assert tuple(getattr(made, timeout).seconds for timeout in TIMEOUTS) == filled


def test_no_timeout_is_longer_than_a_hundred_years() -> None:
    made = attributes_of_request(start_request(workflow_execution_timeout=HUNDRED_YEARS // SECOND + 1), NOON)

    assert made.workflow_execution_timeout.ToNanoseconds() == HUNDRED_YEARS


def test_the_end_of_the_execution_is_known_to_the_millisecond() -> None:
    made = attributes_of_request(start_request(workflow_execution_timeout=60), NOON + 1_999_999)

    assert made.workflow_execution_expiration_time.ToNanoseconds() == NOON + 60 * SECOND + 1_000_000
    assert not attributes_of_request(start_request(), NOON).HasField("workflow_execution_expiration_time")


def test_values_that_say_nothing_are_dropped() -> None:
    memo = Memo(fields={"kept": payload("1"), "null": payload("null"), "empty": payload("")})
    nothing = SearchAttributes(indexed_fields={"Keyword": payload("[]")})

    made = attributes_of_request(start_request(memo=memo, search_attributes=nothing), NOON)

    assert list(made.memo.fields) == ["kept"]
    assert not made.HasField("search_attributes")


def test_a_retry_policy_is_filled_in_only_when_there_is_one() -> None:
    assert not attributes_of_request(start_request(), NOON).HasField("retry_policy")

    made = attributes_of_request(start_request(retry_policy=ask.retry_policy(initial_interval=2)), NOON)
    assert made.retry_policy.maximum_interval == seconds(200)


def test_the_first_event_says_who_asked_and_which_run_it_is() -> None:
    given = given_started(input=payloads("1"))

    first = attributes(given, "WORKFLOW_EXECUTION_STARTED")
    assert (first.workflow_id, first.identity, first.attempt, first.input) == ("order", "client", 1, payloads("1"))
    assert first.original_execution_run_id == first.first_execution_run_id == RUN_ID
    assert (first.task_queue.name, first.task_queue.kind) == ("orders", TaskQueueKind.TASK_QUEUE_KIND_NORMAL)
    assert not first.initiator
    assert given.last.visible


def test_metadata_and_links_are_on_the_event() -> None:
    link = Link(batch_job=Link.BatchJob(job_id="j"))
    first = t.Start("order", "r", attributes_of_request(start_request(), NOON), links=[link])

    given = given_started(first=first)

    assert list(given.history[0].links) == [link]
    assert given.run.started_links == (link.SerializeToString(),)


def test_a_signal_with_the_start_stands_between_the_start_and_the_task() -> None:
    given = given_started(signal=t.Signal("hello", request_id="r1"))

    assert news(given) == ["WORKFLOW_EXECUTION_STARTED", "WORKFLOW_EXECUTION_SIGNALED", "WORKFLOW_TASK_SCHEDULED"]
    assert len(given.last.batches) == 1
    assert given.execution.request_ids == {"r1": 2}


def test_a_signal_with_a_delayed_start_does_not_cut_the_delay_short() -> None:
    given = given_started(signal=t.Signal("hello"), workflow_start_delay=60)

    assert news(given) == ["WORKFLOW_EXECUTION_STARTED", "WORKFLOW_EXECUTION_SIGNALED"]
    assert given.run.execution_time == NOON + 60 * SECOND


def test_an_eager_start_hands_the_task_out_with_the_answer() -> None:
    given = given_started(eager_worker="starter")

    assert [[name(event) for event in batch.events] for batch in given.last.batches] == [
        ["WORKFLOW_EXECUTION_STARTED", "WORKFLOW_TASK_SCHEDULED", "WORKFLOW_TASK_STARTED"]
    ]
    task = attributes(given, "WORKFLOW_TASK_STARTED")
    assert (task.identity, task.request_id, task.history_size_bytes) == ("starter", "start-request", 0)
    assert attributes(given, "WORKFLOW_EXECUTION_STARTED").eager_execution_accepted
    assert given.effects == []
    assert news(complete(given)) == ["WORKFLOW_TASK_COMPLETED"]


def test_a_delayed_start_is_not_eager() -> None:
    given = given_started(eager_worker="starter", workflow_start_delay=60)

    assert news(given) == ["WORKFLOW_EXECUTION_STARTED"]
    assert not attributes(given, "WORKFLOW_EXECUTION_STARTED").eager_execution_accepted


def test_history_size_counts_every_byte_that_is_written() -> None:
    first = t.Start("order", "r", attributes_of_request(start_request(), NOON))
    transition = begin(first, RUN_ID, context())

    assert transition.after.run.history_size_bytes == sum(len(batch.data) for batch in transition.batches) > 0


def test_the_first_event_bears_the_time_of_the_decision() -> None:
    assert last_event(given_started(), "WORKFLOW_EXECUTION_STARTED").event_time.ToNanoseconds() == NOON
