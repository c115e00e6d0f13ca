"""The replayer: which histories today's code goes with."""

import dataclasses
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest
from temporalio.api.common.v1 import Payload

from outlast import activity, workflow
from outlast.client import Client, WorkflowFailureError, WorkflowHistory
from outlast.converter import DataConverter, PayloadCodec
from outlast.exceptions import ApplicationError
from outlast.worker import Replayer, Worker
from outlast.workflow import NondeterminismError


@activity.defn
async def say(word: str) -> str:
    return word


@workflow.defn(name="Talk")
class Talk:
    @workflow.run
    async def run(self, fails: bool) -> str:
        word = await workflow.execute_activity(say, "yes", start_to_close_timeout=timedelta(seconds=10))
        await workflow.sleep(0.01)
        if fails:
            raise ApplicationError("no")
        return word


@workflow.defn(name="Talk")
class TalkChanged:
    @workflow.run
    async def run(self, fails: bool) -> str:
        await workflow.sleep(0.01)
        return await workflow.execute_activity(say, "yes", start_to_close_timeout=timedelta(seconds=10))


class Reversing(PayloadCodec):
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload(metadata={"encoding": b"reversed"}, data=each.SerializeToString()[::-1]) for each in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload.FromString(each.data[::-1]) for each in payloads]


async def history(client: Client, queue: str, *, fails: bool = False) -> WorkflowHistory:
    async with Worker(client, task_queue=queue, workflows=[Talk], activities=[say]):
        handle = await client.start_workflow(Talk.run, fails, id=f"wf-{fails}", task_queue=queue)
        try:
            await handle.result()
        except WorkflowFailureError:
            assert fails
    return await handle.fetch_history()


async def test_the_code_that_made_a_history_goes_with_it(client: Client, queue: str) -> None:
    result = await Replayer(workflows=[Talk]).replay_workflow(await history(client, queue))

    assert result.replay_failure is None


async def test_a_history_can_come_from_json(client: Client, queue: str) -> None:
    text = (await history(client, queue)).to_json()

    result = await Replayer(workflows=[Talk]).replay_workflow(WorkflowHistory.from_json("wf", text))

    assert result.replay_failure is None


async def test_that_a_workflow_failed_is_no_failure_of_its_replay(client: Client, queue: str) -> None:
    result = await Replayer(workflows=[Talk]).replay_workflow(await history(client, queue, fails=True))

    assert result.replay_failure is None


async def test_code_that_decides_otherwise_does_not_go_with_a_history(client: Client, queue: str) -> None:
    with pytest.raises(NondeterminismError):
        await Replayer(workflows=[TalkChanged]).replay_workflow(await history(client, queue))


async def test_of_many_histories_each_has_its_result(client: Client, queue: str) -> None:
    good, other = await history(client, queue), await history(client, queue, fails=True)

    async def both() -> AsyncIterator[WorkflowHistory]:
        yield good
        yield other

    results = await Replayer(workflows=[TalkChanged]).replay_workflows(both(), raise_on_replay_failure=False)
    fine = await Replayer(workflows=[Talk]).replay_workflows(both())

    assert set(results.replay_failures) == {good.run_id, other.run_id}
    assert fine.replay_failures == {}


async def test_a_workflow_that_nobody_knows_cannot_be_replayed(client: Client, queue: str) -> None:
    with pytest.raises(RuntimeError, match="Workflow class Talk is not registered on this worker, available workflows: Another"):
        await Replayer(workflows=[Another]).replay_workflow(await history(client, queue))
    with pytest.raises(ValueError, match="At least one workflow must be specified"):
        Replayer(workflows=[])


@workflow.defn
class Another:
    @workflow.run
    async def run(self) -> None:
        return


async def test_an_encoded_history_is_decoded_and_left_as_it_is(client: Client, queue: str) -> None:
    converter = dataclasses.replace(DataConverter.default, payload_codec=Reversing())
    encoding = Client(client.service_client, namespace=client.namespace, data_converter=converter)
    encoded = await history(encoding, queue)
    before = [event.SerializeToString() for event in encoded.events]

    result = await Replayer(workflows=[Talk], data_converter=converter).replay_workflow(encoded)

    assert result.replay_failure is None
    assert [event.SerializeToString() for event in encoded.events] == before
    assert any(b"reversed" in each for each in before)
