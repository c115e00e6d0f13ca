"""Heartbeats of one activity: which are sent, when, and what the replies mean."""

import asyncio
import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload
from temporalio.api.workflowservice.v1 import RecordActivityTaskHeartbeatRequest, RecordActivityTaskHeartbeatResponse

from outlast import activity, workflow
from outlast.activity import ActivityCancellationDetails
from outlast.client import Client
from outlast.common import RetryPolicy
from outlast.exceptions import ApplicationError
from outlast.service import RPCStatusCode
from outlast.worker import Worker
from outlast.worker._heartbeats import Heartbeats, throttle_interval_s
from outlast.worker._wire import Server, Wire
from tests.worker.fakes import FakeClient, failure


class Attempt:
    """What heartbeats tell the attempt, and the server that takes them."""

    def __init__(self, interval_s: float) -> None:
        self.sent: list[bytes] = []
        self.cancelled: list[ActivityCancellationDetails] = []
        self.failures: list[Exception] = []
        self.reply: Message | Exception = RecordActivityTaskHeartbeatResponse()
        self.held: asyncio.Event | None = None
        server = Server(FakeClient(record_activity_task_heartbeat=self._record))  # type: ignore[arg-type]
        wire = Wire(namespace="default", task_queue="queue", identity="me", build_id="build")
        self.heartbeats = Heartbeats(
            server, wire, b"token", interval_s, self._encode, self.cancelled.append, self.failures.append, lambda: None
        )

    async def _encode(self, details: Sequence[Any]) -> Sequence[Payload]:
        if details[0] == "bad":
            raise ValueError("cannot be encoded")
        return [Payload(data=each) for each in details]

    async def _record(self, request: RecordActivityTaskHeartbeatRequest) -> Message:
        self.sent.append(b"".join(payload.data for payload in request.details.payloads))
        if self.held is not None:
            await self.held.wait()
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)


async def test_the_first_goes_at_once_and_of_those_within_the_interval_only_the_newest_later() -> None:
    attempt = Attempt(interval_s=60)
    for details in (b"1", b"2", b"3"):
        attempt.heartbeats.record([details])
        await attempt.settle()
    at_once = list(attempt.sent)

    attempt.heartbeats._paused()
    await attempt.settle()
    await attempt.heartbeats.close(flush=False)

    assert (at_once, attempt.sent) == ([b"1"], [b"1", b"3"])


async def test_one_at_a_time_however_slow_the_server_is() -> None:
    attempt = Attempt(interval_s=0)
    attempt.held = asyncio.Event()
    for details in (b"1", b"2", b"3"):
        attempt.heartbeats.record([details])
        await attempt.settle()
    before = list(attempt.sent)

    attempt.held.set()
    await attempt.heartbeats.close(flush=True)

    assert (before, attempt.sent) == ([b"1"], [b"1", b"3"])


@pytest.mark.parametrize(("flush", "sent"), [(True, [b"1", b"2"]), (False, [b"1"])])
async def test_the_last_is_flushed_for_the_next_attempt_only(flush: bool, sent: list[bytes]) -> None:
    attempt = Attempt(interval_s=60)
    attempt.heartbeats.record([b"1"])
    attempt.heartbeats.record([b"2"])

    await attempt.heartbeats.close(flush)

    assert attempt.sent == sent


async def test_nothing_is_sent_after_the_end() -> None:
    attempt = Attempt(interval_s=0)
    await attempt.heartbeats.close(flush=True)

    attempt.heartbeats.record([b"late"])
    await attempt.settle()

    assert attempt.sent == []


@pytest.mark.parametrize(
    ("reply", "details"),
    [
        (RecordActivityTaskHeartbeatResponse(cancel_requested=True), ActivityCancellationDetails(cancel_requested=True)),
        (RecordActivityTaskHeartbeatResponse(activity_paused=True), ActivityCancellationDetails(paused=True)),
        (RecordActivityTaskHeartbeatResponse(activity_reset=True), ActivityCancellationDetails(reset=True)),
        (failure(RPCStatusCode.NOT_FOUND), ActivityCancellationDetails(not_found=True)),
    ],
)
async def test_what_the_server_says_of_the_activity_cancels_it(reply: Message | Exception, details: ActivityCancellationDetails) -> None:
    attempt = Attempt(interval_s=60)
    attempt.reply = reply

    attempt.heartbeats.record([b"1"])
    await attempt.heartbeats.close(flush=False)

    assert attempt.cancelled == [details]


async def test_a_server_that_is_away_does_not_cancel_the_activity() -> None:
    attempt = Attempt(interval_s=60)
    attempt.reply = failure(RPCStatusCode.UNAVAILABLE)

    attempt.heartbeats.record([b"1"])
    await attempt.heartbeats.close(flush=False)

    assert attempt.cancelled == []


async def test_details_that_cannot_be_encoded_fail_the_activity() -> None:
    attempt = Attempt(interval_s=60)

    attempt.heartbeats.record(["bad"])
    await attempt.heartbeats.close(flush=False)

    assert [str(error) for error in attempt.failures] == ["cannot be encoded"]
    assert attempt.sent == []


@pytest.mark.parametrize(("timeout_s", "interval_s"), [(10, 8), (0, 30), (100, 60)])
def test_the_interval_is_four_fifths_of_the_timeout_within_bounds(timeout_s: float, interval_s: float) -> None:
    assert throttle_interval_s(timeout_s, default_s=30, maximum_s=60) == interval_s


@activity.defn
async def beats_from_a_thread() -> str:
    if activity.info().attempt > 1:
        return str(activity.info().heartbeat_details[0])
    heartbeat = activity._Context.current().heartbeat
    assert heartbeat is not None
    thread = threading.Thread(target=heartbeat, args=("from a thread",))
    thread.start()
    thread.join()
    raise ApplicationError("the next attempt knows")


@workflow.defn
class Beating:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity(
            beats_from_a_thread, start_to_close_timeout=timedelta(seconds=10), retry_policy=RetryPolicy(initial_interval=timedelta(0, 0, 1))
        )


async def test_a_heartbeat_from_another_thread_is_not_lost_when_the_activity_fails_right_after_it(client: Client, queue: str) -> None:
    async with Worker(client, task_queue=queue, workflows=[Beating], activities=[beats_from_a_thread]):
        assert await client.execute_workflow(Beating.run, id="wf", task_queue=queue) == "from a thread"
