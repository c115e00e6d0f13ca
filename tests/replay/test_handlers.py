"""Queries, updates and exchanged handlers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from temporalio.api.protocol.v1 import Message
from temporalio.api.query.v1 import WorkflowQuery, WorkflowQueryResult
from temporalio.api.update.v1 import Acceptance, Rejection, Request, Response

from outlast import workflow
from outlast.common import RawValue
from outlast.exceptions import ApplicationError
from outlast.replay import kinds
from outlast.replay.protocol import Step
from tests.replay.events import CONVERTER, Told, kinds_of, payloads

SOON = timedelta(seconds=10)


@workflow.defn
class Account:
    def __init__(self) -> None:
        self.balance = 0
        self.judged = 0

    @workflow.query(description="what is left")
    def left(self) -> int:
        return self.balance

    @workflow.query
    async def left_later(self) -> int:
        return self.balance

    @workflow.query
    def replaying(self) -> list[bool]:
        unsafe = workflow.unsafe
        return [unsafe.is_replaying(), unsafe.is_replaying_history_events(), unsafe.is_read_only()]

    @workflow.query
    def break_rules(self) -> None:
        workflow.start_activity("work", start_to_close_timeout=SOON)

    @workflow.query
    async def break_rules_later(self) -> None:
        await asyncio.sleep(1)

    @workflow.query
    def raises(self) -> None:
        raise KeyError("what")

    @workflow.update
    async def add(self, amount: int) -> int:
        self.balance += amount
        if amount > 100:
            await asyncio.sleep(1)
        return self.balance

    @add.validator
    def judge(self, amount: int) -> None:
        self.judged += 1
        if amount < 0:
            raise ValueError("negative")
        if amount == 13:
            workflow.random()

    @workflow.update
    def fail(self) -> None:
        raise ApplicationError("no", type="No")

    @workflow.update
    def crash(self) -> None:
        raise KeyError("bug")

    @workflow.update
    def leave(self) -> None:
        workflow.continue_as_new()

    @workflow.update
    def who(self) -> str:
        info = workflow.current_update_info()
        return f"{info.name} {info.id}" if info else ""

    @workflow.run
    async def run(self, until: int) -> int:
        await workflow.wait_condition(lambda: self.balance >= until)
        return self.judged


@workflow.defn
class Exchanges:
    """Sets its handlers while it runs."""

    def __init__(self) -> None:
        self.log: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        def any_signal(name: str, values: Sequence[RawValue]) -> None:
            self.log.append(f"{name} {len(values)}")

        async def any_update(name: str, values: Sequence[RawValue]) -> str:
            return f"{name} {len(values)}"

        def any_query(name: str, values: Sequence[RawValue]) -> str:
            return f"{name} {workflow.payload_converter().from_payload(values[0].payload)}"

        workflow.set_signal_handler("known", lambda value: self.log.append(f"known {value}"))
        workflow.set_dynamic_signal_handler(any_signal)
        workflow.set_dynamic_update_handler(any_update)
        workflow.set_dynamic_query_handler(any_query)
        workflow.set_query_handler("log", lambda: self.log)
        await workflow.wait_condition(lambda: len(self.log) > 3)
        return self.log


def query(name: str, *args: Any) -> WorkflowQuery:
    return WorkflowQuery(query_type=name, query_args=payloads(*args) if args else None)  # type: ignore[arg-type]


def answer(result: WorkflowQueryResult | None) -> Any:
    assert result is not None
    assert result.result_type == 1, result.error_message
    return CONVERTER.payload_converter.from_payloads(result.answer.payloads)[0]


def request(name: str, *args: Any, at: int, id: str = "u") -> Message:
    message = Message(id=f"{id}/request", protocol_instance_id=id, event_id=at)
    message.body.Pack(
        Request(meta={"update_id": id}, input={"name": name, "args": payloads(*args) if args else None})  # type: ignore[arg-type]
    )
    return message


def answers(step: Step) -> list[Any]:
    """The bodies of the messages of a step."""
    bodies = []
    for message in step.messages:
        for kind in (Acceptance, Rejection, Response):
            body = kind()
            if message.body.Unpack(body):
                bodies.append(body)
    return bodies


def value(response: Response) -> Any:
    return CONVERTER.payload_converter.from_payloads(response.outcome.success.payloads)[0]


def account(until: int = 1000) -> Told:
    told = Told(Account, until)
    told.task()
    told.completed()
    return told


def test_a_query_that_comes_alone_is_answered_without_commands() -> None:
    told = account()

    step = told.tell(query=query("left"))

    assert answer(step.query_result) == 0
    assert not step.commands
    assert not step.query_results


def test_a_query_of_a_run_that_is_not_in_memory_replays_it_first() -> None:
    told = account()
    told.from_scratch()

    assert answer(told.tell(query=query("replaying")).query_result) == [True, False, True]


def test_queries_beside_a_task_are_answered_after_its_events() -> None:
    told = Told(Account, 5)

    step = told.task(queries={"a": query("left"), "b": query("left_later"), "c": query("replaying")})

    assert [answer(step.query_results[key]) for key in "abc"] == [0, 0, [True, False, True]]
    assert step.metadata is not None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("unknown", "Query handler for 'unknown' expected but not found, known queries: [__enhanced_stack_trace"),
        ("raises", "what"),
        ("break_rules", "While in read-only function, action attempted: start activity"),
        ("break_rules_later", "While in read-only function, action attempted: schedule timer"),
    ],
)
def test_a_query_that_fails_says_why_and_changes_nothing(name: str, message: str) -> None:
    told = account()

    failed = told.tell(query=query(name))

    assert failed.query_result is not None
    assert failed.query_result.result_type == 2
    assert message in failed.query_result.error_message
    assert failed.failure is None
    assert answer(told.tell(query=query("left")).query_result) == 0


def test_every_workflow_says_where_it_is_and_what_it_handles() -> None:
    told = account()

    stack = answer(told.tell(query=query("__stack_trace")).query_result)
    enhanced = answer(told.tell(query=query("__enhanced_stack_trace")).query_result)
    described = answer(told.tell(query=query("__temporal_workflow_metadata")).query_result)

    assert "test_handlers.py" in stack
    assert "wait_condition" in stack
    assert any(path.endswith("test_handlers.py") and "class Account" in source.content for path, source in enhanced.sources.items())
    definition = MessageToDict(described.definition)
    assert {"name": "left", "description": "what is left"} in definition["queryDefinitions"]
    assert [update["name"] for update in definition["updateDefinitions"]] == ["add", "crash", "fail", "leave", "who"]


def test_an_update_is_accepted_and_completed_by_messages_in_the_order_of_commands() -> None:
    told = account()
    at = len(told.events)

    step = told.task(messages=[request("add", 5, at=at), request("who", at=at, id="v")])

    accepted, completed, accepted_too, completed_too = answers(step)
    assert kinds_of(step) == [14, 14, 14, 14]
    assert [command.protocol_message_command_attributes.message_id for command in step.commands] == [
        *("u/request/accept", "u/request/complete", "v/request/accept", "v/request/complete")
    ]
    assert (accepted.accepted_request_message_id, accepted.accepted_request_sequencing_event_id) == ("u/request", at)
    assert MessageToDict(accepted.accepted_request.meta) == {"updateId": "u"}
    assert (value(completed), value(completed_too)) == (5, "who v")
    assert accepted_too.accepted_request.input.name == "who"


def test_an_update_that_is_rejected_leaves_a_message_and_no_command() -> None:
    told = account()

    step = told.task(messages=[request("add", -1, at=4)])

    [rejected] = answers(step)
    assert rejected.failure.message == "negative"
    assert rejected.rejected_request_message_id == "u/request"
    assert not step.commands


def test_an_update_without_a_handler_is_rejected() -> None:
    [rejected] = answers(account().task(messages=[request("unknown", at=4)]))

    assert "Update handler for 'unknown' expected but not found" in rejected.failure.message


def test_an_update_whose_handler_raises_a_failure_completes_with_it() -> None:
    _, failed = answers(account().task(messages=[request("fail", at=4)]))

    assert failed.outcome.failure.application_failure_info.type == "No"


@pytest.mark.parametrize(("name", "args", "message"), [("crash", (), "bug"), ("leave", (), "continue as new"), ("add", (13,), "read-only")])
def test_an_update_whose_handler_has_a_bug_fails_the_task(name: str, args: tuple[Any, ...], message: str) -> None:
    step = account().task(messages=[request(name, *args, at=4)])

    assert step.failure is not None
    assert message in step.failure.message
    assert not step.messages


def test_on_replay_an_update_is_handled_where_it_was_and_not_judged_again() -> None:
    told = account(until=500)
    at = len(told.events)
    first = told.task(messages=[request("add", 500, at=at)])
    told.completed()
    acceptance = answers(first)[0]
    told.add(
        kinds.UPDATE_ACCEPTED,
        protocol_instance_id="u",
        accepted_request_message_id="u/request",
        accepted_request_sequencing_event_id=at,
        accepted_request=acceptance.accepted_request,
    )
    assert kinds_of(first) == [14, 3, 4]
    told.from_scratch()
    told.add(kinds.TIMER_STARTED, timer_id="1")
    told.add(kinds.WORKFLOW_COMPLETED)

    step = told.tell(replay_only=True)

    assert step.failure is None, step.failure.message
    assert told.run._instance is not None
    assert told.run._instance.object.judged == 0
    assert told.run._instance.object.balance == 500


def test_a_rejected_update_wakes_no_condition() -> None:
    told = account(until=1)
    assert told.run._instance is not None
    told.run._instance.object.balance = 1  # as if the condition depended on something that changes by itself

    step = told.task(messages=[request("add", -1, at=4)])

    assert not step.commands


def test_a_task_that_brought_only_rejected_updates_can_be_forgotten() -> None:
    told = account()
    told.task(messages=[request("add", -1, at=4)])
    told.run.forget_task(3)
    del told.events[4:]
    told._seen = told._previous = 4

    step = told.task(messages=[request("add", 5, at=4)])

    assert step.failure is None, step.failure.message
    assert kinds_of(step) == [14, 14]


def test_handlers_that_are_set_later_get_what_came_before() -> None:
    told = Told(Exchanges)
    told.add(kinds.SIGNALED, signal_name="known", input=payloads(1))
    told.add(kinds.SIGNALED, signal_name="other", input=payloads(1, 2))
    told.task()
    told.completed()

    step = told.task(messages=[request("anything", 1, 2, 3, at=7)], queries={"q": query("some", "thing"), "log": query("log")})

    assert value(answers(step)[1]) == "anything 3"
    assert answer(step.query_results["q"]) == "some thing"
    assert answer(step.query_results["log"]) == ["known 1", "other 2"]


def test_a_signal_whose_input_cannot_be_read_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    told = account()
    told.add(kinds.SIGNALED, signal_name="nobody", input=payloads(1))

    assert told.task().failure is None


def test_a_query_for_a_task_that_the_run_has_gone_past_has_expired() -> None:
    told = account()
    told.task()
    told._previous = 1

    step = told.tell(query=query("left"))

    assert step.query_result is not None
    assert step.query_result.error_message == "Query expired"
